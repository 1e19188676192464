package dev.weft.sim.trace;

import dev.weft.sim.packet.Icmp;
import dev.weft.sim.packet.Icmpv6;
import java.util.Map;
import java.util.TreeMap;

/** The ICMP types that have a word. */
final class IcmpTypes {
    private static final Map<String, Integer> V4 = new TreeMap<>(Map.of(
            "echo-request", Icmp.ECHO_REQUEST,
            "echo-reply", Icmp.ECHO_REPLY,
            "unreachable", Icmp.UNREACHABLE,
            "source-quench", Icmp.SOURCE_QUENCH,
            "redirect", Icmp.REDIRECT,
            "time-exceeded", Icmp.TIME_EXCEEDED,
            "parameter-problem", Icmp.PARAMETER_PROBLEM));
    private static final Map<String, Integer> V6 = new TreeMap<>(Map.of(
            "echo-request", Icmpv6.ECHO_REQUEST,
            "echo-reply", Icmpv6.ECHO_REPLY,
            "unreachable", Icmpv6.UNREACHABLE,
            "packet-too-big", Icmpv6.PACKET_TOO_BIG,
            "time-exceeded", Icmpv6.TIME_EXCEEDED,
            "parameter-problem", Icmpv6.PARAMETER_PROBLEM));

    private IcmpTypes() {}

    /** Word to type. */
    static Map<String, Integer> of(boolean v4) {
        return v4 ? V4 : V6;
    }

    /** The word, or {@code type N}. */
    static String word(boolean v4, int type) {
        for (var entry : of(v4).entrySet()) {
            if (entry.getValue() == type) {
                return entry.getKey();
            }
        }
        return "type " + type;
    }

    static boolean isEcho(boolean v4, int type) {
        return v4 ? Icmp.isEcho(type) : Icmpv6.isEcho(type);
    }

    static boolean isError(boolean v4, int type) {
        return v4 ? Icmp.isError(type) : Icmpv6.isError(type);
    }

    /** Whether the rest of the header is an MTU. */
    static boolean hasMtu(boolean v4, int type, long code) {
        return v4 ? type == Icmp.UNREACHABLE && code == Icmp.FRAGMENTATION_NEEDED : type == Icmpv6.PACKET_TOO_BIG;
    }
}
