// SPDX-License-Identifier: Apache-2.0
/*
 * The flow cache. Four programs, all at the ingress of an interface: `weft_port` at the host's end of a VM's, where
 * frames are looked up; `weft_underlay` at the underlay's and `weft_tunnel` at the vxlan device, where a tunnel key
 * names the way; `weft_inject` at the far end of the pair by which the agent sends frames through actions. A hit runs
 * the flow's steps, a miss goes whole to its home worker.
 */
#include "fragment.h"
#include "rewrite.h"
#include "tunnel.h"
#include "upcall.h"

#define PASS (-1) /* TCX_NEXT */
#define SHOT 2

char licence[] SEC("license") = "Apache-2.0";

static __always_inline __u64 hash_of(const struct flow_key *key)
{
	__u64 a = GOLDEN, b = 0x94d049bb133111ebULL;

#pragma unroll
	for (int i = 0; i < KEY_WORDS; i += 2) {
		a = (a ^ key->w[i]) * 0xbf58476d1ce4e5b9ULL;
		b = (b ^ key->w[i + 1]) * GOLDEN;
		a ^= a >> 32;
		b ^= b >> 29;
	}
	a ^= b;
	a *= 0x94d049bb133111ebULL;
	return a ^ (a >> 31);
}

static __always_inline struct flow *probe(const struct flow_key *key, __u32 number)
{
	struct flow_key *mask = bpf_map_lookup_elem(&masks, &number);
	struct flow_key masked;

	if (!mask)
		return 0;
#pragma unroll
	for (int i = 0; i < KEY_WORDS; i++)
		masked.w[i] = key->w[i] & mask->w[i];
	masked.w[0] |= (__u64)number << 16;
	return bpf_map_lookup_elem(&flows, &masked);
}

/* The masks behind the first, one hash probe each. Returns the number of the one that answers, 0: none. */
__noinline int search(const struct flow_key *key, __u32 in_port)
{
	struct port *port = bpf_map_lookup_elem(&ports, &in_port);

	if (!key || !port)
		return 0;
	for (__u32 i = 1; i <= PORT_MASKS; i++) {
		if (i >= port->mask_count)
			break;
		if (probe(key, port->masks[i]))
			return port->masks[i];
	}
	return 0;
}

/* Behind the first mask: the one that answered keys of this hash last is tried before all are. */
static __noinline struct flow *find_further(const struct flow_key *key, const struct port *port, __u32 in_port)
{
	__u32 zero = 0, number;
	struct hints *guesses = bpf_map_lookup_elem(&hints, &zero);
	struct flow *flow;
	__u16 *guess;

	if (!guesses)
		return 0;
	guess = &guesses->mask[(hash_of(key) >> 50) & (HINTS - 1)];
	number = *guess;
	if (number) {
		flow = probe(key, number);
		if (flow)
			return flow;
	}
	number = search(key, in_port);
	if (!number)
		return 0;
	*guess = number;
	return probe(key, number);
}

static __always_inline struct flow *find(const struct flow_key *key, const struct port *port, __u32 in_port)
{
	struct flow *flow;

	if (!port->mask_count)
		return 0;
	flow = probe(key, port->masks[0]);
	if (flow)
		return flow;
	if (port->mask_count == 1)
		return 0;
	return find_further(key, port, in_port);
}

/* Behind the Ethernet header and a tag; of a super-packet, that of the frames it will become. */
static __always_inline __u32 l3_length(struct __sk_buff *skb, const struct parsed *p)
{
	if (skb->gso_size && p->l3) {
		__u32 l4_header = p->protocol == IPPROTO_TCP ? p->tcp_header : sizeof(struct udphdr);

		return p->l4 - p->l3 + l4_header + skb->gso_size;
	}
	return skb->len - ETH_HLEN - p->in_band_tag;
}

