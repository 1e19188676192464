/* SPDX-License-Identifier: Apache-2.0 */
/* From a frame that needs user space to its home worker's ring, within its port's budget and share. */
#pragma once

#include "parse.h"

#define GOLDEN 0x9e3779b97f4a7c15ULL
#define NANOS_PER_SECOND 1000000000ULL
#define ETHERTYPE_STATE 0x88b5

static __always_inline __u64 mix(__u64 z)
{
	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ULL;
	z = (z ^ (z >> 27)) * 0x94d049bb133111ebULL;
	return z ^ (z >> 31);
}

static __always_inline __u64 combine(__u64 seed, __u64 value)
{
	return mix(seed * GOLDEN + value);
}

struct tuple {
	__u64 src_high;
	__u64 src_low;
	__u64 dst_high;
	__u64 dst_low;
	__u32 protocol;
	__u16 src_port;
	__u16 dst_port;
};

/* dev.weft.state.ConnectionHash: the same for both directions. */
static __always_inline __u32 connection_hash(const struct tuple *t)
{
	bool lower = t->src_high != t->dst_high ? t->src_high < t->dst_high
		     : t->src_low != t->dst_low ? t->src_low < t->dst_low
						: t->src_port < t->dst_port;
	__u64 h = 0x57656674;

	h = combine(h, lower ? t->src_high : t->dst_high);
	h = combine(h, lower ? t->src_low : t->dst_low);
	h = combine(h, lower ? t->dst_high : t->src_high);
	h = combine(h, lower ? t->dst_low : t->src_low);
	h = combine(h, (__u64)t->protocol << 32 | (__u64)(lower ? t->src_port : t->dst_port) << 16 |
			       (lower ? t->dst_port : t->src_port));
	return h >> 32;
}

static __always_inline bool is_icmp_error(const struct parsed *p, __u8 type)
{
	return p->v6 ? type < 128 : type == 3 || type == 4 || type == 5 || type == 11 || type == 12;
}

/* A Serval flow id as the 16 bits of a port. */
static __always_inline __u16 folded(__be32 flow)
{
	__u32 id = bpf_ntohl(flow);

	return id ^ id >> 16;
}

/* Where the IP packet ends, which padding may follow. */
static __always_inline __u32 l3_end_of(struct __sk_buff *skb, const struct parsed *p)
{
	__be16 length = 0;

	bpf_skb_load_bytes(skb, p->l3 + (p->v6 ? 4 : 2), &length, sizeof(length));
	return p->l3 + (p->v6 ? sizeof(struct ipv6hdr) : 0) + bpf_ntohs(length);
}

/* Ports, or the id of an echo, of the quoted packet's L4 header, of which a quote needs the first octets only. */
static __always_inline int quoted_ports(struct __sk_buff *skb, __u32 l4, __u32 end, bool v6, struct tuple *t)
{
	__u8 head[8] = {};

	if (t->protocol == IPPROTO_TCP || t->protocol == IPPROTO_UDP) {
		if (end < l4 + 4 || bpf_skb_load_bytes(skb, l4, head, 4))
			return -1;
		t->src_port = head[0] << 8 | head[1];
		t->dst_port = head[2] << 8 | head[3];
	} else if (t->protocol == PROTOCOL_SAL && !v6) {
		__be32 flows[2];

		if (end < l4 + 8 || bpf_skb_load_bytes(skb, l4, flows, sizeof(flows)))
			return -1;
		t->src_port = folded(flows[0]);
		t->dst_port = folded(flows[1]);
	} else if (t->protocol == (v6 ? IPPROTO_ICMPV6 : IPPROTO_ICMP)) {
		if (end < l4 + 8 || bpf_skb_load_bytes(skb, l4, head, 8))
			return -1;
		if (v6 ? head[0] == 128 || head[0] == 129 : head[0] == ICMP_ECHO || head[0] == ICMP_ECHOREPLY) {
			t->src_port = head[4] << 8 | head[5];
			t->dst_port = t->src_port;
		}
	}
	return 0;
}

