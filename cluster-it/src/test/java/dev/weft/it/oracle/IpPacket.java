package dev.weft.it.oracle;

import dev.weft.sim.flow.FlowKey;
import dev.weft.sim.packet.Frames;
import dev.weft.sim.packet.Packet;
import dev.weft.sim.packet.PacketParser;
import dev.weft.sim.packet.Quote;
import org.jspecify.annotations.Nullable;

/**
 * An IP packet, in all that the two sides are held to.
 *
 * @param src as {@link Addresses} has it
 * @param protocol {@link #TCP}, {@link #UDP}, or {@link #ICMP} for that of either family
 * @param srcPort of an echo: its id, as is {@code dstPort}; of other ICMP 0
 * @param detail TCP flags, or ICMP type and code
 * @param quoted by an ICMP error; its TTL and detail do not count
 */
record IpPacket(
        boolean v6,
        int src,
        int dst,
        int protocol,
        int srcPort,
        int dstPort,
        int ttl,
        int detail,
        @Nullable IpPacket quoted) {
    static final int UDP = 17;
    static final int TCP = 6;
    static final int ICMP = 1;
    static final int SYN = 2;
    static final int RST = 4;
    static final int ACK = 0x10;
    static final int TTL = 64;

    private static final int ICMPV6 = 58;
    private static final int PAYLOAD = 20;
    private static final int CHOSEN = -1;

    boolean isEcho() {
        return protocol == ICMP && (detail == echoRequest(v6) || detail == echoReply(v6));
    }

    boolean isError() {
        return quoted != null;
    }

    static int echoRequest(boolean v6) {
        return (v6 ? 128 : 8) << 8;
    }

    static int echoReply(boolean v6) {
        return (v6 ? 129 : 0) << 8;
    }

    /** What its receiver answers. */
    IpPacket reply() {
        int answer =
                switch (protocol) {
                    case TCP -> detail == SYN ? SYN | ACK : ACK;
                    case ICMP -> echoReply(v6);
                    default -> 0;
                };
        return new IpPacket(v6, dst, src, protocol, dstPort, srcPort, TTL, answer, null);
    }

    /** An ICMP error about it, to its sender. @param from whom */
    IpPacket error(int from, int typeAndCode) {
        return new IpPacket(v6, from, src, ICMP, 0, 0, TTL, typeAndCode, this);
    }

    /** With other TCP flags, or another ICMP type and code. */
    IpPacket with(int otherDetail) {
        return new IpPacket(v6, src, dst, protocol, srcPort, dstPort, ttl, otherDetail, quoted);
    }

    IpPacket withTtl(int otherTtl) {
        return new IpPacket(v6, src, dst, protocol, srcPort, dstPort, otherTtl, detail, quoted);
    }

    boolean isTimeExceeded() {
        return isError() && detail >> 8 == (v6 ? 3 : 11);
    }

    IpPacket from(int otherSource) {
        return new IpPacket(v6, otherSource, dst, protocol, srcPort, dstPort, ttl, detail, quoted);
    }

    /** With another port at the far end; of an echo, with another id. */
    IpPacket forged() {
        return new IpPacket(v6, src, dst, protocol, isEcho() ? srcPort ^ 1 : srcPort, dstPort ^ 1, ttl, detail, null);
    }

    Frames frame() {
        String from = Addresses.text(src, v6);
        String to = Addresses.text(dst, v6);
        var frame =
                switch (protocol) {
                    case UDP -> Frames.udp(Addresses.end(src, srcPort, v6), Addresses.end(dst, dstPort, v6));
                    case TCP ->
                        Frames.tcp(Addresses.end(src, srcPort, v6), Addresses.end(dst, dstPort, v6))
                                .flags(detail);
                    default ->
                        quoted == null
                                ? Frames.icmp(from, to, detail >> 8, detail & 0xff, srcPort << 16 | 1)
                                : Frames.icmp(from, to, detail >> 8, detail & 0xff, 0)
                                        .payload(quoted.frame().ipBytes());
                };
        return (quoted == null ? frame.payload(PAYLOAD) : frame).ttl(ttl);
    }

    /** Null: a frame that is not of the sort that these networks are about. */
    static @Nullable IpPacket of(byte[] frame) {
        Packet packet = Frames.wrapped(frame);
        if (PacketParser.parse(packet) != 0) {
            return null;
        }
        FlowKey key = packet.key;
        boolean v6 = key.etherType() == 0x86dd;
        if (!v6 && key.etherType() != 0x0800 || v6 && key.srcHigh() != Addresses.V6_HIGH) {
            return null;
        }
        boolean icmp = key.protocol() == (v6 ? ICMPV6 : ICMP);
        int ttl = Byte.toUnsignedInt(frame[v6 ? 21 : 22]);
        return new IpPacket(
                v6,
                (int) key.srcLow(),
                (int) key.dstLow(),
                icmp ? ICMP : key.protocol(),
                icmp ? key.icmpId() : key.l4Src(),
                icmp ? key.icmpId() : key.l4Dst(),
                ttl,
                icmp
                        ? key.l4Src() << 8 | key.l4Dst()
                        : key.protocol() == TCP ? key.tcpFlags() & ~ACK | ackOf(frame, v6) : 0,
                packet.quote.present ? quoted(packet.quote, v6) : null);
    }

    private static int ackOf(byte[] frame, boolean v6) {
        return frame[14 + (v6 ? 40 : 20) + 13] & ACK;
    }

    private static IpPacket quoted(Quote quote, boolean v6) {
        boolean icmp = quote.protocol == (v6 ? ICMPV6 : ICMP);
        return new IpPacket(
                v6,
                (int) quote.srcLow,
                (int) quote.dstLow,
                icmp ? ICMP : quote.protocol,
                icmp ? quote.icmpId : quote.l4Src,
                icmp ? quote.icmpId : quote.l4Dst,
                0,
                0,
                null);
    }

    /** Which of its free public ports a router takes is its own business. */
    IpPacket blurred() {
        boolean chosenSrc = Plan.isChosen(src, srcPort, protocol);
        boolean chosenDst = Plan.isChosen(dst, dstPort, protocol);
        boolean id = isEcho() || quoted == null && protocol == ICMP;
        boolean chosenId = id && (chosenSrc || chosenDst);
        return new IpPacket(
                v6,
                src,
                dst,
                protocol,
                chosenId || chosenSrc ? CHOSEN : srcPort,
                chosenId || chosenDst ? CHOSEN : dstPort,
                ttl,
                detail,
                quoted == null ? null : quoted.blurred());
    }

    @Override
    public String toString() {
        String name =
                switch (protocol) {
                    case TCP -> "tcp";
                    case UDP -> "udp";
                    case ICMP -> "icmp";
                    default -> "protocol " + protocol;
                };
        return name + (protocol == ICMP ? " " + (detail >> 8) + "/" + (detail & 0xff) : "")
                + (protocol == TCP ? " flags " + detail : "")
                + " " + Addresses.end(src, srcPort, v6) + " > " + Addresses.end(dst, dstPort, v6) + " ttl " + ttl
                + (quoted == null ? "" : " about {" + quoted + "}");
    }
}