static __always_inline int apply(struct __sk_buff *skb, const struct step *step, struct parsed *p)
{
	if (step->ttl) {
		if (!p->l3)
			return drop_for(DROP_NOT_IP);
		if (decrement_ttl(skb, p, step->ttl))
			return drop_for(DROP_NOT_IP);
	}
	if (step->set & SET_L3_L4 && p->l3 && rewrite_l3_l4(skb, step, p))
		return drop_for(DROP_NOT_IP);
	if (step->mtu && p->protocol == IPPROTO_TCP && p->tcp_flags & TCP_SYN)
		clamp_mss(skb, p, step->mtu);
	if (step->set & SET_ANY_VLAN) {
		if (skb->vlan_present || p->in_band_tag)
			bpf_skb_vlan_pop(skb);
		if (step->set & PUSH_VLAN)
			bpf_skb_vlan_push(skb, bpf_htons(ETH_P_8021Q), step->tci);
	}
	if (step->set & (SET_DST_MAC | SET_SRC_MAC) && set_macs(skb, step))
		return drop_for(DROP_NOT_IP);
	return 0;
}

/* The port's interface if the frame may leave by it, else 0, counted. */
static __always_inline struct port *way_out(struct __sk_buff *skb, __u32 number, __u32 in_port)
{
	struct port *port = bpf_map_lookup_elem(&ports, &number);
	struct port_counters *counted;

	if (!port || !port->ifindex || !number) {
		drop_for(DROP_NO_PORT);
		return 0;
	}
	if (number == in_port) {
		drop_for(DROP_INGRESS_PORT);
		return 0;
	}
	if (!(port->flags & PORT_UP)) {
		drop_for(DROP_PORT_FAILED);
		return 0;
	}
	if (!skb->gso_size && skb->len - ETH_HLEN > port->mtu + 4) {
		drop_for(DROP_TOO_BIG);
		return 0;
	}
	counted = bpf_map_lookup_elem(&port_counters, &number);
	if (counted) {
		counted->sent_packets++;
		counted->sent_bytes += skb->len + (skb->vlan_present ? 4 : 0);
	}
	if (port->capture)
		mirror(skb, number, 0);
	return port;
}

static __always_inline int to_port(struct __sk_buff *skb, __u32 number, __u32 in_port, bool fresh)
{
	struct port *port = way_out(skb, number, in_port);

	if (!port)
		return SHOT;
	if (fresh && port->flags & PORT_PEER)
		return bpf_redirect_peer(port->ifindex, 0);
	return bpf_redirect(port->ifindex, 0);
}

__noinline int to_tunnel(struct __sk_buff *skb, const struct step *step, const struct parsed *p, __u64 hash)
{
	struct settings *s = get_settings();
	struct remote *remote;
	__u32 index;

	if (!step || !p || !s)
		return SHOT;
	index = step->remote;
	remote = bpf_map_lookup_elem(&remotes, &index);
	if (!remote)
		return drop_for(DROP_TUNNEL_FAILED);
	if (remote->flags & REMOTE_DIRECT && p->l3 && !skb->vlan_present && !p->in_band_tag) {
		__u32 ifindex = remote->ifindex;

		if (remote->flags & REMOTE_V6 ? encapsulate_v6(skb, remote, step->target, hash, s->tunnel_port)
					      : encapsulate_v4(skb, remote, step->target, hash, s->tunnel_port))
			return drop_for(DROP_TUNNEL_FAILED);
		return bpf_redirect(ifindex, 0);
	}
	if (!s->vxlan_ifindex || mark_for_device(skb, remote, step->target, s))
		return drop_for(DROP_TUNNEL_FAILED);
	return bpf_redirect(s->vxlan_ifindex, 0);
}

/* What a frame carries along through the steps of a flood. */
struct walk {
	struct parsed parsed;
	__u32 in_port;
	__u32 length; /* of layer 3 */
	__u8 hops;
	__u8 reserved[7];
};

/* One step of several: a copy leaves, the frame stays. Not static, so that the verifier looks at it once. */
__noinline int copy_out(struct __sk_buff *skb, struct walk *walk, __u32 index)
{
	struct step *step = bpf_map_lookup_elem(&steps, &index);
	struct settings *s = get_settings();
	struct remote *remote;
	struct port *port;
	__u32 number;

	if (!step || !s || !walk)
		return 1;
	if (step->ttl) {
		walk->hops += step->ttl;
		if (!walk->parsed.l3 || walk->parsed.ttl <= walk->hops)
			return 1;
	}
	if (apply(skb, step, &walk->parsed))
		return 1;
	if (step->mtu && walk->length > step->mtu)
		return 0;
	if (step->out == OUT_PORT) {
		port = way_out(skb, step->target, walk->in_port);
		if (port)
			bpf_clone_redirect(skb, port->ifindex, 0);
	} else if (step->out == OUT_TUNNEL) {
		number = step->remote;
		remote = bpf_map_lookup_elem(&remotes, &number);
		if (!remote || !s->vxlan_ifindex || mark_for_device(skb, remote, step->target, s))
			drop_for(DROP_TUNNEL_FAILED);
		else
			bpf_clone_redirect(skb, s->vxlan_ifindex, 0);
	}
	return 0;
}

