/* SPDX-License-Identifier: Apache-2.0 */
/*
 * From a frame to its key, as dev.weft.sim.packet.PacketParser does it, check by check; a test runs both over the same
 * frames. Below 0 the frame is malformed; UNREAD says that it has more headers than are looked at here: user space will.
 */
#pragma once

#include <linux/if_ether.h>
#include <linux/ip.h>
#include <linux/ipv6.h>
#include <linux/tcp.h>
#include <linux/udp.h>

#include <linux/in.h>

#include "maps.h"

/* <linux/icmp.h> draws in the C library's headers, which are of another machine. RFC 792, RFC 4443. */
struct icmphdr {
	__u8 type;
	__u8 code;
	__be16 checksum;
	union {
		struct {
			__be16 id;
			__be16 sequence;
		} echo;
		__be32 word;
	} un;
};
#define ICMP_ECHOREPLY 0
#define ICMP_ECHO 8

#define NOT_FRAGMENT 0
#define FIRST_FRAGMENT 1
#define LATER_FRAGMENT 2
#define TCP_FIN_SYN_RST 0x07
#define TCP_FIN_RST 0x05
#define TCP_SYN_ACK 0x12
#define TCP_SYN 0x02
#define TCP_OPENS 0x80 /* of a key: SYN without ACK */
#define VLAN_PRESENT 0x1000
#define MAX_EXTENSIONS 8
#define LONGEST_HEADERS 192
#define UNREAD 1

struct parsed {
	__u32 in_band_tag; /* octets of a tag between MACs and type: 0 or 4 */
	__u32 l3;          /* offset of the IP header; 0: not IP */
	__u32 l4;          /* offset of the L4 header; 0: none, or a later fragment */
	__u8 v6;
	__u8 protocol;
	__u8 fragment;
	__u8 ttl;
	__u8 tcp_header; /* octets */
	__u8 tcp_flags;
	__u16 fragment_at; /* offset of the IPv6 fragment header */
};

/* What a program has found in its frame, where its stack is needed for other things; one frame at a time. */
struct sight {
	struct flow_key key;
	struct parsed parsed;
};

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct sight);
} sights SEC(".maps");

static __always_inline struct sight *new_sight(__u64 ingress)
{
	__u32 zero = 0;
	struct sight *sight = bpf_map_lookup_elem(&sights, &zero);

	if (sight) {
		__builtin_memset(sight, 0, sizeof(*sight));
		sight->key.w[0] = ingress;
	}
	return sight;
}

struct vlan_header {
	__be16 tci;
	__be16 type;
};

static __always_inline __u64 transport_word(__u8 protocol, __u8 dscp, __u8 fragment, __u8 flags, __u16 src, __u16 dst)
{
	return (__u64)protocol << 56 | (__u64)dscp << 48 | (__u64)fragment << 40 | (__u64)flags << 32 | (__u32)src << 16 |
	       dst;
}

/* Serval, as dev.weft.sim.sal.SalKey reads it. */
#define PROTOCOL_SAL 144
#define SAL_CLIENT_PORT 54324
#define SAL_SERVER_PORT 54325
#define SAL_HEADER 12
#define SAL_CONTROL 1
#define SAL_CONTROL_LENGTH 20
#define SAL_SERVICE 2
#define SAL_SERVICE_LENGTH 36
#define SAL_KEY_FLAGS 0xec
#define SAL_OTHER_ORDER 0x01
#define SAL_NAMES_SERVICE 0x02

static __always_inline __u64 sal_digest(const __be64 *id)
{
	__u64 h = 0x57656674;

#pragma unroll
	for (int i = 0; i < 4; i++) {
		h = (h ^ bpf_be64_to_cpu(id[i])) * 0x9e3779b97f4a7c15ULL;
		h ^= h >> 32;
	}
	return h;
}

/* By copy: Serval headers are rare and longer than what is in sight. Returns 1 where that extension is there. */
static __always_inline bool sal_extension(struct __sk_buff *skb, __u32 at, __u32 end, __u8 type, __u8 length, __u8 *head)
{
	return end >= at + length && !bpf_skb_load_bytes(skb, at, head, 4) && head[0] >> 4 == type && head[1] == length;
}

