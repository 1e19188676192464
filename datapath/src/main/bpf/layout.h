/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the kernel programs and the agent share: every struct here has its twin in dev.weft.datapath.ebpf.Layout, held
 * together by the assertions below and by a test of the same numbers. All integers are in host byte order unless said
 * otherwise. Change anything and LAYOUT_VERSION goes up: pinned maps of another version are not adopted.
 */
#pragma once

#include <linux/types.h>
#include <stdbool.h>

#define LAYOUT_VERSION 5

#define MAX_PORTS 4096   /* port numbers are 1..4094; 0 is the tunnel */
#define STATE_PORT 4095 /* state frames have a share of the rings of their own */
#define LOW_INTERFACES 65536
#define MAX_MASKS 4096
#define PORT_MASKS 64 /* beside the exact one */
#define MAX_REMOTES 4096
#define HINTS 16384
#define CHUNK 2048 /* the unit in which a port's share of a ring is counted */

/*
 * A flow key: the ten words of dev.weft.sim.flow.FlowKey, but for bits 31..16 of word 0, which hold the number of the
 * mask that was laid over the key (0: none, as read from a packet; mask 1 has every bit).
 */
#define KEY_WORDS 10
#define EXACT_MASK 1

struct flow_key {
	__u64 w[KEY_WORDS];
};

#define PORT_UP 1
#define PORT_PEER 2 /* the other end is in reach of bpf_redirect_peer */
#define PORT_TAP 4  /* a program reads it: no tunnel mark may be left on super-packets */

/* `ports`, by port number. Written by the agent through its mapping, a field at a time. */
struct port {
	__u32 ifindex; /* 0: not attached */
	__u32 flags;
	__u32 mtu; /* of layer 3 */
	__u32 mask_count;
	__u16 masks[PORT_MASKS + 8]; /* those with flows here, the exact one first */
	__u32 rate;              /* upcalls per second */
	__u32 capture;           /* above 0: a copy of each packet goes to user space */
	__u32 flood_rate;        /* per second */
	__u32 reserved; /* entries of an array are multiples of 8 long */
};
_Static_assert(sizeof(struct port) == 176, "struct port");

/* `port_counters`, by port number, per CPU. */
struct port_counters {
	__u64 received_packets;
	__u64 received_bytes;
	__u64 sent_packets;
	__u64 sent_bytes;
	__u64 hits;
	__u64 misses;
	__u64 upcalls;
	__u64 over_budget;
};

/* `budgets`, by port number: a token bucket of one second's upcalls, another of its floods. */
struct budget {
	__u64 refilled_nanos;
	__u64 tokens_nanos; /* time that was saved up: one token is 10^9 / rate of it */
};

#define SET_DST_MAC 1
#define SET_SRC_MAC 2
#define SET_SRC 4
#define SET_DST 8
#define SET_L4_SRC 16
#define SET_L4_DST 32
#define SET_ICMP_ID 64
#define SET_DSCP 128
#define PUSH_VLAN 256
#define POP_VLAN 512
#define SET_L3_L4 (SET_SRC | SET_DST | SET_L4_SRC | SET_L4_DST | SET_ICMP_ID | SET_DSCP)
#define SET_ANY_VLAN (PUSH_VLAN | POP_VLAN)

#define OUT_NONE 0
#define OUT_PORT 1
#define OUT_TUNNEL 2

/* Rewrites, and one way out after them. */
struct step {
	__u16 set;
	__u8 out;
	__u8 ttl;     /* how often to decrement */
	__u16 mtu;    /* of layer 3; 0: any */
	__u16 tci;
	__u8 macs[12]; /* destination, source */
	__be16 l4_src;
	__be16 l4_dst;
	__be16 icmp_id;
	__u8 dscp;
	__u8 reserved;
	__u32 target; /* port number, or tunnel key */
	__u32 remote; /* of a tunnel: index in `remotes` */
	__u8 src[16]; /* network order; IPv4 mapped */
	__u8 dst[16];
};
_Static_assert(sizeof(struct step) == 68, "struct step");

