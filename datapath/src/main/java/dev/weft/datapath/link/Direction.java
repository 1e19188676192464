package dev.weft.datapath.link;

/** Which way of an interface, seen from this host: what a VM sends comes in at the host's end of its veth. */
public enum Direction {
    INGRESS,
    EGRESS
}
