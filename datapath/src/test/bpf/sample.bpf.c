// SPDX-License-Identifier: GPL-2.0
/* What the tests of the object loader load: a constant, three kinds of map, a program, and one to be refused. */
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>

volatile const __u32 answer = 1;
volatile const __u64 wide = 2;

struct {
    __uint(type, BPF_MAP_TYPE_HASH);
    __uint(max_entries, 1);
    __type(key, __u32);
    __type(value, __u64);
} table SEC(".maps");

struct {
    __uint(type, BPF_MAP_TYPE_ARRAY_OF_MAPS);
    __uint(max_entries, 2);
    __type(key, __u32);
    __type(value, __u32);
} outer SEC(".maps");

SEC("tc")
int answering(struct __sk_buff *skb)
{
    __u32 key = 7;
    __u64 *value = bpf_map_lookup_elem(&table, &key);
    return value ? (int)*value : (int)(answer + wide);
}

SEC("tc")
int nested(struct __sk_buff *skb)
{
    __u32 zero = 0;
    void *inner = bpf_map_lookup_elem(&outer, &zero);
    if (!inner)
        return -1;
    __u64 *value = bpf_map_lookup_elem(inner, &zero);
    return value ? (int)*value : -2;
}

SEC("tc")
int refused(struct __sk_buff *skb)
{
    void *data = (void *)(long)skb->data;
    return *(int *)data; /* no check of the packet's length */
}

char LICENSE[] SEC("license") = "GPL";
