package dev.weft.sim.trace;

import dev.weft.sim.packet.Ethernet;
import dev.weft.sim.packet.PacketParser;
import java.util.Arrays;

/**
 * A packet in words. What {@link #print} says, {@link #parse} reads: for every frame, {@code parse(print(frame))} is
 * that frame, and for every text, {@code print(parse(text))} is its canonical form.
 *
 * <pre>
 * expression = packet option*                          words are parted by spaces; options in any order, each once
 *
 * packet     = udp | tcp   ADDRESS:PORT > ADDRESS:PORT         10.0.1.5:1000 or [fd00:1::5]:1000
 *            | sal   IPV4:FLOW > IPV4:FLOW                     Serval; flow ids, 0 for none
 *            | icmp  TYPE  IPV4 > IPV4                         TYPE: echo-request, echo-reply, unreachable,
 *            | icmp6 TYPE  IPV6 > IPV6                             packet-too-big, time-exceeded, ..., type N
 *            | arp request | arp reply   SENDER > TARGET
 *            | nd solicit    SOURCE > TARGET                   sent to the target's solicited-node group
 *            | nd advertise  SOURCE > DESTINATION              for the source's own address
 *            | ip  ADDRESS > ADDRESS  proto N                  other protocols, and later fragments of any
 *            | eth type N                                      other frames; N like 0x88cc
 *
 * frame      src-mac MAC   dst-mac MAC   vlan N   priority N   dei   pad N (zero octets behind the packet)
 * IP         ttl N (64; discovery 255)   dscp N   ecn N   fragment OFFSET[+]   ip-id N
 *            IPv4: df   ip-options HEX       IPv6: flow-label N
 * TCP        flags syn,ack | none (syn)   seq N   ack N   window N (65535)   tcp-options HEX
 * Serval     control: flags fin,rst,nack,ack,rsyn,syn | none   verno N (0)   ackno N (0)   nonce HEX (0)
 *            service SERVICE   from-service SERVICE   source IPV4,IPV4...       SERVICE: 0x00004001 or 16385
 *            in UDP: udp-src N (54324)   udp-dst N (54325)   udp-checksum N
 *            behind it: UDP of ports 0, or proto 6: TCP of ports 0 with tcp-flags and the other words of TCP;
 *            or bare: no such header   proto N (17)
 * ICMP       code N   echo: id N   seq N   too big: mtu N   others: rest N (the 32 bits behind the checksum)
 *            errors: about PACKET   all that follows is the packet quoted, from its IP header on
 * ARP        sender-mac MAC (src-mac)   target-mac MAC (dst-mac; 0 in a request)
 * ND         flags override,solicited,router (override,solicited)   target ADDRESS   link-mac MAC | none (src-mac)
 *            solicit: to ADDRESS (the IP destination)
 * payload    length N (octets 0, 1, 2, ... behind the last header)   or data HEX
 *            checksum N (of TCP, UDP, ICMP: as it stands; left out: right)
 * </pre>
 *
 * In parentheses what holds when the word is left out. MACs left out come from a {@link MacResolver}. Numbers are
 * decimal or 0x hexadecimal.
 */
public final class PacketExpression {
    private PacketExpression() {}

    /**
     * The frame, checksums right, MACs that are left out derived from the addresses.
     *
     * @throws PacketExpressionException naming the word and what is allowed there
     */
    public static byte[] parse(String text) {
        return parse(text, MacResolver.DERIVED);
    }

    /**
     * The frame, checksums right, MACs that are left out from {@code macs}.
     *
     * @throws PacketExpressionException naming the word and what is allowed there
     */
    public static byte[] parse(String text, MacResolver macs) {
        return PacketEncoder.frame(new ExpressionReader(text).read(), macs);
    }

    /**
     * The frame in words that {@link #parse} turns into the very same octets. What has no words of its own (IPv6
     * extension headers, malformed packets) is printed as {@code eth type N ... data HEX}.
     *
     * @throws IllegalArgumentException when it is shorter than an Ethernet header or longer than any frame
     */
    public static String print(byte[] frame) {
        requireFrame(frame);
        var describer = new PacketDescriber(frame);
        var described = describer.describe();
        if (described.isPresent() && says(described.get(), frame)) {
            return described.get().toText();
        }
        return describer.raw().toText();
    }

    /**
     * The frame in the most telling words, for people: as {@link #print}, but words that leave something unsaid are
     * preferred to octets.
     *
     * @throws IllegalArgumentException when it is shorter than an Ethernet header or longer than any frame
     */
    public static String summary(byte[] frame) {
        requireFrame(frame);
        var describer = new PacketDescriber(frame);
        return describer.describe().orElseGet(describer::raw).toText();
    }

    private static boolean says(PacketSpec spec, byte[] frame) {
        try {
            SpecRules.check(spec, false);
            return Arrays.equals(PacketEncoder.frame(spec, MacResolver.DERIVED), frame);
        } catch (PacketExpressionException notInWords) {
            return false;
        }
    }

    private static void requireFrame(byte[] frame) {
        if (frame.length < Ethernet.LENGTH || frame.length > PacketParser.MAX_FRAME_LENGTH) {
            throw new IllegalArgumentException("frame of " + frame.length + " octets (expected " + Ethernet.LENGTH
                    + ".." + PacketParser.MAX_FRAME_LENGTH + ")");
        }
    }
}
