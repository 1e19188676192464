package dev.weft.it.oracle;

import dev.weft.sim.packet.Frames;
import java.nio.ByteBuffer;
import java.util.List;

/**
 * What became of a packet: where it was delivered and as what. ICMP's id stands for both ports.
 *
 * @param port a VM; empty: nowhere
 */
record Fate(String port, int src, int dst, int protocol, int srcPort, int dstPort, int ttl) {
    static final Fate DROPPED = new Fate("", 0, 0, 0, 0, 0, 0);
    static final int UDP = 17;
    static final int TCP = 6;
    static final int ICMP = 1;
    private static final int MARK = 0x57454654;
    private static final int SYN = 2;
    private static final int SYN_ACK = 0x12;

    boolean delivered() {
        return !port.isEmpty();
    }

    /** Which of its free public ports a router takes is its own business. */
    Fate blurred() {
        int range = Plan.FIRST_PUBLIC_PORT;
        if (src != Addresses.of(Plan.PUBLIC)) {
            return this;
        }
        boolean chosen = protocol == ICMP || srcPort >= range && srcPort < range + Plan.PUBLIC_PORTS;
        return new Fate(port, src, dst, protocol, chosen ? -1 : srcPort, protocol == ICMP ? -1 : dstPort, ttl);
    }

    /** The answer of who got it. */
    Fate answer(String from) {
        return new Fate(from, dst, src, protocol, dstPort, srcPort, 64);
    }

    /** Payload: a mark and a number. */
    Frames frame(int number, boolean answer) {
        byte[] payload = ByteBuffer.allocate(20).putInt(MARK).putInt(number).array();
        String from = Addresses.text(src);
        String to = Addresses.text(dst);
        var frame =
                switch (protocol) {
                    case UDP -> Frames.udp(from + ":" + srcPort, to + ":" + dstPort);
                    case TCP ->
                        Frames.tcp(from + ":" + srcPort, to + ":" + dstPort).flags(answer ? SYN_ACK : SYN);
                    default ->
                        answer ? Frames.echoReply(from, to, srcPort, 1) : Frames.echoRequest(from, to, srcPort, 1);
                };
        return frame.ttl(ttl).payload(payload);
    }

    /** The number in a frame that {@link #frame} made; -1 in any other. */
    static int numberIn(byte[] frame) {
        int at = payloadAt(frame);
        var bytes = ByteBuffer.wrap(frame);
        return at > 0 && frame.length >= at + 8 && bytes.getInt(at) == MARK ? bytes.getInt(at + 4) : -1;
    }

    static Fate of(String port, byte[] frame) {
        var bytes = ByteBuffer.wrap(frame);
        int protocol = frame[23];
        boolean echo = protocol == ICMP;
        int first = Short.toUnsignedInt(bytes.getShort(echo ? 38 : 34));
        int second = Short.toUnsignedInt(bytes.getShort(echo ? 38 : 36));
        return new Fate(
                port, bytes.getInt(26), bytes.getInt(30), protocol, first, second, Byte.toUnsignedInt(frame[22]));
    }

    /** As the topology fixture tells it: actions, the last of them {@code output PORT}; or anything else. */
    Fate after(String outcome) {
        Fate fate = DROPPED;
        int newSrc = src;
        int newDst = dst;
        int newSrcPort = srcPort;
        int newDstPort = dstPort;
        int newTtl = ttl;
        for (String action : List.of(outcome.split(", "))) {
            String[] words = action.split(" ");
            switch (words[0]) {
                case "dec-ttl" -> newTtl--;
                case "set-src" -> newSrc = Addresses.of(words[1]);
                case "set-dst" -> newDst = Addresses.of(words[1]);
                case "set-l4-src" -> newSrcPort = Integer.parseInt(words[1]);
                case "set-l4-dst" -> newDstPort = Integer.parseInt(words[1]);
                case "set-icmp-id" -> {
                    newSrcPort = Integer.parseInt(words[1]);
                    newDstPort = newSrcPort;
                }
                case "output" -> fate = new Fate(words[1], newSrc, newDst, protocol, newSrcPort, newDstPort, newTtl);
                default -> {}
            }
        }
        return fate;
    }

    private static int payloadAt(byte[] frame) {
        if (frame.length < 42 || frame[12] != 8 || frame[13] != 0 || frame[14] != 0x45) {
            return -1;
        }
        return switch (frame[23]) {
            case UDP -> 42;
            case TCP -> 54;
            case ICMP -> frame[34] == 8 || frame[34] == 0 ? 42 : -1;
            default -> -1;
        };
    }

    @Override
    public String toString() {
        return delivered()
                ? "at %s: protocol %d %s:%d > %s:%d ttl %d"
                        .formatted(port, protocol, Addresses.text(src), srcPort, Addresses.text(dst), dstPort, ttl)
                : "dropped";
    }
}