/* The tuple that an ICMP error quotes, as dev.weft.sim.packet.Quote reads it. Fragments have no ports. */
static __noinline int quoted_tuple(struct __sk_buff *skb, const struct parsed *p, struct tuple *t)
{
	__u32 at = p->l4 + sizeof(struct icmphdr), end = l3_end_of(skb, p), l4;
	__u8 fragment;

	if (p->v6) {
		struct parsed quoted = {};
		struct ipv6hdr ip;
		int walked;

		if (end < at + sizeof(ip) || bpf_skb_load_bytes(skb, at, &ip, sizeof(ip)) || ip.version != 6)
			return -1;
		t->src_high = word_of(&ip.saddr, 0);
		t->src_low = word_of(&ip.saddr, 1);
		t->dst_high = word_of(&ip.daddr, 0);
		t->dst_low = word_of(&ip.daddr, 1);
		quoted.protocol = ip.nexthdr;
		walked = walk_extensions(skb, at, end, &quoted, false);
		if (walked < 0)
			return -1;
		l4 = walked;
		t->protocol = quoted.protocol;
		fragment = quoted.fragment;
	} else {
		struct iphdr ip;

		if (end < at + sizeof(ip) || bpf_skb_load_bytes(skb, at, &ip, sizeof(ip)) || ip.version != 4 || ip.ihl < 5)
			return -1;
		l4 = at + ip.ihl * 4;
		if (end < l4)
			return -1;
		t->src_high = 0;
		t->src_low = 0xffff00000000 | bpf_ntohl(ip.saddr);
		t->dst_high = 0;
		t->dst_low = 0xffff00000000 | bpf_ntohl(ip.daddr);
		t->protocol = ip.protocol;
		fragment = ip.frag_off & bpf_htons(0x1fff) ? LATER_FRAGMENT
			   : ip.frag_off & bpf_htons(0x2000) ? FIRST_FRAGMENT
							     : NOT_FRAGMENT;
	}
	t->src_port = 0;
	t->dst_port = 0;
	if (fragment != LATER_FRAGMENT && quoted_ports(skb, l4, end, p->v6, t))
		return -1;
	if (fragment != NOT_FRAGMENT) {
		t->src_port = 0;
		t->dst_port = 0;
	}
	return 0;
}

/* dev.weft.sim.flow.FlowHome */
static __noinline __u32 home_hash(struct __sk_buff *skb, const struct flow_key *key, const struct parsed *p)
{
	struct tuple t = {};
	__u16 type = key->w[1] & 0xffff;

	if (p->l3) {
		__u8 l4_type = key->w[7] >> 16;
		bool icmp = p->protocol == (p->v6 ? IPPROTO_ICMPV6 : IPPROTO_ICMP);

		if (icmp && p->l4 && is_icmp_error(p, l4_type) && !quoted_tuple(skb, p, &t))
			return connection_hash(&t);
		t.src_high = key->w[3];
		t.src_low = key->w[4];
		t.dst_high = key->w[5];
		t.dst_low = key->w[6];
		t.protocol = p->protocol;
		t.src_port = 0;
		t.dst_port = 0;
		if (p->protocol == PROTOCOL_SAL && !p->v6 && p->fragment == NOT_FRAGMENT) {
			__be32 flows[2];

			if (p->l4 && !bpf_skb_load_bytes(skb, p->l4, flows, sizeof(flows))) {
				t.src_port = folded(flows[0]);
				t.dst_port = folded(flows[1]);
			}
		} else if (p->fragment == NOT_FRAGMENT) {
			/* FlowHome takes the id of both ICMPs whatever the family. */
			if (p->protocol == IPPROTO_ICMPV6 || p->protocol == IPPROTO_ICMP) {
				t.src_port = key->w[8] >> 48;
				t.dst_port = t.src_port;
			} else {
				t.src_port = key->w[7] >> 16;
				t.dst_port = key->w[7];
			}
		}
		return connection_hash(&t);
	}
	if (type == ETHERTYPE_STATE && !(key->w[2] & 0xffff)) {
		__be32 named;

		if (!bpf_skb_load_bytes(skb, ETH_HLEN, &named, sizeof(named)))
			return bpf_ntohl(named);
	}
	t.src_low = key->w[2] >> 16;
	t.dst_low = key->w[1] >> 16;
	return connection_hash(&t);
}