static __noinline int flood(struct __sk_buff *skb, const struct parsed *p, __u32 in_port, __u32 first, __u32 steps_count)
{
	struct walk walk = {};

	walk.parsed = *p;
	walk.in_port = in_port;
	walk.length = l3_length(skb, p);
	for (__u32 i = 0; i < 256; i++) {
		if (i >= steps_count || copy_out(skb, &walk, first + i))
			break;
	}
	return SHOT;
}

static __always_inline int single(struct __sk_buff *skb, const struct step *step, struct parsed *p, __u32 in_port,
				  const struct flow_key *key, bool fresh)
{
	if (apply(skb, step, p))
		return SHOT;
	if (step->out == OUT_PORT)
		return to_port(skb, step->target, in_port, fresh);
	if (step->out == OUT_TUNNEL)
		return to_tunnel(skb, step, p, hash_of(key));
	return drop_for(DROP_BY_FLOW);
}

#define GROUP_MAC (1ULL << 56) /* of a key's second word, which begins with the destination MAC */

/* Whether the port may flood once more. What comes by the tunnel was counted where it entered. */
static __noinline bool may_flood(__u32 number)
{
	struct port *port = bpf_map_lookup_elem(&ports, &number);

	return !number || (port && within_budget(number, port->flood_rate, true));
}

#define ODD UPCALL_UNREAD
#define AGAIN UPCALL_AGAIN
#define FRESH 4 /* its buffer says truly which protocol it carries */

/* Looks the frame up and does what the answer says. The ingress is in the key. */
static __always_inline int forward(struct __sk_buff *skb, const struct flow_key *key, struct parsed *p, __u32 flags)
{
	struct port_counters *counted;
	struct flow *flow = 0;
	struct port *port;
	__u32 in_port;

	if (!key || !p)
		return SHOT;
	in_port = key->w[0] & 0xffff;
	port = bpf_map_lookup_elem(&ports, &in_port);
	counted = bpf_map_lookup_elem(&port_counters, &in_port);
	if (!port || !counted)
		return SHOT;
	if (!(flags & ODD)) {
		flow = find(key, port, in_port);
	}
	if (!flow) {
		return punt(skb, key, p, MISS, flags & (ODD | AGAIN));
	}
	if (p->tcp_flags & TCP_FIN_RST)
		flow->tcp_flags |= p->tcp_flags & TCP_FIN_RST;
	counted->hits++;
	__sync_fetch_and_add(&flow->packets, 1);
	__sync_fetch_and_add(&flow->bytes, skb->len + (skb->vlan_present ? 4 : 0));
	flow->used_nanos = bpf_ktime_get_coarse_ns();
	if (!flow->step_count)
		return drop_for(DROP_BY_FLOW);
	if ((flow->step_count > 1 || key->w[1] & GROUP_MAC) && !may_flood(in_port))
		return drop_for(DROP_FLOOD_OVER_LIMIT);
	if (flow->most_ttl && p->l3 && p->ttl <= flow->most_ttl) {
		punt(skb, key, p, TTL_EXPIRED, 0);
		if (flow->step_count == 1)
			return SHOT;
	}
	if (flow->least_mtu && l3_length(skb, p) > flow->least_mtu) {
		punt(skb, key, p, MTU_EXCEEDED, 0);
		if (flow->step_count == 1)
			return SHOT;
	}
	if (flow->step_count == 1)
		return single(skb, &flow->step, p, in_port, key, flags & FRESH);
	return flood(skb, p, in_port, flow->first_step, flow->step_count);
}

static __always_inline int look_up(struct __sk_buff *skb, struct flow_key *key, struct parsed *p, __u32 flags)
{
	int read = parse(skb, key, p);

	if (read < 0)
		return drop_malformed(-read);
	if (p->fragment)
		complete_key(skb, key, p);
	return forward(skb, key, p, read ? flags | ODD : flags);
}

