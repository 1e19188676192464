/* SPDX-License-Identifier: Apache-2.0 */
/* Rewrites of a step, checksums included (RFC 1624), whether the kernel has finished them or leaves them to a device. */
#pragma once

#include "parse.h"

#define IP_CHECK (__builtin_offsetof(struct iphdr, check))
#define TCP_CHECK (__builtin_offsetof(struct tcphdr, check))
#define UDP_CHECK (__builtin_offsetof(struct udphdr, check))
#define ICMP_CHECK (__builtin_offsetof(struct icmphdr, checksum))

/* Where the L4 checksum is and how it is corrected; 0: there is none to correct. */
static __always_inline __u32 l4_check(const struct parsed *p, __u64 *flags)
{
	*flags = 0;
	if (!p->l4)
		return 0;
	if (p->protocol == IPPROTO_TCP)
		return p->l4 + TCP_CHECK;
	if (p->protocol == IPPROTO_UDP) {
		*flags = BPF_F_MARK_MANGLED_0;
		return p->l4 + UDP_CHECK;
	}
	if (p->v6 && p->protocol == IPPROTO_ICMPV6)
		return p->l4 + ICMP_CHECK;
	return 0;
}

static __always_inline int set_v4(struct __sk_buff *skb, const struct parsed *p, __u32 at, __be32 to)
{
	__u64 flags;
	__u32 check = l4_check(p, &flags);
	__be32 from;

	if (bpf_skb_load_bytes(skb, p->l3 + at, &from, sizeof(from)))
		return -1;
	if (from == to)
		return 0;
	if (check && bpf_l4_csum_replace(skb, check, from, to, flags | BPF_F_PSEUDO_HDR | sizeof(to)))
		return -1;
	if (bpf_l3_csum_replace(skb, p->l3 + IP_CHECK, from, to, sizeof(to)))
		return -1;
	return bpf_skb_store_bytes(skb, p->l3 + at, &to, sizeof(to), 0);
}

static __always_inline int set_v6(struct __sk_buff *skb, const struct parsed *p, __u32 at, const __u8 *to)
{
	__u64 flags;
	__u32 check = l4_check(p, &flags);
	__be32 from[4], next[4];

	__builtin_memcpy(next, to, sizeof(next));
	if (bpf_skb_load_bytes(skb, p->l3 + at, from, sizeof(from)))
		return -1;
	if (check) {
		__s64 difference = bpf_csum_diff(from, sizeof(from), next, sizeof(next), 0);

		if (difference < 0 || bpf_l4_csum_replace(skb, check, 0, difference, flags | BPF_F_PSEUDO_HDR))
			return -1;
	}
	return bpf_skb_store_bytes(skb, p->l3 + at, next, sizeof(next), 0);
}

/* Addresses of the packet's own family only. */
static __always_inline int set_address(struct __sk_buff *skb, const struct parsed *p, bool source, const __u8 *to)
{
	const struct in6_addr *address = (const struct in6_addr *)to;

	if (is_mapped(address) == p->v6)
		return 0;
	if (p->v6)
		return set_v6(skb, p, source ? __builtin_offsetof(struct ipv6hdr, saddr)
					     : __builtin_offsetof(struct ipv6hdr, daddr), to);
	return set_v4(skb, p, source ? __builtin_offsetof(struct iphdr, saddr) : __builtin_offsetof(struct iphdr, daddr),
		      address->in6_u.u6_addr32[3]);
}

static __always_inline int set_port(struct __sk_buff *skb, const struct parsed *p, __u32 at, __be16 to)
{
	__u64 flags;
	__u32 check = l4_check(p, &flags);
	__be16 from;

	if (!p->l4 || (p->protocol != IPPROTO_TCP && p->protocol != IPPROTO_UDP))
		return 0;
	if (bpf_skb_load_bytes(skb, p->l4 + at, &from, sizeof(from)))
		return -1;
	if (from == to)
		return 0;
	if (bpf_l4_csum_replace(skb, check, from, to, flags | sizeof(to)))
		return -1;
	return bpf_skb_store_bytes(skb, p->l4 + at, &to, sizeof(to), 0);
}

static __always_inline int set_icmp_id(struct __sk_buff *skb, const struct parsed *p, __be16 to)
{
	__u32 at = p->l4 + __builtin_offsetof(struct icmphdr, un.echo.id);
	__be16 from;
	__u8 type;

	if (!p->l4 || p->protocol != (p->v6 ? IPPROTO_ICMPV6 : IPPROTO_ICMP) ||
	    bpf_skb_load_bytes(skb, p->l4, &type, sizeof(type)))
		return 0;
	if (p->v6 ? type != 128 && type != 129 : type != ICMP_ECHO && type != ICMP_ECHOREPLY)
		return 0;
	if (bpf_skb_load_bytes(skb, at, &from, sizeof(from)) ||
	    bpf_l4_csum_replace(skb, p->l4 + ICMP_CHECK, from, to, sizeof(to)))
		return -1;
	return bpf_skb_store_bytes(skb, at, &to, sizeof(to), 0);
}

