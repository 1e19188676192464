package dev.weft.sim.packet;

import static org.assertj.core.api.Assertions.assertThat;

import dev.weft.base.IpAddress;
import dev.weft.sim.flow.FlowKey;
import java.lang.foreign.MemorySegment;
import java.util.Arrays;
import org.junit.jupiter.api.Test;

class PacketParserTest {
    private static final int IP = Ethernet.LENGTH;
    private static final int L4 = IP + Ipv4.LENGTH;

    @Test
    void fillsTheKeyOfUdp() {
        var packet = Frames.udp("10.0.1.5:1000", "10.0.2.9:53")
                .ttl(7)
                .dscp(46)
                .payload(9)
                .packet();
        FlowKey key = packet.key;
        assertThat(key.etherType()).isEqualTo(Ethernet.IPV4);
        assertThat(key.srcMac()).isEqualTo(0x020000000005L);
        assertThat(key.dstMac()).isEqualTo(0x020000000001L);
        assertThat(new IpAddress(key.srcHigh(), key.srcLow())).hasToString("10.0.1.5");
        assertThat(new IpAddress(key.dstHigh(), key.dstLow())).hasToString("10.0.2.9");
        assertThat(key.protocol()).isEqualTo(17);
        assertThat(key.dscp()).isEqualTo(46);
        assertThat(key.l4Src()).isEqualTo(1000);
        assertThat(key.l4Dst()).isEqualTo(53);
        assertThat(packet.ttl).isEqualTo(7);
        assertThat(packet.l3Offset).isEqualTo(IP);
        assertThat(packet.l4Offset).isEqualTo(L4);
        assertThat(packet.l3End).isEqualTo(L4 + 8 + 9);
    }

    @Test
    void leavesTheIngressAlone() {
        var packet = Frames.wrapped(Frames.udp("10.0.1.5:1", "10.0.2.9:2").bytes());
        packet.key.setIngress(5, 77);
        PacketParser.parse(packet);
        assertThat(packet.key.inPort()).isEqualTo(5);
        assertThat(packet.key.tunnelKey()).isEqualTo(77);
    }

    @Test
    void keepsOnlyTheFlagsThatAFlowMatches() {
        var packet = Frames.tcp("10.0.1.5:1", "10.0.2.9:2").flags(0xff).packet();
        assertThat(packet.key.tcpFlags()).isEqualTo(FlowKey.TCP_FIN | FlowKey.TCP_SYN | FlowKey.TCP_RST);
    }

    @Test
    void looksThroughOneTagAndMarksPriorityTags() {
        var packet = Frames.udp("10.0.1.5:1", "10.0.2.9:2").vlan(0).packet();
        assertThat(packet.key.vlanTci()).isEqualTo(FlowKey.VLAN_PRESENT);
        assertThat(packet.key.etherType()).isEqualTo(Ethernet.IPV4);
        assertThat(packet.l3Offset).isEqualTo(IP + Vlan.LENGTH);
    }

    @Test
    void findsPortsBehindOptionsAndExtensionHeaders() {
        assertThat(Frames.tcp("10.0.1.5:1", "10.0.2.9:2")
                        .ipOptions(40)
                        .packet()
                        .key
                        .l4Dst())
                .isEqualTo(2);
        var v6 = Frames.tcp("[fd00::5]:1", "[fd00::9]:2")
                .extensions(Ipv6.MAX_EXTENSIONS)
                .packet();
        assertThat(v6.key.protocol()).isEqualTo(Ipv4.TCP);
        assertThat(v6.key.l4Dst()).isEqualTo(2);
        assertThat(codeOf(Frames.tcp("[fd00::5]:1", "[fd00::9]:2").extensions(9)))
                .isEqualTo("ipv6-too-many-extensions");
    }

