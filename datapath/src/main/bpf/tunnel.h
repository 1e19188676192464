/* SPDX-License-Identifier: Apache-2.0 */
/* VXLAN (RFC 7348) put on and taken off here, or left to the kernel's device where that does it better. */
#pragma once

#include "parse.h"

#define VXLAN_I 0x08000000
#define UDP_SOURCE_BASE 0xc000 /* RFC 6335 §6: dynamic ports, so that fabrics spread flows */

struct vxlan_header {
	__be32 flags;
	__be32 vni; /* 31..8 */
};

struct outer_v4 {
	struct ethhdr ethernet;
	struct iphdr ip;
	struct udphdr udp;
	struct vxlan_header vxlan;
} __attribute__((packed));

struct outer_v6 {
	struct ethhdr ethernet;
	struct ipv6hdr ip;
	struct udphdr udp;
	struct vxlan_header vxlan;
} __attribute__((packed));

#define OVERHEAD_V4 (sizeof(struct outer_v4))
#define OVERHEAD_V6 (sizeof(struct outer_v6))
_Static_assert(sizeof(struct outer_v4) == 50, "outer headers");
_Static_assert(sizeof(struct outer_v6) == 70, "outer headers");

#define ENCAP_FLAGS                                                                                                    \
	(BPF_F_ADJ_ROOM_ENCAP_L4_UDP | BPF_F_ADJ_ROOM_ENCAP_L2_ETH | BPF_F_ADJ_ROOM_ENCAP_L2(ETH_HLEN) |                   \
	 BPF_F_ADJ_ROOM_FIXED_GSO | BPF_F_ADJ_ROOM_NO_CSUM_RESET)
/* <linux/bpf.h> of 6.3 and later; without it the inner family would have to be the outer one. */
#define ADJ_ROOM_DECAP_L3_IPV4 (1ULL << 7)
#define ADJ_ROOM_DECAP_L3_IPV6 (1ULL << 8)

/* The kernel resolves, fragments and finishes what we would rather not. */
static __always_inline int mark_for_device(struct __sk_buff *skb, const struct remote *remote, __u32 key,
					   const struct settings *s)
{
	struct bpf_tunnel_key tunnel = {};
	__u64 flags = BPF_F_ZERO_CSUM_TX;

	tunnel.tunnel_id = key;
	tunnel.tunnel_ttl = 64;
	if (remote->flags & REMOTE_V6) {
		flags |= BPF_F_TUNINFO_IPV6;
		__builtin_memcpy(tunnel.remote_ipv6, remote->dst, 16);
	} else {
		__be32 v4;

		__builtin_memcpy(&v4, remote->dst + 12, 4);
		tunnel.remote_ipv4 = bpf_ntohl(v4);
	}
	return bpf_skb_set_tunnel_key(skb, &tunnel, sizeof(tunnel), flags);
}

static __always_inline int encapsulate_v4(struct __sk_buff *skb, const struct remote *remote, __u32 key, __u64 hash,
					  __u16 tunnel_port)
{
	__u32 inner = skb->len;
	struct ethhdr saved;
	struct outer_v4 *outer;
	struct ethhdr *inner_ethernet;
	void *data = (void *)(long)skb->data;
	__u64 sum;
	__u16 length;

	if (data + ETH_HLEN > (void *)(long)skb->data_end)
		return -1;
	__builtin_memcpy(&saved, data, sizeof(saved));
	if (bpf_skb_adjust_room(skb, OVERHEAD_V4, BPF_ADJ_ROOM_MAC, BPF_F_ADJ_ROOM_ENCAP_L3_IPV4 | ENCAP_FLAGS))
		return -1;
	outer = (void *)(long)skb->data;
	inner_ethernet = (void *)(outer + 1);
	if ((void *)(inner_ethernet + 1) > (void *)(long)skb->data_end)
		return -1;
	length = inner + OVERHEAD_V4 - ETH_HLEN;
	__builtin_memcpy(outer->ethernet.h_dest, remote->dst_mac, 6);
	__builtin_memcpy(outer->ethernet.h_source, remote->src_mac, 6);
	outer->ethernet.h_proto = bpf_htons(ETH_P_IP);
	*((__u8 *)outer + ETH_HLEN) = 0x45;
	outer->ip.tos = 0;
	outer->ip.tot_len = bpf_htons(length);
	outer->ip.id = 0;
	outer->ip.frag_off = bpf_htons(0x4000);
	outer->ip.ttl = 64;
	outer->ip.protocol = IPPROTO_UDP;
	__builtin_memcpy(&outer->ip.saddr, remote->src + 12, 4);
	__builtin_memcpy(&outer->ip.daddr, remote->dst + 12, 4);
	sum = remote->v4_sum + (__u32)bpf_htons(length);
	sum = (sum & 0xffff) + (sum >> 16);
	sum = (sum & 0xffff) + (sum >> 16);
	outer->ip.check = ~sum;
	outer->udp.source = bpf_htons(UDP_SOURCE_BASE | (hash & 0x3fff));
	outer->udp.dest = bpf_htons(tunnel_port);
	outer->udp.len = bpf_htons(length - sizeof(struct iphdr));
	outer->udp.check = 0;
	outer->vxlan.flags = bpf_htonl(VXLAN_I);
	outer->vxlan.vni = bpf_htonl(key << 8);
	__builtin_memcpy(inner_ethernet, &saved, sizeof(saved));
	return 0;
}