/* Time saved up, at most a second's; an upcall, or a flood, costs the time in which the port may make one. */
static __always_inline bool within_budget(__u32 number, __u32 rate, bool flood)
{
	struct guarded_budget *b = bpf_map_lookup_elem(&budgets, &number);
	__u64 now = bpf_ktime_get_ns();
	struct budget *budget;
	__u64 cost, saved;
	bool granted = false;

	if (!b || !rate)
		return false;
	budget = flood ? &b->floods : &b->upcalls;
	cost = NANOS_PER_SECOND / rate;
	bpf_spin_lock(&b->lock);
	saved = budget->tokens_nanos + (now - budget->refilled_nanos);
	budget->refilled_nanos = now;
	if (saved > cost * rate)
		saved = cost * rate;
	if (saved >= cost) {
		saved -= cost;
		granted = true;
	}
	budget->tokens_nanos = saved;
	bpf_spin_unlock(&b->lock);
	return granted;
}

/*
 * Copies the frame behind the record's head; a tag that the kernel keeps beside the frame goes back into it. Sizes are
 * bounded by the record for the verifier's sake.
 */
#define FILL(skb, record, room, offset, length)                                                                        \
	({                                                                                                                 \
		__u8 *frame = (__u8 *)(record) + sizeof(struct upcall);                                                        \
		__u32 from = (offset), left = (length), to = 0;                                                                \
		long failed = 0;                                                                                               \
		if (skb->vlan_present) {                                                                                       \
			__be16 tag[2] = { skb->vlan_proto, bpf_htons(skb->vlan_tci) };                                             \
			failed = bpf_skb_load_bytes(skb, from, frame, 12);                                                         \
			__builtin_memcpy(frame + 12, tag, 4);                                                                      \
			from += 12;                                                                                                \
			left -= 12;                                                                                                \
			to = 16;                                                                                                   \
		}                                                                                                              \
		if (left > 0 && left <= (room) - sizeof(struct upcall) - 16)                                                   \
			failed |= bpf_skb_load_bytes(skb, from, frame + to, left);                                                 \
		else                                                                                                           \
			failed = -1;                                                                                               \
		failed;                                                                                                        \
	})

#define RESERVE_AND_FILL(room)                                                                                         \
	{                                                                                                                  \
		struct upcall *record = bpf_ringbuf_reserve(ring, (room), 0);                                                  \
		if (!record)                                                                                                   \
			goto full;                                                                                                 \
		*record = *head;                                                                                               \
		if (FILL(skb, record, room, offset, length)) {                                                                 \
			bpf_ringbuf_discard(record, 0);                                                                            \
			goto full;                                                                                                 \
		}                                                                                                              \
		bpf_ringbuf_submit(record, 0);                                                                                 \
	}

