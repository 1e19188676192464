package dev.weft.sim.trace;

import dev.weft.sim.flow.FlowKey;
import dev.weft.sim.packet.Ethernet;
import dev.weft.sim.packet.Ipv4;
import dev.weft.sim.packet.Ipv6;
import dev.weft.sim.packet.Tcp;
import java.lang.foreign.MemorySegment;
import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/** The packet inside an ICMP error, which may be cut short, in words: when they say exactly what is there. */
final class QuoteDescriber {
    private QuoteDescriber() {}

    /** @return null when no words say exactly this quote */
    static @Nullable PacketSpec describe(byte[] quote, int etherType) {
        byte[] whole = restored(quote, etherType);
        var frame = new byte[Ethernet.LENGTH + whole.length];
        Ethernet.write(MemorySegment.ofArray(frame), 0, 0, 0, etherType);
        System.arraycopy(whole, 0, frame, Ethernet.LENGTH, whole.length);
        var described = new PacketDescriber(frame).describe();
        if (described.isEmpty()) {
            return null;
        }
        var spec = described.get();
        spec.numbers.remove(Option.SRC_MAC);
        spec.numbers.remove(Option.DST_MAC);
        if (spec.kind == Kind.ND && !spec.has(Option.LINK_MAC)) {
            spec.numbers.put(Option.LINK_MAC, 0L);
        }
        try {
            SpecRules.check(spec, true);
            return Arrays.equals(PacketEncoder.quote(spec), quote) ? spec : null;
        } catch (PacketExpressionException notInWords) {
            return null;
        }
    }

    /** At the length its header tells, with the usual payload where it was cut. */
    private static byte[] restored(byte[] quote, int etherType) {
        var segment = MemorySegment.ofArray(quote);
        boolean v4 = etherType == Ethernet.IPV4;
        int total = v4 ? Ipv4.totalLength(segment, 0) : Ipv6.LENGTH + Ipv6.payloadLength(segment, 0);
        if (total <= quote.length) {
            return quote;
        }
        int payload = payloadOffset(segment, v4);
        byte[] whole = Arrays.copyOf(quote, total);
        if (payload <= quote.length) {
            byte[] missing = PacketEncoder.pattern(quote.length - payload, total - payload);
            System.arraycopy(missing, 0, whole, quote.length, missing.length);
        }
        return whole;
    }

    private static int payloadOffset(MemorySegment segment, boolean v4) {
        int l4;
        int protocol;
        boolean later;
        if (v4) {
            l4 = Ipv4.headerLength(segment, 0);
            protocol = Ipv4.protocol(segment, 0);
            later = (Ipv4.fragmentField(segment, 0) & Ipv4.FRAGMENT_OFFSET) != 0;
        } else {
            long walked = Ipv6.walk(segment, 0, segment.byteSize(), false);
            l4 = Ipv6.walkedLength(walked);
            protocol = Ipv6.walkedProtocol(walked);
            later = Ipv6.walkedFragment(walked) == FlowKey.LATER_FRAGMENT;
        }
        if (later) {
            return l4;
        }
        return switch (protocol) {
            case Ipv4.UDP -> l4 + 8;
            case Ipv4.TCP ->
                segment.byteSize() >= l4 + Tcp.LENGTH ? l4 + Tcp.headerLength(segment, l4) : Integer.MAX_VALUE;
            case Ipv4.ICMP -> v4 ? l4 + 8 : l4;
            case Ipv6.ICMPV6 -> v4 ? l4 : l4 + 8;
            default -> l4;
        };
    }
}