/* `flows`. */
struct flow {
	__u64 packets;
	__u64 bytes;
	__u64 used_nanos; /* CLOCK_MONOTONIC_COARSE; 0: never */
	__u64 id;         /* its worker's number for it */
	__u32 first_step;
	__u8 worker;
	__u8 tcp_flags;   /* FIN and RST, if a packet that it carried had them */
	__u16 step_count; /* 0: drop, 1: `step`, more: that many of `steps` from first_step on */
	__u16 least_mtu;  /* of all steps; 0: any */
	__u8 most_ttl;    /* of all steps together */
	__u8 life;        /* of the process that installed it: another one's flow has no owner yet */
	struct step step;
};
_Static_assert(sizeof(struct flow) == 112, "struct flow");

#define REMOTE_DIRECT 1 /* the outer headers are known: no device, no stack between */
#define REMOTE_V6 2

/* `remotes`: hosts at the other end of tunnels. */
struct remote {
	__u32 flags;
	__u32 ifindex; /* the underlay interface towards it */
	__u8 dst[16];  /* network order; IPv4 mapped */
	__u8 src[16];
	__u8 dst_mac[6];
	__u8 src_mac[6];
	__u32 v4_sum; /* of the outer IPv4 header with length and checksum 0, not folded */
	__u32 mtu;    /* of the inner frame behind its Ethernet header, that the underlay carries */
	__u32 reserved;
};
_Static_assert(sizeof(struct remote) == 64, "struct remote");

/* `tunnel_keys`: key to port number, or TO_WORKER. */
#define TO_WORKER (-1)
#define STATE_KEY 0xffffff
#define PROBE_KEY 0xfffffe

/* `settings`, one. Written by the agent through its mapping. */
struct settings {
	__u32 layout_version;
	__u32 workers;
	__u32 tunnel_port; /* UDP */
	__u32 vxlan_ifindex;
	__u32 share_chunks; /* of a ring, per port */
	__u32 underlay_v6;
	__u8 underlay[16]; /* network order; IPv4 mapped */
	__u64 incarnation; /* of these maps, drawn when they were made */
	__u32 life;        /* of the process that has them now, 1..255 */
	__u32 reserved;
	__u64 namespace; /* inode of the one that ports and devices are in */
};
_Static_assert(sizeof(struct settings) == 64, "struct settings");

/* `identities`, by port number: which interface it is, so that a process to come can tell. Never read by the kernel. */
struct identity {
	__u64 id_high; /* of the virtual port */
	__u64 id_low;
	__u64 mac;
	__u64 namespace; /* inode */
	__u32 ifindex;   /* 0: nothing is attached */
	__u32 reserved;
	char name[24];
};
_Static_assert(sizeof(struct identity) == 64, "struct identity");

/* `fragments`: the fragments of one packet. */
#define FRAGMENTS 4096
#define FRAGMENT_NANOS 30000000000ULL /* a later fragment may follow its first so long: RFC 791, RFC 8200 §4.5 */

struct fragmented {
	__u64 ingress; /* word 0 of their keys */
	__u64 src_high;
	__u64 src_low;
	__u64 dst_high;
	__u64 dst_low;
	__u32 id;
	__u32 protocol;
};
_Static_assert(sizeof(struct fragmented) == 48, "struct fragmented");

struct first_fragment {
	__u64 seen_nanos; /* CLOCK_MONOTONIC_COARSE */
	__u32 l4;         /* ports: source 31..16, destination 15..0. ICMP: type 31..24, code 23..16, echo id 15..0 */
	__u32 reserved;
};
_Static_assert(sizeof(struct first_fragment) == 16, "struct first_fragment");

#define MISS 0
#define TTL_EXPIRED 1
#define MTU_EXCEEDED 2

#define UPCALL_UNREAD 1  /* without a key */
#define UPCALL_AGAIN 2   /* seen by user space before */
#define UPCALL_FROM_VM 1 /* of a capture */