static __noinline __u64 sal_service(struct __sk_buff *skb, __u32 at)
{
	__be64 id[4] = {};

	bpf_skb_load_bytes(skb, at, id, sizeof(id));
	return sal_digest(id);
}

/* `n` octets from `at` on are the packet's. */
static __noinline int parse_sal(struct __sk_buff *skb, __u32 at, __u32 n, bool encapsulated, struct flow_key *key)
{
	__u8 s[SAL_HEADER], head[4];
	__u64 control = 0, digest = 0;
	__u32 end, first = at + SAL_HEADER;

	if (n < SAL_HEADER)
		return encapsulated ? 0 : -TRUNCATED_SAL;
	if (bpf_skb_load_bytes(skb, at, s, sizeof(s)))
		return UNREAD;
	if (s[8] < 3 || 4 * s[8] > n)
		return encapsulated ? 0 : -BAD_SAL_LENGTH;
	if (encapsulated && s[9] != IPPROTO_TCP && s[9] != IPPROTO_UDP)
		return 0;
	end = at + 4 * s[8];
	if (end > first) {
		if (sal_extension(skb, first, end, SAL_CONTROL, SAL_CONTROL_LENGTH, head)) {
			control = head[2] & SAL_KEY_FLAGS;
			first += SAL_CONTROL_LENGTH;
		} else {
			control = SAL_OTHER_ORDER;
		}
		if (sal_extension(skb, first, end, SAL_SERVICE, SAL_SERVICE_LENGTH, head)) {
			control |= SAL_NAMES_SERVICE;
			digest = sal_service(skb, first + 4);
		}
	}
	key->w[8] = control << 32 | ((__u32)s[4] << 24 | (__u32)s[5] << 16 | (__u32)s[6] << 8 | s[7]);
	key->w[9] = digest;
	return 0;
}

static __always_inline bool is_sal_port(__u16 port)
{
	return port == SAL_CLIENT_PORT || port == SAL_SERVER_PORT;
}

static __always_inline int parse_transport(struct __sk_buff *skb, __u32 l4, __u32 l3_end, __u8 dscp,
					   struct flow_key *key, struct parsed *p)
{
	void *end = (void *)(long)skb->data_end;
	void *at;

	key->w[7] = transport_word(p->protocol, dscp, p->fragment, 0, 0, 0);
	if (p->fragment == LATER_FRAGMENT || p->protocol == 59)
		return 0;
	if (l4 > LONGEST_HEADERS)
		return UNREAD;
	p->l4 = l4;
	at = (void *)(long)skb->data + l4;
	if (p->protocol == IPPROTO_TCP) {
		struct tcphdr *tcp = at;

		if (l3_end < l4 + sizeof(*tcp))
			return p->fragment == NOT_FRAGMENT ? -TRUNCATED_TCP : -TINY_FRAGMENT;
		if ((void *)(tcp + 1) > end)
			return UNREAD;
		p->tcp_header = tcp->doff * 4;
		if (tcp->doff < 5 || l3_end < l4 + p->tcp_header)
			return -BAD_TCP_DATA_OFFSET;
		p->tcp_flags = ((__u8 *)tcp)[13] & TCP_FIN_SYN_RST;
		if ((((__u8 *)tcp)[13] & TCP_SYN_ACK) == TCP_SYN)
			p->tcp_flags |= TCP_OPENS;
		key->w[7] = transport_word(IPPROTO_TCP, dscp, p->fragment, p->tcp_flags, bpf_ntohs(tcp->source),
					   bpf_ntohs(tcp->dest));
	} else if (p->protocol == IPPROTO_UDP) {
		struct udphdr *udp = at;
		__u32 length;

		if (l3_end < l4 + sizeof(*udp))
			return -TRUNCATED_UDP;
		if ((void *)(udp + 1) > end)
			return UNREAD;
		length = bpf_ntohs(udp->len);
		if (length < sizeof(*udp) || (p->fragment == NOT_FRAGMENT && length > l3_end - l4))
			return -BAD_UDP_LENGTH;
		key->w[7] = transport_word(IPPROTO_UDP, dscp, p->fragment, 0, bpf_ntohs(udp->source), bpf_ntohs(udp->dest));
		if (!p->v6 && p->fragment == NOT_FRAGMENT &&
		    (is_sal_port(bpf_ntohs(udp->source)) || is_sal_port(bpf_ntohs(udp->dest))))
			return parse_sal(skb, l4 + sizeof(*udp), length - sizeof(*udp), true, key);
	} else if (p->protocol == PROTOCOL_SAL && !p->v6 && p->fragment == NOT_FRAGMENT) {
		return parse_sal(skb, l4, l3_end - l4, false, key);
	} else if (p->protocol == (p->v6 ? IPPROTO_ICMPV6 : IPPROTO_ICMP)) {
		struct icmphdr *icmp = at;
		__u8 type;

		if (l3_end < l4 + sizeof(*icmp))
			return -TRUNCATED_ICMP;
		if ((void *)(icmp + 1) > end)
			return UNREAD;
		type = icmp->type;
		key->w[7] = transport_word(p->protocol, dscp, p->fragment, 0, type, icmp->code);
		if (p->v6 ? type == 128 || type == 129 : type == ICMP_ECHO || type == ICMP_ECHOREPLY)
			key->w[8] = (__u64)bpf_ntohs(icmp->un.echo.id) << 48;
	}
	return 0;
}