/* The same for programs that look up seldom: not static, so that the verifier goes through it once for all of them. */
__noinline int look_up_seldom(struct __sk_buff *skb, struct flow_key *key, struct parsed *p, __u32 flags)
{
	if (!key || !p)
		return SHOT;
	return look_up(skb, key, p, flags);
}

SEC("tc")
int weft_port(struct __sk_buff *skb)
{
	__u32 ifindex = skb->ifindex;
	__u32 *number = ifindex < LOW_INTERFACES ? bpf_map_lookup_elem(&interfaces, &ifindex)
						 : bpf_map_lookup_elem(&high_interfaces, &ifindex);
	struct port_counters *counted;
	struct flow_key key = {};
	struct parsed p = {};
	struct port *port;
	__u32 in_port;

	if (!number || !*number)
		return SHOT;
	in_port = *number;
	port = bpf_map_lookup_elem(&ports, &in_port);
	counted = bpf_map_lookup_elem(&port_counters, &in_port);
	if (!port || !counted)
		return SHOT;
	if (port->capture)
		mirror(skb, in_port, 1);
	counted->received_packets++;
	counted->received_bytes += skb->len + (skb->vlan_present ? 4 : 0);
	key.w[0] = in_port;
	return look_up(skb, &key, &p, FRESH);
}

/* To the worker that the number names, past the flow table. */
static __noinline int to_worker(struct __sk_buff *skb, __u32 overhead, __u32 key, __u32 named)
{
	struct settings *s = get_settings();
	struct upcall head;

	if (!s || !s->workers)
		return SHOT;
	describe(&head, 0, key, MISS);
	if (enqueue(skb, &head, overhead, named % s->workers))
		return drop_for(DROP_UPCALL_QUEUE_FULL);
	return SHOT;
}

static __noinline int state_frame(struct __sk_buff *skb, __u32 overhead)
{
	__be32 named = 0;

	bpf_skb_load_bytes(skb, overhead + ETH_HLEN, &named, sizeof(named));
	count(COUNT_STATE_FRAMES);
	return to_worker(skb, overhead, STATE_KEY, bpf_ntohl(named));
}

/* dev.weft.datapath.ProbeFrame */
struct probe {
	__u8 macs[12];
	__be16 type;
	__u8 kind;
	__u8 version;
};
#define ETHERTYPE_PROBE 0x88b6
#define PROBE_ANSWER 1

/*
 * Sends a question back as an answer: that this host forwards is told by what forwards. Only with the outer headers in
 * sight; that is how a host that asks sends it.
 */
static __noinline int probed(struct __sk_buff *skb, __u32 overhead)
{
	struct probe probe;
	__u8 answer = PROBE_ANSWER, macs[12];
	__be16 none = 0;
	__u32 addresses = overhead == OVERHEAD_V4 ? ETH_HLEN + 12 : ETH_HLEN + 8;
	__be32 from[4], to[4];

	if (bpf_skb_load_bytes(skb, overhead, &probe, sizeof(probe)) || probe.type != bpf_htons(ETHERTYPE_PROBE) ||
	    probe.version != 1)
		return drop_for(DROP_BAD_TUNNEL_HEADER);
	if (probe.kind == PROBE_ANSWER)
		return to_worker(skb, overhead, PROBE_KEY, 0);
	if (!overhead || probe.kind || bpf_skb_load_bytes(skb, 0, macs, sizeof(macs)))
		return drop_for(DROP_BAD_TUNNEL_HEADER);
	bpf_skb_store_bytes(skb, overhead + __builtin_offsetof(struct probe, kind), &answer, 1, 0);
	bpf_skb_store_bytes(skb, 0, macs + 6, 6, 0);
	bpf_skb_store_bytes(skb, 6, macs, 6, 0);
	if (overhead == OVERHEAD_V4) {
		bpf_skb_load_bytes(skb, addresses, from, 4);
		bpf_skb_load_bytes(skb, addresses + 4, to, 4);
		bpf_skb_store_bytes(skb, addresses, to, 4, 0);
		bpf_skb_store_bytes(skb, addresses + 4, from, 4, 0);
	} else {
		bpf_skb_load_bytes(skb, addresses, from, 16);
		bpf_skb_load_bytes(skb, addresses + 16, to, 16);
		bpf_skb_store_bytes(skb, addresses, to, 16, 0);
		bpf_skb_store_bytes(skb, addresses + 16, from, 16, 0);
	}
	bpf_skb_store_bytes(skb, overhead - sizeof(struct vxlan_header) - 2, &none, 2, 0);
	return bpf_redirect(skb->ifindex, 0);
}

