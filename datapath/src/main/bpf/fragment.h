/* SPDX-License-Identifier: Apache-2.0 */
/* Later fragments have no L4 header: their key gets what the first one of their packet had. */
#pragma once

#include "parse.h"

static __always_inline bool is_icmp(const struct parsed *p)
{
	return p->protocol == (p->v6 ? IPPROTO_ICMPV6 : IPPROTO_ICMP);
}

/* dev.weft.datapath.soft.FirstFragments: what a first fragment tells, 0: nothing. */
static __always_inline __u32 l4_of(const struct flow_key *key, const struct parsed *p)
{
	if (is_icmp(p))
		return (key->w[7] >> 16 & 0xff) << 24 | (key->w[7] & 0xff) << 16 | key->w[8] >> 48;
	return p->protocol == IPPROTO_TCP || p->protocol == IPPROTO_UDP ? key->w[7] : 0;
}

/* A first fragment teaches; a later one learns, if it comes behind. */
static __noinline int complete_key(struct __sk_buff *skb, struct flow_key *key, const struct parsed *p)
{
	struct fragmented packet = {};
	struct first_fragment *known, seen = {};
	__u64 now = bpf_ktime_get_coarse_ns();

	if (bpf_skb_load_bytes(skb, p->v6 ? p->fragment_at + 4 : p->l3 + 4, &packet.id, p->v6 ? 4 : 2))
		return 0;
	packet.ingress = key->w[0];
	packet.src_high = key->w[3];
	packet.src_low = key->w[4];
	packet.dst_high = key->w[5];
	packet.dst_low = key->w[6];
	packet.protocol = p->protocol;
	if (p->fragment == FIRST_FRAGMENT) {
		seen.seen_nanos = now;
		seen.l4 = l4_of(key, p);
		if (seen.l4)
			bpf_map_update_elem(&fragments, &packet, &seen, BPF_ANY);
		return 0;
	}
	known = bpf_map_lookup_elem(&fragments, &packet);
	if (!known || now - known->seen_nanos > FRAGMENT_NANOS)
		return 0;
	if (is_icmp(p)) {
		key->w[7] |= (known->l4 >> 24) << 16 | (known->l4 >> 16 & 0xff);
		key->w[8] |= (__u64)(known->l4 & 0xffff) << 48;
	} else {
		key->w[7] |= known->l4;
	}
	return 0;
}
