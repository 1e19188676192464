// SPDX-License-Identifier: Apache-2.0
/*
 * The numbers of layout.h as the compiler sees them, under the names they have in dev.weft.datapath.ebpf.Layout, and the
 * order of the enums that Java counts by. Read from the file by LayoutTest; never loaded.
 */
#include "../../main/bpf/maps.h"

#define NUMBER(name, value) const volatile __u32 name = (value)
#define OFFSET(name, type, field) NUMBER(name, __builtin_offsetof(struct type, field))
#define ENTRIES(map) (sizeof(*(map).max_entries) / sizeof(int))

NUMBER(Layout_VERSION, LAYOUT_VERSION);
NUMBER(Layout_MAX_PORTS, MAX_PORTS);
NUMBER(Layout_STATE_PORT, STATE_PORT);
NUMBER(Layout_LAST_PORT, STATE_PORT - 1);
NUMBER(Layout_MAX_MASKS, MAX_MASKS);
NUMBER(Layout_PORT_MASKS, PORT_MASKS);
NUMBER(Layout_MAX_REMOTES, MAX_REMOTES);
NUMBER(Layout_MAX_STEPS, ENTRIES(steps));
NUMBER(Layout_CHUNK, CHUNK);
NUMBER(Layout_LOW_INTERFACES, LOW_INTERFACES);
NUMBER(Layout_EXACT_MASK, EXACT_MASK);
NUMBER(Layout_KEY_SIZE, sizeof(struct flow_key));
OFFSET(Fragmented_INGRESS, fragmented, ingress);
OFFSET(Fragmented_SRC_HIGH, fragmented, src_high);
OFFSET(Fragmented_SRC_LOW, fragmented, src_low);
OFFSET(Fragmented_DST_HIGH, fragmented, dst_high);
OFFSET(Fragmented_DST_LOW, fragmented, dst_low);
OFFSET(Fragmented_ID, fragmented, id);
OFFSET(Fragmented_PROTOCOL, fragmented, protocol);
NUMBER(Fragmented_SIZE, sizeof(struct fragmented));
OFFSET(FirstFragment_SEEN, first_fragment, seen_nanos);
OFFSET(FirstFragment_L4, first_fragment, l4);
NUMBER(FirstFragment_SIZE, sizeof(struct first_fragment));
NUMBER(FirstFragment_KEPT_SECONDS, FRAGMENT_NANOS / 1000000000);

NUMBER(Layout_COUNT_DELIVERED, COUNT_DELIVERED);
NUMBER(Layout_COUNT_STATE_FRAMES, COUNT_STATE_FRAMES);
NUMBER(Layout_COUNT_TUNNEL_UPCALLS, COUNT_TUNNEL_UPCALLS);
NUMBER(Layout_COUNT_CAPTURES_MISSED, COUNT_CAPTURES_MISSED);

NUMBER(Port_SIZE, sizeof(struct port));
OFFSET(Port_IFINDEX, port, ifindex);
OFFSET(Port_FLAGS, port, flags);
OFFSET(Port_MTU, port, mtu);
OFFSET(Port_MASK_COUNT, port, mask_count);
OFFSET(Port_MASKS, port, masks);
OFFSET(Port_RATE, port, rate);
OFFSET(Port_CAPTURE, port, capture);
OFFSET(Port_FLOOD_RATE, port, flood_rate);
NUMBER(Port_UP, PORT_UP);
NUMBER(Port_PEER, PORT_PEER);
NUMBER(Port_TAP, PORT_TAP);

OFFSET(PortCounters_RECEIVED_PACKETS, port_counters, received_packets);
OFFSET(PortCounters_RECEIVED_BYTES, port_counters, received_bytes);
OFFSET(PortCounters_SENT_PACKETS, port_counters, sent_packets);
OFFSET(PortCounters_SENT_BYTES, port_counters, sent_bytes);
OFFSET(PortCounters_HITS, port_counters, hits);
OFFSET(PortCounters_MISSES, port_counters, misses);
OFFSET(PortCounters_UPCALLS, port_counters, upcalls);
OFFSET(PortCounters_OVER_BUDGET, port_counters, over_budget);