/* What becomes of an inner frame: `overhead` octets of outer headers still precede it, or none (the device took them). */
static __always_inline int arrived(struct __sk_buff *skb, const struct address *from, __u32 key, __u32 overhead)
{
	struct settings *s = get_settings();
	struct sight *sight;
	struct port *port;
	__be16 type;
	__s32 *target;
	__u32 number = 0;

	if (!s)
		return SHOT;
	if (!bpf_map_lookup_elem(&peers, from))
		return drop_for(DROP_UNKNOWN_PEER);
	if (key == PROBE_KEY)
		return probed(skb, overhead);
	target = bpf_map_lookup_elem(&tunnel_keys, &key);
	if (!target)
		return drop_for(DROP_STALE_KEY);
	if (bpf_skb_load_bytes(skb, overhead + 12, &type, sizeof(type)))
		return drop_for(DROP_BAD_TUNNEL_HEADER);
	if (key == STATE_KEY)
		return state_frame(skb, overhead);
	if (overhead) {
		if (type != bpf_htons(ETH_P_IP) && type != bpf_htons(ETH_P_IPV6))
			return PASS;
		if (skb->gso_size && *target != TO_WORKER) {
			number = *target;
			port = bpf_map_lookup_elem(&ports, &number);
			if (port && port->flags & PORT_TAP)
				return PASS;
		}
		number = *target;
		if (decapsulate(skb, overhead, type == bpf_htons(ETH_P_IPV6)))
			return drop_for(DROP_BAD_TUNNEL_HEADER);
	} else {
		number = *target;
	}
	if (number != (__u32)TO_WORKER) {
		struct port *out = way_out(skb, number, MAX_PORTS);

		if (!out)
			return SHOT;
		count(COUNT_DELIVERED);
		return out->flags & PORT_PEER ? bpf_redirect_peer(out->ifindex, 0) : bpf_redirect(out->ifindex, 0);
	}
	sight = new_sight((__u64)key << 32);
	return sight ? look_up_seldom(skb, &sight->key, &sight->parsed, FRESH) : SHOT;
}

static __always_inline bool same_address(const __be32 *a, const __be32 *b)
{
	return a[0] == b[0] && a[1] == b[1] && a[2] == b[2] && a[3] == b[3];
}

SEC("tc")
int weft_underlay(struct __sk_buff *skb)
{
	struct settings *s = get_settings();
	struct address from = {};
	void *data = (void *)(long)skb->data;
	void *end = (void *)(long)skb->data_end;
	struct ethhdr *ethernet = data;
	struct vxlan_header vxlan;
	__u32 overhead, length, key;

	if (!s)
		return PASS;
	if (data + OVERHEAD_V4 + ETH_HLEN > end && skb->len >= OVERHEAD_V4 + ETH_HLEN) {
		bpf_skb_pull_data(skb, OVERHEAD_V4 + ETH_HLEN);
		data = (void *)(long)skb->data;
		end = (void *)(long)skb->data_end;
		ethernet = data;
	}
	if (data + OVERHEAD_V4 > end)
		return PASS;
	if (ethernet->h_proto == bpf_htons(ETH_P_IP)) {
		struct outer_v4 *outer = data;

		if (s->underlay_v6 || *((__u8 *)outer + ETH_HLEN) != 0x45 || outer->ip.protocol != IPPROTO_UDP ||
		    outer->ip.frag_off & bpf_htons(0x3fff) || outer->udp.dest != bpf_htons(s->tunnel_port) ||
		    outer->ip.daddr != *(__be32 *)(s->underlay + 12))
			return PASS;
		from.octets[10] = 0xff;
		from.octets[11] = 0xff;
		__builtin_memcpy(from.octets + 12, &outer->ip.saddr, 4);
		length = bpf_ntohs(outer->udp.len);
		vxlan = outer->vxlan;
		overhead = OVERHEAD_V4;
	} else if (ethernet->h_proto == bpf_htons(ETH_P_IPV6)) {
		struct outer_v6 *outer = data;

		if (!s->underlay_v6)
			return PASS;
		if (data + OVERHEAD_V6 > end) {
			if (skb->len < OVERHEAD_V6 || bpf_skb_pull_data(skb, OVERHEAD_V6))
				return PASS;
			data = (void *)(long)skb->data;
			end = (void *)(long)skb->data_end;
			outer = data;
			if (data + OVERHEAD_V6 > end)
				return PASS;
		}
		if (outer->ip.nexthdr != IPPROTO_UDP || outer->udp.dest != bpf_htons(s->tunnel_port))
			return PASS;
		if (!same_address(outer->ip.daddr.in6_u.u6_addr32, (const __be32 *)s->underlay))
			return PASS;
		__builtin_memcpy(from.octets, &outer->ip.saddr, 16);
		length = bpf_ntohs(outer->udp.len);
		vxlan = outer->vxlan;
		overhead = OVERHEAD_V6;
	} else {
		return PASS;
	}
	if (skb->len < overhead + ETH_HLEN || vxlan.flags != bpf_htonl(VXLAN_I) || bpf_ntohl(vxlan.vni) & 0xff)
		return drop_for(DROP_BAD_TUNNEL_HEADER);
	if (!skb->gso_size && length < sizeof(struct udphdr) + sizeof(vxlan) + ETH_HLEN)
		return drop_for(DROP_BAD_TUNNEL_HEADER);
	key = bpf_ntohl(vxlan.vni) >> 8;
	return arrived(skb, &from, key, overhead);
}