    @Test
    void readsEchoIdsOfBothFamilies() {
        assertThat(Frames.echoRequest("10.0.1.5", "10.0.2.9", 4711, 1)
                        .packet()
                        .key
                        .icmpId())
                .isEqualTo(4711);
        var reply = Frames.echoReply("fd00::5", "fd00::9", 65535, 1).packet().key;
        assertThat(reply.icmpId()).isEqualTo(65535);
        assertThat(reply.l4Src()).isEqualTo(Icmpv6.ECHO_REPLY);
    }

    @Test
    void putsArpIntoTheAddressFields() {
        var key = Frames.arpReply("10.0.1.5", "10.0.1.1").packet().key;
        assertThat(key.protocol()).isEqualTo(Arp.REPLY);
        assertThat(new IpAddress(key.srcHigh(), key.srcLow())).hasToString("10.0.1.5");
        assertThat(new IpAddress(key.dstHigh(), key.dstLow())).hasToString("10.0.1.1");
    }

    @Test
    void tellsFirstFromLaterFragments() {
        var first = Frames.udp("10.0.1.5:1000", "10.0.2.9:53")
                .payload(16)
                .fragment(9, 0, true)
                .packet();
        assertThat(first.key.fragment()).isEqualTo(FlowKey.FIRST_FRAGMENT);
        assertThat(first.key.l4Dst()).isEqualTo(53);
        var later = Frames.udp("10.0.1.5:1000", "10.0.2.9:53")
                .payload(5)
                .fragment(9, 24, false)
                .packet();
        assertThat(later.key.fragment()).isEqualTo(FlowKey.LATER_FRAGMENT);
        assertThat(later.key.l4Dst()).isZero();
        assertThat(later.l4Offset).isZero();
        var later6 = Frames.udp("[fd00::5]:1", "[fd00::9]:2")
                .payload(8)
                .fragment(9, 24, true)
                .packet();
        assertThat(later6.key.fragment()).isEqualTo(FlowKey.LATER_FRAGMENT);
        assertThat(later6.key.protocol()).isEqualTo(Ipv4.UDP);
        var atomic =
                Frames.udp("[fd00::5]:1", "[fd00::9]:2").fragment(9, 0, false).packet();
        assertThat(atomic.key.fragment()).as("RFC 6946").isEqualTo(FlowKey.NOT_FRAGMENT);
    }

    @Test
    void readsTheQuoteOfAnError() {
        byte[] cause = Frames.tcp("10.0.1.5:1000", "10.0.2.9:80").bytes();
        var packet = Frames.icmp("10.0.2.1", "10.0.1.5", Icmp.UNREACHABLE, Icmp.HOST_UNREACHABLE, 0)
                .payload(Arrays.copyOfRange(cause, IP, L4 + 8))
                .packet();
        assertThat(packet.quote.present).isTrue();
        assertThat(packet.quote.protocol).isEqualTo(Ipv4.TCP);
        assertThat(packet.quote.l4Src).isEqualTo(1000);
        assertThat(packet.quote.l4Dst).isEqualTo(80);
        assertThat(IpAddress.toString(packet.quote.dstHigh, packet.quote.dstLow))
                .isEqualTo("10.0.2.9");
    }

    @Test
    void namesEachLie() {
        var udp = Frames.udp("10.0.1.5:1", "10.0.2.9:2").payload(4);
        assertThat(codeWith(udp, IP, 0x65)).isEqualTo("bad-ipv4-version");
        assertThat(codeWith(udp, IP, 0x44)).isEqualTo("bad-ipv4-header-length");
        assertThat(codeWith(udp, IP + 3, 19)).isEqualTo("bad-ipv4-total-length");
        assertThat(codeWith(udp, IP + 2, 1)).isEqualTo("truncated-ipv4");
        assertThat(codeWith(udp, IP + 8, 63)).isEqualTo("bad-ipv4-checksum");
        assertThat(codeWith(udp, L4 + 5, 7)).isEqualTo("bad-udp-length");
        assertThat(codeWith(udp, L4 + 5, 13)).isEqualTo("bad-udp-length");
        var tcp = Frames.tcp("10.0.1.5:1", "10.0.2.9:2");
        assertThat(codeWith(tcp, L4 + 12, 0x40)).isEqualTo("bad-tcp-data-offset");
        assertThat(codeWith(tcp, L4 + 12, 0x60)).isEqualTo("bad-tcp-data-offset");
        var arp = Frames.arpRequest("10.0.1.5", "10.0.1.1");
        assertThat(codeWith(arp, IP + 4, 8)).isEqualTo("bad-arp");
        assertThat(codeWith(arp, IP + 6, 1)).isEqualTo("bad-arp");
        byte[] mapped = Frames.udp("[fd00::5]:1", "[::ff:0:0]:2").bytes();
        mapped[IP + 34] = mapped[IP + 35] = (byte) 0xff;
        assertThat(codeOf(mapped)).isEqualTo("mapped-address");
        assertThat(codeWith(Frames.udp("[fd00::5]:1", "[fd00::9]:2"), IP, 0x40)).isEqualTo("bad-ipv6-version");
    }

