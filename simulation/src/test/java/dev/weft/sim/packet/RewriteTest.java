package dev.weft.sim.packet;

import static org.assertj.core.api.Assertions.assertThat;

import dev.weft.base.IpAddress;
import dev.weft.base.Property;
import java.lang.foreign.MemorySegment;
import java.util.Arrays;
import org.junit.jupiter.api.Test;

/** A header changed in place is the header that would have been built so. */
class RewriteTest {
    private static final int L3 = Ethernet.LENGTH;
    private static final int L4_V4 = L3 + Ipv4.LENGTH;

    @Test
    void changedPortsAreThoseOfAPacketBuiltWithThem() {
        Property.check("ports", 2_000, random -> {
            int before = random.nextInt(0x1_0000);
            int after = random.nextInt(4) == 0 ? before : random.nextInt(0x1_0000);
            byte[] udp = Frames.udp("10.0.1.5:" + before, "10.0.2.9:" + after).bytes();
            Udp.setSrcPort(MemorySegment.ofArray(udp), L4_V4, after);
            Udp.setDstPort(MemorySegment.ofArray(udp), L4_V4, before);
            assertThat(udp)
                    .isEqualTo(Frames.udp("10.0.1.5:" + after, "10.0.2.9:" + before)
                            .bytes());

            byte[] tcp = Frames.tcp("10.0.1.5:" + before, "10.0.2.9:" + after).bytes();
            Tcp.setSrcPort(MemorySegment.ofArray(tcp), L4_V4, after);
            Tcp.setDstPort(MemorySegment.ofArray(tcp), L4_V4, before);
            assertThat(tcp)
                    .isEqualTo(Frames.tcp("10.0.1.5:" + after, "10.0.2.9:" + before)
                            .bytes());
        });
    }

    @Test
    void aUdpChecksumThatBecomesZeroGoesOutAsOnes() {
        // The source port that makes the sum of all other words 0xffff.
        byte[] frame = Frames.udp("10.0.1.5:0", "10.0.2.9:2").bytes();
        var segment = MemorySegment.ofArray(frame);
        int port = Udp.checksum(segment, L4_V4);
        Udp.setSrcPort(segment, L4_V4, port);
        assertThat(Udp.checksum(segment, L4_V4)).isEqualTo(0xffff);
        assertThat(frame).isEqualTo(Frames.udp("10.0.1.5:" + port, "10.0.2.9:2").bytes());
    }

    @Test
    void aUdpChecksumOfZeroStays() {
        byte[] frame = Frames.udp("10.0.1.5:1", "10.0.2.9:2").withoutChecksum().bytes();
        Udp.setDstPort(MemorySegment.ofArray(frame), L4_V4, 53);
        assertThat(frame)
                .isEqualTo(Frames.udp("10.0.1.5:1", "10.0.2.9:53")
                        .withoutChecksum()
                        .bytes());
    }

    @Test
    void changedAddressesAreThoseOfAPacketBuiltWithThem() {
        byte[] v4 = Frames.ip("10.0.1.5", "10.0.2.9", 99).bytes();
        Ipv4.setSrc(MemorySegment.ofArray(v4), L3, 0xc000_0201);
        Ipv4.setDst(MemorySegment.ofArray(v4), L3, 0xffff_fffe);
        assertThat(v4).isEqualTo(Frames.ip("192.0.2.1", "255.255.255.254", 99).bytes());

        IpAddress src = IpAddress.parse("2001:db8::1");
        IpAddress dst = IpAddress.parse("2001:db8:0:ffff::2");
        byte[] v6 = Frames.ip("fd00::5", "fd00::9", 99).bytes();
        Ipv6.setSrc(MemorySegment.ofArray(v6), L3, src.high(), src.low());
        Ipv6.setDst(MemorySegment.ofArray(v6), L3, dst.high(), dst.low());
        assertThat(v6)
                .isEqualTo(Frames.ip("2001:db8::1", "2001:db8:0:ffff::2", 99).bytes());
    }

    @Test
    void dscpLeavesEcnAndItsNeighboursAlone() {
        for (int dscp = 0; dscp < 64; dscp++) {
            for (int ecn = 0; ecn < 4; ecn++) {
                byte[] v4 =
                        Frames.ip("10.0.1.5", "10.0.2.9", 99).dscp(46).ecn(ecn).bytes();
                Ipv4.setDscp(MemorySegment.ofArray(v4), L3, dscp);
                assertThat(v4)
                        .isEqualTo(Frames.ip("10.0.1.5", "10.0.2.9", 99)
                                .dscp(dscp)
                                .ecn(ecn)
                                .bytes());
                byte[] v6 =
                        Frames.ip("fd00::5", "fd00::9", 99).dscp(46).ecn(ecn).bytes();
                Ipv6.setDscp(MemorySegment.ofArray(v6), L3, dscp);
                assertThat(v6)
                        .isEqualTo(Frames.ip("fd00::5", "fd00::9", 99)
                                .dscp(dscp)
                                .ecn(ecn)
                                .bytes());
            }
        }
    }

    @Test
    void findsTheMssBehindOtherOptionsAtOddOffsetsToo() {
        byte[][] options = {
            {2, 4, 5, (byte) 0xb4},
            {1, 2, 4, 5, (byte) 0xb4, 1, 1, 1},
            {4, 2, 3, 3, 7, 2, 4, 5, (byte) 0xb4, 0, 0, 0},
        };
        int[] offsets = {22, 23, 27};
        for (int i = 0; i < options.length; i++) {
            byte[] frame = syn(options[i]);
            var segment = MemorySegment.ofArray(frame);
            assertThat(Tcp.mssOffset(segment, L4_V4)).isEqualTo(offsets[i]);
            assertThat(Tcp.mss(segment, L4_V4, offsets[i])).isEqualTo(1460);
            Tcp.setMss(segment, L4_V4, offsets[i], 0x0123);
            byte[] changed = options[i].clone();
            changed[offsets[i] - 20] = 0x01;
            changed[offsets[i] - 19] = 0x23;
            assertThat(frame).isEqualTo(syn(changed));
        }
    }

    @Test
    void takesNothingElseForAnMss() {
        byte[][] options = {
            {},
            {1, 1, 1, 1},
            {0, 2, 4, 5},
            {8, 0, 2, 4},
            {8, 10, 2, 4, 5, 0, 2, 4, 5, 0, 1, 1},
            {2, 3, 5, 2, 4, 5, 0, 0},
            {1, 1, 1, 2},
            {8, 40, 0, 0},
        };
        for (byte[] each : options) {
            assertThat(Tcp.mssOffset(MemorySegment.ofArray(syn(each)), L4_V4))
                    .as("options %s", Arrays.toString(each))
                    .isZero();
        }
    }

    private static byte[] syn(byte[] options) {
        return Frames.tcp("10.0.1.5:1", "10.0.2.9:2")
                .flags(0x02)
                .tcpOptions(options)
                .payload(8)
                .bytes();
    }
}