/* A record of a ring: this, then the frame. */
struct upcall {
	__u32 length; /* of the frame, a VLAN tag included */
	__u32 in_port;
	__u32 tunnel_key;
	__u16 reason;
	__u16 flags;
	__u32 gso_size; /* of a super-packet, else 0 */
	__u32 chunks;   /* of the port's share */
	__u32 reserved[2];
};
_Static_assert(sizeof(struct upcall) == 32, "struct upcall");

#define INJECT_LOOKUP 1  /* through the flow table once more instead of the step */
#define INJECT_NO_PUNT 2 /* too long: only count */

/*
 * `orders`: what to do with an injected frame, whose mark is that of its orders: slot of the worker in the lowest bits,
 * then the worker, then how often all of its slots were used. A slot is used again long after its frame was treated; one
 * whose mark is another has been overtaken.
 */
#define ORDER_SLOT_BITS 12
#define ORDER_PLACE_BITS 19 /* slot and worker */

struct inject {
	__u32 mark;
	__u32 flags;
	__u32 in_port;
	__u32 tunnel_key;
	struct step step;
	__u32 reserved; /* entries of an array are multiples of 8 long */
};
_Static_assert(sizeof(struct inject) == 88, "struct inject");

/* `drops`, per CPU, and the order of dev.weft.datapath.FrameDrop. */
enum drop {
	DROP_BY_FLOW,
	DROP_NO_PORT,
	DROP_INGRESS_PORT,
	DROP_PORT_FAILED,
	DROP_UPCALL_BUDGET,
	DROP_UPCALL_QUEUE_FULL,
	DROP_UNKNOWN_PEER,
	DROP_STALE_KEY,
	DROP_BAD_TUNNEL_HEADER,
	DROP_TOO_BIG,
	DROP_TUNNEL_FAILED,
	DROP_NOT_IP,
	DROP_LOOP,
	DROP_FLOOD_OVER_LIMIT,
	DROPS
};

/* `malformed`, per CPU: the codes of dev.weft.sim.packet.Malformed. `parse` returns them negated. */
enum malformed {
	TRUNCATED_ETHERNET = 1,
	TRUNCATED_VLAN,
	TRUNCATED_ARP,
	BAD_ARP,
	TRUNCATED_IPV4,
	BAD_IPV4_VERSION,
	BAD_IPV4_HEADER_LENGTH,
	BAD_IPV4_TOTAL_LENGTH,
	BAD_IPV4_CHECKSUM,
	TRUNCATED_IPV6,
	BAD_IPV6_VERSION,
	IPV6_TOO_MANY_EXTENSIONS,
	MAPPED_ADDRESS,
	BAD_FRAGMENT,
	TINY_FRAGMENT,
	TRUNCATED_TCP,
	BAD_TCP_DATA_OFFSET,
	TRUNCATED_UDP,
	BAD_UDP_LENGTH,
	TRUNCATED_ICMP,
	FRAME_TOO_LONG,
	TRUNCATED_SAL,
	BAD_SAL_LENGTH,
	/* The rest is found out in user space. */
	SAL_TOO_MANY_EXTENSIONS,
	UNKNOWN_SAL_EXTENSION,
	BAD_SAL_EXTENSION_LENGTH,
	SAL_EXTENSIONS_PAST_END,
	SECOND_SAL_CONTROL,
	THIRD_SAL_SERVICE,
	SECOND_SAL_SOURCE,
	SHORT_SAL_SOURCE,
	SAL_SYN_WITHOUT_SERVICE,
	SAL_SYN_WITH_RST,
	BAD_SAL_CHECKSUM,
	MALFORMED_CODES
};

/* `counters`, per CPU. */
enum counter {
	COUNT_DELIVERED,
	COUNT_STATE_FRAMES,
	COUNT_TUNNEL_UPCALLS,
	COUNT_CAPTURES_MISSED,
	COUNTERS
};
