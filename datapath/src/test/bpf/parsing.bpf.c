// SPDX-License-Identifier: GPL-2.0
/* The kernel's reading of a frame, and its hashes, where a test can see them: driven by KernelParserIT. */
#include "../../main/bpf/upcall.h"

struct reading {
	struct flow_key key;
	struct parsed parsed;
	__s32 verdict; /* of parse() */
	__u32 hash;    /* of the home, if there is a key */
	__u32 length;  /* given: of the frame, what follows it is cut off */
};
_Static_assert(sizeof(struct reading) == 112, "struct reading");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct reading);
} readings SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct tuple);
} tuples SEC(".maps");

static __noinline int read(struct __sk_buff *skb)
{
	struct flow_key key = {};
	struct parsed parsed = {};
	__u32 zero = 0;
	struct reading *reading = bpf_map_lookup_elem(&readings, &zero);

	if (!reading || (reading->length < skb->len && bpf_skb_change_tail(skb, reading->length, 0)))
		return 2;
	reading->verdict = parse(skb, &key, &parsed);
	reading->hash = reading->verdict ? 0 : home_hash(skb, &key, &parsed);
	reading->key = key;
	reading->parsed = parsed;
	return 0;
}

SEC("tc")
int as_sent(struct __sk_buff *skb)
{
	return read(skb);
}

/* The tag taken out of the frame and kept beside it, as interfaces do. */
SEC("tc")
int tag_beside(struct __sk_buff *skb)
{
	__u32 zero = 0;
	struct reading *reading = bpf_map_lookup_elem(&readings, &zero);
	struct vlan_header tag;

	if (!reading)
		return 2;
	if (bpf_skb_load_bytes(skb, ETH_HLEN, &tag, sizeof(tag)) || bpf_skb_vlan_pop(skb) ||
	    bpf_skb_vlan_push(skb, bpf_htons(ETH_P_8021Q), bpf_ntohs(tag.tci)))
		return 2;
	reading->length -= sizeof(tag);
	return read(skb);
}

SEC("tc")
int hash_of_tuple(struct __sk_buff *skb)
{
	__u32 zero = 0;
	struct tuple *tuple = bpf_map_lookup_elem(&tuples, &zero);

	return tuple ? (int)connection_hash(tuple) : 0;
}

char LICENSE[] SEC("license") = "GPL";