static __always_inline int encapsulate_v6(struct __sk_buff *skb, const struct remote *remote, __u32 key, __u64 hash,
					  __u16 tunnel_port)
{
	__u32 inner = skb->len;
	struct ethhdr saved;
	struct outer_v6 *outer;
	struct ethhdr *inner_ethernet;
	void *data = (void *)(long)skb->data;
	__u16 length;

	if (data + ETH_HLEN > (void *)(long)skb->data_end)
		return -1;
	__builtin_memcpy(&saved, data, sizeof(saved));
	if (bpf_skb_adjust_room(skb, OVERHEAD_V6, BPF_ADJ_ROOM_MAC, BPF_F_ADJ_ROOM_ENCAP_L3_IPV6 | ENCAP_FLAGS))
		return -1;
	outer = (void *)(long)skb->data;
	inner_ethernet = (void *)(outer + 1);
	if ((void *)(inner_ethernet + 1) > (void *)(long)skb->data_end)
		return -1;
	length = inner + sizeof(struct udphdr) + sizeof(struct vxlan_header);
	__builtin_memcpy(outer->ethernet.h_dest, remote->dst_mac, 6);
	__builtin_memcpy(outer->ethernet.h_source, remote->src_mac, 6);
	outer->ethernet.h_proto = bpf_htons(ETH_P_IPV6);
	*(__be32 *)((__u8 *)outer + ETH_HLEN) = bpf_htonl(0x60000000 | (hash & 0xfffff));
	outer->ip.payload_len = bpf_htons(length);
	outer->ip.nexthdr = IPPROTO_UDP;
	outer->ip.hop_limit = 64;
	__builtin_memcpy(&outer->ip.saddr, remote->src, 16);
	__builtin_memcpy(&outer->ip.daddr, remote->dst, 16);
	outer->udp.source = bpf_htons(UDP_SOURCE_BASE | (hash & 0x3fff));
	outer->udp.dest = bpf_htons(tunnel_port);
	outer->udp.len = bpf_htons(length);
	outer->udp.check = 0; /* RFC 6935: allowed for tunnels */
	outer->vxlan.flags = bpf_htonl(VXLAN_I);
	outer->vxlan.vni = bpf_htonl(key << 8);
	__builtin_memcpy(inner_ethernet, &saved, sizeof(saved));
	return 0;
}

/* Takes the outer headers off a frame that carries IP. */
static __noinline int decapsulate(struct __sk_buff *skb, __u32 overhead, bool v6_inside)
{
	struct ethhdr inner;
	__u64 flags = BPF_F_ADJ_ROOM_FIXED_GSO | BPF_F_ADJ_ROOM_NO_CSUM_RESET;
	void *data;

	if (bpf_skb_load_bytes(skb, overhead, &inner, sizeof(inner)))
		return -1;
	flags |= v6_inside ? ADJ_ROOM_DECAP_L3_IPV6 : ADJ_ROOM_DECAP_L3_IPV4;
	if (bpf_skb_adjust_room(skb, -(__s32)overhead, BPF_ADJ_ROOM_MAC, flags))
		return -1;
	data = (void *)(long)skb->data;
	if (data + sizeof(inner) > (void *)(long)skb->data_end)
		return -1;
	__builtin_memcpy(data, &inner, sizeof(inner));
	return 0;
}