/* Queues the frame from `offset` on. Rooms are few, since the kernel wants their sizes to be constants. */
__noinline int enqueue(struct __sk_buff *skb, struct upcall *head, __u32 offset, __u32 worker)
{
	__u32 length = skb->len - offset;
	__u32 tagged = skb->vlan_present ? 4 : 0;
	__u32 need = length + tagged + sizeof(struct upcall) + 16;
	__u32 chunks = (length + tagged + CHUNK - 1) / CHUNK;
	struct settings *s = get_settings();
	__u64 *queued_by, *taken_by, waiting;
	__u32 place;
	void *ring;

	if (!s || !head || worker >= s->workers)
		return -1;
	place = (head->tunnel_key == STATE_KEY ? STATE_PORT : head->in_port) * s->workers + worker;
	ring = bpf_map_lookup_elem(&rings, &worker);
	queued_by = bpf_map_lookup_elem(&queued, &place);
	taken_by = bpf_map_lookup_elem(&taken, &place);
	if (!ring || !queued_by || !taken_by)
		return -1;
	waiting = *(volatile __u64 *)queued_by - *(volatile __u64 *)taken_by;
	if (waiting && waiting + chunks > s->share_chunks)
		goto full;
	head->length = length + tagged;
	head->chunks = chunks;
	head->gso_size = skb->gso_size;
	__sync_fetch_and_add(queued_by, chunks);
	if (need <= 192)
		RESERVE_AND_FILL(192)
	else if (need <= 640)
		RESERVE_AND_FILL(640)
	else if (need <= 2048)
		RESERVE_AND_FILL(2048)
	else if (need <= 9216)
		RESERVE_AND_FILL(9216)
	else if (need <= 65664)
		RESERVE_AND_FILL(65664)
	else
		goto undo;
	return 0;
full:
	if (head->chunks)
		goto undo;
	return -1;
undo:
	__sync_fetch_and_add(queued_by, -(__u64)chunks);
	return -1;
}

/* A copy for whoever looks at this port. Never in the way: where there is no room, it is missed. */
__noinline int mirror(struct __sk_buff *skb, __u32 number, __u32 from_vm)
{
	struct upcall described = {}, *head = &described;
	__u32 offset = 0, length = skb->len;
	__u32 need = length + (skb->vlan_present ? 4 : 0) + sizeof(struct upcall) + 16;
	void *ring = &captures;

	head->in_port = number;
	head->flags = from_vm;
	head->length = length + (skb->vlan_present ? 4 : 0);
	if (need <= 640)
		RESERVE_AND_FILL(640)
	else if (need <= 2048)
		RESERVE_AND_FILL(2048)
	else if (need <= 65664)
		RESERVE_AND_FILL(65664)
	return 0;
full:
	count(COUNT_CAPTURES_MISSED);
	return 0;
}

static __always_inline void describe(struct upcall *head, __u32 in_port, __u32 tunnel_key, __u16 reason)
{
	__builtin_memset(head, 0, sizeof(*head));
	head->in_port = in_port;
	head->tunnel_key = tunnel_key;
	head->reason = reason;
}

static __noinline bool admitted(__u32 number)
{
	struct port *port = bpf_map_lookup_elem(&ports, &number);
	struct port_counters *counted = bpf_map_lookup_elem(&port_counters, &number);

	if (!port || !counted)
		return false;
	if (!number || within_budget(number, port->rate, false))
		return true;
	counted->over_budget++;
	drop_for(DROP_UPCALL_BUDGET);
	return false;
}

__noinline int upcall(struct __sk_buff *skb, const struct flow_key *key, __u32 hash, __u16 reason, __u16 flags)
{
	struct settings *s = get_settings();
	struct port_counters *counted;
	struct upcall head;
	__u32 number;

	if (!key || !s || !s->workers)
		return 2;
	number = key->w[0] & 0xffff;
	counted = bpf_map_lookup_elem(&port_counters, &number);
	if (!counted)
		return 2;
	describe(&head, number, key->w[0] >> 32, reason);
	head.flags = flags;
	if (enqueue(skb, &head, 0, hash % s->workers))
		return drop_for(DROP_UPCALL_QUEUE_FULL);
	counted->upcalls++;
	if (reason == MISS) {
		counted->misses++;
		if (!number)
			count(COUNT_TUNNEL_UPCALLS);
	}
	return 2;
}

/*
 * Sends the frame to user space, whole, if its port may: the ingress is in the key. Returns TC_ACT_SHOT always: the copy
 * in the ring is what lives on.
 */
static __always_inline int punt(struct __sk_buff *skb, const struct flow_key *key, const struct parsed *p, __u16 reason,
			   __u16 flags)
{
	if (!admitted(key->w[0] & 0xffff))
		return 2;
	return upcall(skb, key, home_hash(skb, key, p), reason, flags);
}