static __always_inline int parse_v4(struct __sk_buff *skb, __u32 l3, __u32 length, struct flow_key *key,
				    struct parsed *p)
{
	void *end = (void *)(long)skb->data_end;
	struct iphdr *ip = (void *)(long)skb->data + l3;
	__u32 header, total, offset, data;
	__u64 sum;
	__u32 *words = (__u32 *)ip;

	if (length < l3 + sizeof(*ip))
		return -TRUNCATED_IPV4;
	if ((void *)(ip + 1) > end)
		return UNREAD;
	header = ip->ihl * 4;
	total = bpf_ntohs(ip->tot_len);
	if (ip->version != 4)
		return -BAD_IPV4_VERSION;
	if (header < sizeof(*ip))
		return -BAD_IPV4_HEADER_LENGTH;
	if (total < header)
		return -BAD_IPV4_TOTAL_LENGTH;
	if (length < l3 + total)
		return -TRUNCATED_IPV4;
	sum = (__u64)words[0] + words[1] + words[2] + words[3] + words[4];
	if (header > sizeof(*ip)) {
		__u32 options[10] = {};

		if (bpf_skb_load_bytes(skb, l3 + sizeof(*ip), options, header - sizeof(*ip)))
			return UNREAD;
		for (int i = 0; i < 10; i++)
			sum += options[i];
	}
	sum = (sum & 0xffffffff) + (sum >> 32);
	sum = (sum & 0xffff) + (sum >> 16);
	sum = (sum & 0xffff) + (sum >> 16);
	sum = (sum & 0xffff) + (sum >> 16);
	if (sum != 0xffff)
		return -BAD_IPV4_CHECKSUM;
	offset = bpf_ntohs(ip->frag_off);
	data = total - header;
	if (offset & 0x3fff) {
		__u32 first = (offset & 0x1fff) << 3;

		if (((offset & 0x2000) && (data & 7)) || first + data > 0xffff - header)
			return -BAD_FRAGMENT;
		/* RFC 1858 §3.2 */
		if (ip->protocol == IPPROTO_TCP && first == 8)
			return -TINY_FRAGMENT;
		p->fragment = first ? LATER_FRAGMENT : FIRST_FRAGMENT;
	}
	p->l3 = l3;
	p->protocol = ip->protocol;
	p->ttl = ip->ttl;
	key->w[4] = 0xffff00000000 | bpf_ntohl(ip->saddr);
	key->w[6] = 0xffff00000000 | bpf_ntohl(ip->daddr);
	return parse_transport(skb, l3 + header, l3 + total, ip->tos >> 2, key, p);
}

