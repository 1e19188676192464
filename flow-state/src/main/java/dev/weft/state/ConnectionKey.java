package dev.weft.state;

import dev.weft.base.HotPath;
import dev.weft.base.IpAddress;

/**
 * A tuple as a packet has it at one place: the scope says where (tenants use the same addresses), the rest is what the
 * packet says. IPv4 is mapped; ICMP echo has its identifier as both ports. Mutable and reused: each instance belongs to
 * one worker thread.
 */
@HotPath
public final class ConnectionKey {
    private static final int ICMP = 1;
    private static final int ICMPV6 = 58;

    private long scope;
    private int protocol;
    private long srcHigh;
    private long srcLow;
    private int srcPort;
    private long dstHigh;
    private long dstLow;
    private int dstPort;

    /** @param value tag of the device that the packet enters */
    public ConnectionKey scope(long value) {
        scope = value;
        return this;
    }

    /** @param l4Port 0..65535 */
    public ConnectionKey src(long high, long low, int l4Port) {
        srcHigh = high;
        srcLow = low;
        srcPort = l4Port;
        return this;
    }

    /** @param l4Port 0..65535 */
    public ConnectionKey dst(long high, long low, int l4Port) {
        dstHigh = high;
        dstLow = low;
        dstPort = l4Port;
        return this;
    }

    /** @param value IP protocol, 0..255 */
    public ConnectionKey protocol(int value) {
        protocol = value;
        return this;
    }

    public void copyFrom(ConnectionKey other) {
        scope = other.scope;
        protocol = other.protocol;
        src(other.srcHigh, other.srcLow, other.srcPort);
        dst(other.dstHigh, other.dstLow, other.dstPort);
    }

    /** The tuple of the answer to a packet with the other's; the scope is not the other's business. */
    public ConnectionKey answering(ConnectionKey other) {
        protocol = other.protocol;
        long high = other.srcHigh;
        long low = other.srcLow;
        int l4Port = other.srcPort;
        src(other.dstHigh, other.dstLow, other.dstPort);
        dst(high, low, l4Port);
        return this;
    }

    /** As {@link #src}; an echo has one id for both sides. */
    void rewriteSrc(long high, long low, int l4Port) {
        src(high, low, l4Port);
        if (isIcmp()) {
            dstPort = l4Port;
        }
    }

    /** As {@link #dst}; an echo has one id for both sides. */
    void rewriteDst(long high, long low, int l4Port) {
        dst(high, low, l4Port);
        if (isIcmp()) {
            srcPort = l4Port;
        }
    }

    private boolean isIcmp() {
        return protocol == ICMP || protocol == ICMPV6;
    }

    public long scope() {
        return scope;
    }

    public int protocol() {
        return protocol;
    }

    public long srcHigh() {
        return srcHigh;
    }

    public long srcLow() {
        return srcLow;
    }

    public int srcPort() {
        return srcPort;
    }

    public long dstHigh() {
        return dstHigh;
    }

    public long dstLow() {
        return dstLow;
    }

    public int dstPort() {
        return dstPort;
    }

    /** Protocol and both ports in one word: {@code protocol << 32 | source port << 16 | destination port}. */
    long transport() {
        return (long) protocol << 32 | (long) srcPort << 16 | dstPort;
    }

    void transport(long word) {
        protocol = (int) (word >>> 32);
        srcPort = (int) (word >>> 16) & 0xffff;
        dstPort = (int) word & 0xffff;
    }

    /** The hash whose home sees packets with this tuple, in either direction. */
    public int homeHash() {
        return ConnectionHash.of(srcHigh, srcLow, dstHigh, dstLow, protocol, srcPort, dstPort);
    }

    @Override
    public boolean equals(Object other) {
        return other instanceof ConnectionKey key
                && scope == key.scope
                && srcHigh == key.srcHigh
                && srcLow == key.srcLow
                && dstHigh == key.dstHigh
                && dstLow == key.dstLow
                && transport() == key.transport();
    }

    @Override
    public int hashCode() {
        return homeHash() ^ Long.hashCode(scope);
    }

    /** {@code udp 10.0.1.5:1000 > 10.0.2.9:53}. */
    @Override
    public String toString() {
        return switch (protocol) {
                    case ICMP -> "icmp";
                    case ICMPV6 -> "icmp6";
                    case 6 -> "tcp";
                    case 17 -> "udp";
                    default -> "protocol-" + protocol;
                }
                + " " + side(srcHigh, srcLow, srcPort) + " > " + side(dstHigh, dstLow, dstPort);
    }

    private static String side(long high, long low, int l4Port) {
        String address = IpAddress.toString(high, low);
        return (IpAddress.isV4(high, low) ? address : "[" + address + "]") + ":" + l4Port;
    }
}