/* ECN, the two low bits, stays. */
static __always_inline int set_dscp(struct __sk_buff *skb, const struct parsed *p, __u8 dscp)
{
	__be16 from, to;

	if (bpf_skb_load_bytes(skb, p->l3, &from, sizeof(from)))
		return -1;
	if (p->v6) {
		to = (from & bpf_htons(0xf03f)) | bpf_htons((__u16)dscp << 6);
	} else {
		to = (from & bpf_htons(0xff03)) | bpf_htons((__u16)dscp << 2);
		if (bpf_l3_csum_replace(skb, p->l3 + IP_CHECK, from, to, sizeof(to)))
			return -1;
	}
	return bpf_skb_store_bytes(skb, p->l3, &to, sizeof(to), 0);
}

__noinline int rewrite_l3_l4(struct __sk_buff *skb, const struct step *step, const struct parsed *p)
{
	long failed = 0;

	if (!step || !p)
		return -1;
	if (step->set & SET_SRC)
		failed |= set_address(skb, p, true, step->src);
	if (step->set & SET_DST)
		failed |= set_address(skb, p, false, step->dst);
	if (step->set & SET_L4_SRC)
		failed |= set_port(skb, p, 0, step->l4_src);
	if (step->set & SET_L4_DST)
		failed |= set_port(skb, p, 2, step->l4_dst);
	if (step->set & SET_ICMP_ID)
		failed |= set_icmp_id(skb, p, step->icmp_id);
	if (step->set & SET_DSCP)
		failed |= set_dscp(skb, p, step->dscp);
	return failed ? -1 : 0;
}

/* The MSS option of a SYN, lowered (RFC 9293 §3.7.1); options are read as one block. */
__noinline int clamp_mss(struct __sk_buff *skb, const struct parsed *p, __u32 mtu)
{
	__u8 options[40] = {};
	__u32 headers, length, most, i = 0;

	if (!p)
		return 0;
	headers = p->v6 ? 60 : 40;
	length = p->tcp_header - sizeof(struct tcphdr);
	if (mtu <= headers || !p->l4 || length < 4 || length > sizeof(options))
		return 0;
	most = mtu - headers;
	if (bpf_skb_load_bytes(skb, p->l4 + sizeof(struct tcphdr), options, length))
		return 0;
	for (int rounds = 0; rounds < 16; rounds++) {
		__u8 kind, size;

		if (i > 36 || i + 4 > length)
			return 0;
		kind = options[i];
		if (kind == 0)
			return 0;
		if (kind == 1) {
			i++;
			continue;
		}
		size = options[i + 1];
		if (kind == 2 && size == 4) {
			__be16 from = bpf_htons(options[i + 2] << 8 | options[i + 3]);
			__be16 to = bpf_htons(most);
			__u32 at = p->l4 + sizeof(struct tcphdr) + i + 2;

			if (bpf_ntohs(from) <= most)
				return 0;
			/* Sums are of 16-bit words: at an odd place the octets change sides. */
			if (i & 1)
				bpf_l4_csum_replace(skb, p->l4 + TCP_CHECK, from << 8 | from >> 8, to << 8 | to >> 8,
						    sizeof(to));
			else
				bpf_l4_csum_replace(skb, p->l4 + TCP_CHECK, from, to, sizeof(to));
			return bpf_skb_store_bytes(skb, at, &to, sizeof(to), 0);
		}
		if (size < 2)
			return 0;
		i += size;
	}
	return 0;
}

static __always_inline int decrement_ttl(struct __sk_buff *skb, const struct parsed *p, __u8 by)
{
	void *data = (void *)(long)skb->data;
	void *end = (void *)(long)skb->data_end;
	__u32 l3 = p->l3;

	if (l3 != ETH_HLEN && l3 != ETH_HLEN + 4)
		return -1;
	if (p->v6) {
		struct ipv6hdr *ip = data + l3;

		if ((void *)(ip + 1) > end)
			return -1;
		ip->hop_limit -= by;
	} else {
		struct iphdr *ip = data + l3;
		__u32 sum;

		if ((void *)(ip + 1) > end)
			return -1;
		ip->ttl -= by;
		sum = bpf_ntohs(ip->check) + ((__u32)by << 8);
		ip->check = bpf_htons(sum + (sum >> 16));
	}
	return 0;
}

static __always_inline int set_macs(struct __sk_buff *skb, const struct step *step)
{
	void *data = (void *)(long)skb->data;

	if (data + ETH_HLEN > (void *)(long)skb->data_end)
		return -1;
	if (step->set & SET_DST_MAC)
		__builtin_memcpy(data, step->macs, 6);
	if (step->set & SET_SRC_MAC)
		__builtin_memcpy(data + 6, step->macs + 6, 6);
	return 0;
}
