package dev.weft.state;

import dev.weft.base.HotPath;
import java.util.concurrent.TimeUnit;

/**
 * How long a connection without traffic is remembered, in nanoseconds.
 *
 * @param tcpNanos established TCP; at least 2 h 4 min (RFC 5382 REQ-5)
 * @param tcpTransitoryNanos half-open and closing TCP; at least 4 min (RFC 5382 REQ-5)
 * @param udpNanos UDP; at least 2 min, 5 min recommended (RFC 4787 REQ-5)
 * @param icmpNanos ICMP echo; at least 60 s (RFC 5508 REQ-2)
 * @param otherNanos every other protocol, as long as UDP for want of a better rule
 */
public record Lifetimes(long tcpNanos, long tcpTransitoryNanos, long udpNanos, long icmpNanos, long otherNanos) {
    public static final Lifetimes STANDARD = new Lifetimes(
            TimeUnit.MINUTES.toNanos(124),
            TimeUnit.MINUTES.toNanos(4),
            TimeUnit.MINUTES.toNanos(5),
            TimeUnit.SECONDS.toNanos(60),
            TimeUnit.MINUTES.toNanos(5));

    private static final int ICMP = 1;
    private static final int TCP = 6;
    private static final int UDP = 17;
    private static final int ICMPV6 = 58;

    public Lifetimes {
        positive("tcp", tcpNanos);
        positive("tcp-transitory", tcpTransitoryNanos);
        positive("udp", udpNanos);
        positive("icmp", icmpNanos);
        positive("other", otherNanos);
    }

    /** @param phase a {@link Phase} */
    @HotPath
    public long nanos(int protocol, int phase) {
        return switch (protocol) {
            case TCP -> phase == Phase.OPEN ? tcpNanos : tcpTransitoryNanos;
            case UDP -> udpNanos;
            case ICMP, ICMPV6 -> icmpNanos;
            default -> otherNanos;
        };
    }

    private static void positive(String name, long nanos) {
        if (nanos <= 0) {
            throw new IllegalArgumentException(name + " lifetime " + nanos + " ns (expected more than 0)");
        }
    }
}
