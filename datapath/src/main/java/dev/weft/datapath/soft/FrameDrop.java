package dev.weft.datapath.soft;

/** Why a frame went no further, beside the parser's reasons; each has a counter. */
public enum FrameDrop {
    /** A flow without actions. */
    BY_FLOW("by-flow"),
    /** An output or a tunnel key names a port that is not attached. */
    NO_PORT("no-port"),
    /** An output names the port the frame came from. */
    INGRESS_PORT("ingress-port"),
    /** The interface is down, gone, or refused the frame. */
    PORT_FAILED("port-failed"),
    /** The port used up its misses of this second. */
    UPCALL_BUDGET("upcall-budget"),
    /** The port's share of its worker's queue is full. */
    UPCALL_QUEUE_FULL("upcall-queue-full"),
    /** The outer source is not a known peer. */
    UNKNOWN_PEER("unknown-peer"),
    /** No such tunnel key, or no longer. */
    STALE_KEY("stale-key"),
    /** Not a VXLAN header as RFC 7348 wants it, or no whole inner frame behind it. */
    BAD_TUNNEL_HEADER("bad-tunnel-header"),
    /** Longer than what it should leave by can carry. */
    TOO_BIG("too-big"),
    /** The underlay socket refused the frame. */
    TUNNEL_FAILED("tunnel-failed"),
    /** DEC_TTL on a frame that is not IP. */
    NOT_IP("not-ip"),
    /** Through more hosts on one thread than any topology needs. */
    LOOP("loop"),
    /** The port used up its floods of this second. */
    FLOOD_OVER_LIMIT("flood-over-limit");

    private final String text;

    FrameDrop(String text) {
        this.text = text;
    }

    /** As {@code status} shows it. */
    public String text() {
        return text;
    }
}