NUMBER(Step_SIZE, sizeof(struct step));
OFFSET(Step_SET, step, set);
OFFSET(Step_OUT, step, out);
OFFSET(Step_TTL, step, ttl);
OFFSET(Step_MTU, step, mtu);
OFFSET(Step_TCI, step, tci);
OFFSET(Step_DST_MAC, step, macs);
NUMBER(Step_SRC_MAC, __builtin_offsetof(struct step, macs) + 6);
OFFSET(Step_L4_SRC, step, l4_src);
OFFSET(Step_L4_DST, step, l4_dst);
OFFSET(Step_ICMP_ID, step, icmp_id);
OFFSET(Step_DSCP, step, dscp);
OFFSET(Step_TARGET, step, target);
OFFSET(Step_REMOTE, step, remote);
OFFSET(Step_SRC, step, src);
OFFSET(Step_DST, step, dst);
NUMBER(Step_SET_DST_MAC, SET_DST_MAC);
NUMBER(Step_SET_SRC_MAC, SET_SRC_MAC);
NUMBER(Step_SET_SRC, SET_SRC);
NUMBER(Step_SET_DST, SET_DST);
NUMBER(Step_SET_L4_SRC, SET_L4_SRC);
NUMBER(Step_SET_L4_DST, SET_L4_DST);
NUMBER(Step_SET_ICMP_ID, SET_ICMP_ID);
NUMBER(Step_SET_DSCP, SET_DSCP);
NUMBER(Step_PUSH_VLAN, PUSH_VLAN);
NUMBER(Step_POP_VLAN, POP_VLAN);
NUMBER(Step_OUT_NONE, OUT_NONE);
NUMBER(Step_OUT_PORT, OUT_PORT);
NUMBER(Step_OUT_TUNNEL, OUT_TUNNEL);

NUMBER(Flow_SIZE, sizeof(struct flow));
OFFSET(Flow_PACKETS, flow, packets);
OFFSET(Flow_BYTES, flow, bytes);
OFFSET(Flow_USED, flow, used_nanos);
OFFSET(Flow_ID, flow, id);
OFFSET(Flow_WORKER, flow, worker);
OFFSET(Flow_TCP_FLAGS, flow, tcp_flags);
OFFSET(Flow_STEP_COUNT, flow, step_count);
OFFSET(Flow_FIRST_STEP, flow, first_step);
OFFSET(Flow_LEAST_MTU, flow, least_mtu);
OFFSET(Flow_MOST_TTL, flow, most_ttl);
OFFSET(Flow_LIFE, flow, life);
OFFSET(Flow_STEP, flow, step);

NUMBER(Remote_SIZE, sizeof(struct remote));
OFFSET(Remote_FLAGS, remote, flags);
OFFSET(Remote_IFINDEX, remote, ifindex);
OFFSET(Remote_DST, remote, dst);
OFFSET(Remote_SRC, remote, src);
OFFSET(Remote_DST_MAC, remote, dst_mac);
OFFSET(Remote_SRC_MAC, remote, src_mac);
OFFSET(Remote_V4_SUM, remote, v4_sum);
OFFSET(Remote_MTU, remote, mtu);
NUMBER(Remote_DIRECT, REMOTE_DIRECT);
NUMBER(Remote_V6, REMOTE_V6);

NUMBER(Settings_SIZE, sizeof(struct settings));
OFFSET(Settings_LAYOUT_VERSION, settings, layout_version);
OFFSET(Settings_WORKERS, settings, workers);
OFFSET(Settings_TUNNEL_PORT, settings, tunnel_port);
OFFSET(Settings_VXLAN_IFINDEX, settings, vxlan_ifindex);
OFFSET(Settings_SHARE_CHUNKS, settings, share_chunks);
OFFSET(Settings_UNDERLAY_V6, settings, underlay_v6);
OFFSET(Settings_UNDERLAY, settings, underlay);
OFFSET(Settings_INCARNATION, settings, incarnation);
OFFSET(Settings_LIFE, settings, life);
OFFSET(Settings_NAMESPACE, settings, namespace);

NUMBER(Identity_SIZE, sizeof(struct identity));
OFFSET(Identity_ID_HIGH, identity, id_high);
OFFSET(Identity_ID_LOW, identity, id_low);
OFFSET(Identity_MAC, identity, mac);
OFFSET(Identity_NAMESPACE, identity, namespace);
OFFSET(Identity_IFINDEX, identity, ifindex);
OFFSET(Identity_NAME, identity, name);
NUMBER(Identity_NAME_SIZE, sizeof(((struct identity *)0)->name));