/* What the vxlan device found in the headers it took off. */
static __noinline int read_tunnel(struct __sk_buff *skb, bool v6, struct address *from, __u32 *key)
{
	struct bpf_tunnel_key tunnel = {};

	if (bpf_skb_get_tunnel_key(skb, &tunnel, sizeof(tunnel), v6 ? BPF_F_TUNINFO_IPV6 : 0))
		return -1;
	if (v6) {
		__builtin_memcpy(from->octets, tunnel.remote_ipv6, 16);
	} else {
		__be32 v4 = bpf_htonl(tunnel.remote_ipv4);

		from->octets[10] = 0xff;
		from->octets[11] = 0xff;
		__builtin_memcpy(from->octets + 12, &v4, 4);
	}
	*key = tunnel.tunnel_id;
	return 0;
}

SEC("tc")
int weft_tunnel(struct __sk_buff *skb)
{
	struct settings *s = get_settings();
	struct address from = {};
	__u32 key = 0;

	if (!s)
		return SHOT;
	if (read_tunnel(skb, s->underlay_v6, &from, &key))
		return drop_for(DROP_BAD_TUNNEL_HEADER);
	return arrived(skb, &from, key, 0);
}

/* A frame from the agent; its mark says where what to do with it is written. */
SEC("tc")
int weft_inject(struct __sk_buff *skb)
{
	struct sight *sight;
	struct flow_key *key;
	struct parsed *p;
	__u32 mark = skb->mark, place = mark & ((1 << ORDER_PLACE_BITS) - 1);
	struct inject *inject = bpf_map_lookup_elem(&orders, &place);

	if (!mark || !inject || inject->mark != mark)
		return drop_for(DROP_PORT_FAILED);
	skb->mark = 0;
	sight = new_sight((inject->in_port < MAX_PORTS ? inject->in_port : 0) | (__u64)inject->tunnel_key << 32);
	if (!sight)
		return SHOT;
	key = &sight->key;
	p = &sight->parsed;
	if (inject->flags & INJECT_LOOKUP)
		return look_up_seldom(skb, key, p, AGAIN | FRESH);
	if (parse_once(skb, key, p) < 0)
		return SHOT; /* the agent has parsed it: cannot be */
	key->w[0] &= 0xffff;
	if (inject->step.ttl && p->l3 && p->ttl <= inject->step.ttl)
		return punt(skb, key, p, TTL_EXPIRED, 0);
	if (inject->step.mtu && l3_length(skb, p) > inject->step.mtu) {
		if (inject->flags & INJECT_NO_PUNT)
			return drop_for(DROP_TOO_BIG);
		return punt(skb, key, p, MTU_EXCEEDED, 0);
	}
	return single(skb, &inject->step, p, inject->in_port, key, FRESH);
}