    @Test
    void refusesAnExtensionHeaderThatEndsBehindThePacket() {
        byte[] sixteenOctets = {47, 1, 1, 12, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0};
        for (int length = 0; length < sixteenOctets.length; length++) {
            assertThat(codeOf(Frames.ip("fd00::5", "fd00::9", Ipv6.DESTINATION_OPTIONS)
                            .payload(Arrays.copyOf(sixteenOctets, length))))
                    .isEqualTo("truncated-ipv6");
        }
        var whole = Frames.ip("fd00::5", "fd00::9", Ipv6.DESTINATION_OPTIONS)
                .payload(sixteenOctets)
                .packet();
        assertThat(whole.key.protocol()).isEqualTo(47);
        assertThat(whole.l4Offset).isEqualTo(whole.l3End);
    }

    @Test
    void refusesFragmentsMadeToDeceive() {
        var pingOfDeath =
                Frames.icmp("10.0.1.5", "10.0.2.9", 8, 0, 0).payload(100).fragment(1, 65528, false);
        assertThat(codeOf(pingOfDeath)).isEqualTo("bad-fragment");
        var overlapping = Frames.tcp("10.0.1.5:1", "10.0.2.9:2").payload(8).fragment(1, 8, true);
        assertThat(codeOf(overlapping)).isEqualTo("tiny-fragment");
        var tiny = Frames.ip("10.0.1.5", "10.0.2.9", Ipv4.TCP).payload(16).fragment(1, 0, true);
        assertThat(codeOf(tiny)).isEqualTo("tiny-fragment");
        var ragged = Frames.udp("10.0.1.5:1", "10.0.2.9:2").payload(3).fragment(1, 0, true);
        assertThat(codeOf(ragged)).isEqualTo("bad-fragment");
        assertThat(codeOf(Frames.ip("fd00::5", "fd00::9", 17).payload(100).fragment(1, 65528, false)))
                .isEqualTo("bad-fragment");
    }

    @Test
    void parsesTheLongestFrameAndRefusesALongerOne() {
        assertThat(Frames.tcp("[fd00::5]:1", "[fd00::9]:2")
                        .payload(65535 - 20)
                        .vlan(1)
                        .packet()
                        .l3End)
                .isEqualTo(PacketParser.MAX_FRAME_LENGTH);
        var packet = new Packet();
        packet.wrap(MemorySegment.ofArray(new byte[PacketParser.MAX_FRAME_LENGTH + 1]), 0, 65594);
        assertThat(PacketParser.parse(packet)).isEqualTo(Malformed.FRAME_TOO_LONG.code());
    }

    private static String codeWith(Frames frame, int at, int octet) {
        byte[] octets = frame.bytes();
        octets[at] = (byte) octet;
        return codeOf(octets);
    }

    private static String codeOf(Frames frame) {
        return codeOf(frame.bytes());
    }

    private static String codeOf(byte[] octets) {
        int code = PacketParser.parse(Frames.wrapped(octets));
        return code == Malformed.OK ? "ok" : Malformed.of(code).label();
    }
}