/*
 * Extension headers are rare: read by copy, so that the verifier has no pointers to follow. Returns the offset of what
 * follows them, or below 0 a malformed code; a quoted packet may have been cut, so that its fragments are not `whole`.
 */
static __noinline int walk_extensions(struct __sk_buff *skb, __u32 l3, __u32 l3_end, struct parsed *p, bool whole)
{
	__u32 here = l3 + sizeof(struct ipv6hdr);
	__u8 protocol = p->protocol;

	for (int i = 0; i <= MAX_EXTENSIONS; i++) {
		__u8 head[8];
		__u32 size;

		if (protocol != 0 && protocol != 43 && protocol != 44 && protocol != 51 && protocol != 60) {
			p->protocol = protocol;
			return here;
		}
		if (i == MAX_EXTENSIONS)
			return -IPV6_TOO_MANY_EXTENSIONS;
		if (l3_end < here + 8 || bpf_skb_load_bytes(skb, here, head, sizeof(head)))
			return -TRUNCATED_IPV6;
		size = protocol == 44 ? 8 : protocol == 51 ? (head[1] + 2) << 2 : (head[1] + 1) << 3;
		if (l3_end < here + size)
			return -TRUNCATED_IPV6;
		if (protocol == 44) {
			__u32 field = head[2] << 8 | head[3];
			__u32 first = field & 0xfff8;
			__u32 data = whole ? l3_end - here - 8 : 0;
			__u8 kind = first ? LATER_FRAGMENT : field & 1 ? FIRST_FRAGMENT : NOT_FRAGMENT;

			if (((field & 1) && (data & 7)) || first + data > 0xffff)
				return -BAD_FRAGMENT;
			p->fragment_at = here;
			if (kind > p->fragment)
				p->fragment = kind;
		}
		protocol = head[0];
		here += size;
		if (p->fragment == LATER_FRAGMENT) {
			p->protocol = protocol;
			return here;
		}
	}
	return -IPV6_TOO_MANY_EXTENSIONS;
}

static __always_inline bool is_mapped(const struct in6_addr *a)
{
	const __u32 *w = a->in6_u.u6_addr32;

	return !w[0] && !w[1] && w[2] == bpf_htonl(0xffff);
}

static __always_inline __u64 word_of(const struct in6_addr *a, int half)
{
	const __u32 *w = a->in6_u.u6_addr32;

	return (__u64)bpf_ntohl(w[2 * half]) << 32 | bpf_ntohl(w[2 * half + 1]);
}

static __always_inline int parse_v6(struct __sk_buff *skb, __u32 l3, __u32 length, struct flow_key *key,
				    struct parsed *p)
{
	void *end = (void *)(long)skb->data_end;
	struct ipv6hdr *ip = (void *)(long)skb->data + l3;
	__u32 l3_end, l4 = l3 + sizeof(*ip);
	__u8 dscp;
	int walked;

	if (length < l3 + sizeof(*ip))
		return -TRUNCATED_IPV6;
	if ((void *)(ip + 1) > end)
		return UNREAD;
	l3_end = l4 + bpf_ntohs(ip->payload_len);
	if (ip->version != 6)
		return -BAD_IPV6_VERSION;
	if (length < l3_end)
		return -TRUNCATED_IPV6;
	if (is_mapped(&ip->saddr) || is_mapped(&ip->daddr))
		return -MAPPED_ADDRESS;
	p->v6 = 1;
	p->l3 = l3;
	p->protocol = ip->nexthdr;
	p->ttl = ip->hop_limit;
	dscp = bpf_ntohs(*(__be16 *)ip) >> 6 & 0x3f;
	key->w[3] = word_of(&ip->saddr, 0);
	key->w[4] = word_of(&ip->saddr, 1);
	key->w[5] = word_of(&ip->daddr, 0);
	key->w[6] = word_of(&ip->daddr, 1);
	if (p->protocol == IPPROTO_TCP || p->protocol == IPPROTO_UDP || p->protocol == IPPROTO_ICMPV6)
		return parse_transport(skb, l4, l3_end, dscp, key, p);
	walked = walk_extensions(skb, l3, l3_end, p, true);
	if (walked < 0)
		return walked;
	return parse_transport(skb, walked, l3_end, dscp, key, p);
}