NUMBER(Upcall_SIZE, sizeof(struct upcall));
OFFSET(Upcall_LENGTH, upcall, length);
OFFSET(Upcall_IN_PORT, upcall, in_port);
OFFSET(Upcall_TUNNEL_KEY, upcall, tunnel_key);
OFFSET(Upcall_REASON, upcall, reason);
OFFSET(Upcall_FLAGS, upcall, flags);
OFFSET(Upcall_GSO_SIZE, upcall, gso_size);
OFFSET(Upcall_CHUNKS, upcall, chunks);
NUMBER(Upcall_FROM_VM, UPCALL_FROM_VM);
NUMBER(Upcall_UNREAD, UPCALL_UNREAD);
NUMBER(Upcall_AGAIN, UPCALL_AGAIN);

NUMBER(Inject_SIZE, sizeof(struct inject));
OFFSET(Inject_MARK, inject, mark);
OFFSET(Inject_FLAGS, inject, flags);
OFFSET(Inject_IN_PORT, inject, in_port);
OFFSET(Inject_TUNNEL_KEY, inject, tunnel_key);
OFFSET(Inject_STEP, inject, step);
NUMBER(Inject_LOOKUP, INJECT_LOOKUP);
NUMBER(Inject_NO_PUNT, INJECT_NO_PUNT);
NUMBER(Inject_SLOT_BITS, ORDER_SLOT_BITS);
NUMBER(Inject_PLACE_BITS, ORDER_PLACE_BITS);

#define DROP(why) NUMBER(FrameDrop_##why, DROP_##why)
DROP(BY_FLOW);
DROP(NO_PORT);
DROP(INGRESS_PORT);
DROP(PORT_FAILED);
DROP(UPCALL_BUDGET);
DROP(UPCALL_QUEUE_FULL);
DROP(UNKNOWN_PEER);
DROP(STALE_KEY);
DROP(BAD_TUNNEL_HEADER);
DROP(TOO_BIG);
DROP(TUNNEL_FAILED);
DROP(NOT_IP);
DROP(LOOP);
DROP(FLOOD_OVER_LIMIT);
NUMBER(FrameDrop_count, DROPS);

#define LIE(code) NUMBER(Malformed_##code, code)
LIE(TRUNCATED_ETHERNET);
LIE(TRUNCATED_VLAN);
LIE(TRUNCATED_ARP);
LIE(BAD_ARP);
LIE(TRUNCATED_IPV4);
LIE(BAD_IPV4_VERSION);
LIE(BAD_IPV4_HEADER_LENGTH);
LIE(BAD_IPV4_TOTAL_LENGTH);
LIE(BAD_IPV4_CHECKSUM);
LIE(TRUNCATED_IPV6);
LIE(BAD_IPV6_VERSION);
LIE(IPV6_TOO_MANY_EXTENSIONS);
LIE(MAPPED_ADDRESS);
LIE(BAD_FRAGMENT);
LIE(TINY_FRAGMENT);
LIE(TRUNCATED_TCP);
LIE(BAD_TCP_DATA_OFFSET);
LIE(TRUNCATED_UDP);
LIE(BAD_UDP_LENGTH);
LIE(TRUNCATED_ICMP);
LIE(FRAME_TOO_LONG);
LIE(TRUNCATED_SAL);
LIE(BAD_SAL_LENGTH);
LIE(SAL_TOO_MANY_EXTENSIONS);
LIE(UNKNOWN_SAL_EXTENSION);
LIE(BAD_SAL_EXTENSION_LENGTH);
LIE(SAL_EXTENSIONS_PAST_END);
LIE(SECOND_SAL_CONTROL);
LIE(THIRD_SAL_SERVICE);
LIE(SECOND_SAL_SOURCE);
LIE(SHORT_SAL_SOURCE);
LIE(SAL_SYN_WITHOUT_SERVICE);
LIE(SAL_SYN_WITH_RST);
LIE(BAD_SAL_CHECKSUM);
NUMBER(Malformed_count, MALFORMED_CODES - 1);