struct arp_packet {
	__be16 hardware;
	__be16 protocol;
	__u8 hardware_length;
	__u8 protocol_length;
	__be16 operation;
	__u8 sender_mac[6];
	__u8 sender[4];
	__u8 target_mac[6];
	__u8 target[4];
};

static __always_inline __u64 mapped_octets(const __u8 *o)
{
	return 0xffff00000000 | (__u32)o[0] << 24 | (__u32)o[1] << 16 | (__u32)o[2] << 8 | o[3];
}

static __always_inline int parse_arp(struct __sk_buff *skb, __u32 l3, struct flow_key *key)
{
	struct arp_packet *arp = (void *)(long)skb->data + l3;

	if ((void *)(arp + 1) > (void *)(long)skb->data_end)
		return -TRUNCATED_ARP;
	if (arp->hardware != bpf_htons(1) || arp->protocol != bpf_htons(ETH_P_IP) || arp->hardware_length != 6 ||
	    arp->protocol_length != 4 || bpf_ntohs(arp->operation) > 0xff)
		return -BAD_ARP;
	key->w[4] = mapped_octets(arp->sender);
	key->w[6] = mapped_octets(arp->target);
	key->w[7] = (__u64)bpf_ntohs(arp->operation) << 56;
	return 0;
}

/* Fills all of a zeroed key but the ingress. Below 0: malformed. */
static __always_inline int parse(struct __sk_buff *skb, struct flow_key *key, struct parsed *p)
{
	void *data = (void *)(long)skb->data;
	void *end = (void *)(long)skb->data_end;
	__u32 l3 = ETH_HLEN;
	__u16 type, tci = 0;

	if (!key || !p)
		return UNREAD;
	/* Headers that lie in fragments of the buffer are brought together; most frames need nothing. */
	if (data + ETH_HLEN + sizeof(struct ipv6hdr) + sizeof(struct tcphdr) > end && skb->len > end - data) {
		__u32 want = skb->len < LONGEST_HEADERS ? skb->len : LONGEST_HEADERS;

		bpf_skb_pull_data(skb, want);
		data = (void *)(long)skb->data;
		end = (void *)(long)skb->data_end;
	}
	if (data + ETH_HLEN > end)
		return -TRUNCATED_ETHERNET;
	type = bpf_ntohs(*(__be16 *)(data + 12));
	key->w[1] = bpf_be64_to_cpu(*(__be64 *)data) & ~0xffffULL;
	key->w[2] = bpf_be64_to_cpu(*(__be64 *)(data + 6)) & ~0xffffULL;
	if (skb->vlan_present) {
		if (skb->vlan_proto == bpf_htons(ETH_P_8021Q))
			tci = skb->vlan_tci | VLAN_PRESENT;
		else
			type = bpf_ntohs(skb->vlan_proto); /* what is behind a service tag is not looked at */
	} else if (type == ETH_P_8021Q) {
		struct vlan_header *tag = data + ETH_HLEN;

		if ((void *)(tag + 1) > end)
			return -TRUNCATED_VLAN;
		tci = bpf_ntohs(tag->tci) | VLAN_PRESENT;
		type = bpf_ntohs(tag->type);
		p->in_band_tag = sizeof(*tag);
		l3 += sizeof(*tag);
	}
	key->w[1] |= type;
	key->w[2] |= tci;
	if (type == ETH_P_IP)
		return parse_v4(skb, l3, skb->len, key, p);
	if (type == ETH_P_IPV6)
		return parse_v6(skb, l3, skb->len, key, p);
	if (type == ETH_P_ARP)
		return parse_arp(skb, l3, key);
	return 0;
}

/* The same, gone through by the verifier once for all who call it. */
__noinline int parse_once(struct __sk_buff *skb, struct flow_key *key, struct parsed *p)
{
	return key && p ? parse(skb, key, p) : UNREAD;
}
