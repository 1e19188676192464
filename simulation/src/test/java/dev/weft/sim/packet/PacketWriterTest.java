package dev.weft.sim.packet;

import static org.assertj.core.api.Assertions.assertThat;

import dev.weft.sim.trace.PacketExpression;
import java.lang.foreign.MemorySegment;
import java.util.Arrays;
import org.junit.jupiter.api.Test;

class PacketWriterTest {
    @Test
    void answersAnEchoWithItsOwnData() {
        var request = Frames.echoRequest("10.0.1.5", "10.0.1.1", 7, 3)
                .ipOptions(8)
                .payload(56)
                .packet();
        assertThat(PacketExpression.print(Written.echoReply(request)))
                .isEqualTo("icmp echo-reply 10.0.1.1 > 10.0.1.5 src-mac 02:00:00:00:00:01 dst-mac 02:00:00:00:00:05"
                        + " ttl 64 seq 3 id 7 length 56");
        var request6 = Frames.echoRequest("fd00::5", "fd00::1", 7, 3)
                .extensions(2)
                .payload(1)
                .packet();
        assertThat(PacketExpression.print(Written.echoReply(request6)))
                .isEqualTo("icmp6 echo-reply fd00::1 > fd00::5 src-mac 02:00:00:00:00:01 dst-mac 02:00:00:00:00:05"
                        + " ttl 64 seq 3 id 7 length 1");
    }

    @Test
    void quotesAsMuchOfTheCauseAsTheStandardsAllow() {
        var v4 = Frames.udp("10.0.1.5:1", "10.0.2.9:2").payload(3000).packet();
        assertThat(Written.error(v4, IcmpError.TIME_EXCEEDED, 0, "10.0.1.1")).hasSize(14 + 576);
        var v6 = Frames.udp("[fd00::5]:1", "[fd00::9]:2").payload(3000).packet();
        assertThat(Written.error(v6, IcmpError.TIME_EXCEEDED, 0, "fd00::1")).hasSize(14 + 1280);
        var small = Frames.udp("10.0.1.5:1", "10.0.2.9:2").ttl(1).payload(2).packet();
        assertThat(PacketExpression.print(Written.error(small, IcmpError.TIME_EXCEEDED, 0, "10.0.1.1")))
                .endsWith("df about udp 10.0.1.5:1 > 10.0.2.9:2 ttl 1 length 2");
    }

    @Test
    void doesNotQuoteThePaddingOfTheFrame() {
        byte[] padded = Arrays.copyOf(Frames.udp("10.0.1.5:1", "10.0.2.9:2").bytes(), 60);
        var packet = Frames.wrapped(padded);
        assertThat(PacketParser.parse(packet)).isEqualTo(Malformed.OK);
        assertThat(Written.error(packet, IcmpError.NO_ROUTE, 0, "10.0.1.1")).hasSize(14 + 28 + 28);
    }

    @Test
    void givesEachErrorTheTypeAndCodeOfItsFamily() {
        var v4 = Frames.udp("10.0.1.5:1", "10.0.2.9:2").packet();
        var v6 = Frames.udp("[fd00::5]:1", "[fd00::9]:2").packet();
        var text = new StringBuilder();
        for (var error : IcmpError.values()) {
            text.append(error);
            for (byte[] frame :
                    new byte[][] {Written.error(v4, error, 0, "10.0.1.1"), Written.error(v6, error, 0, "fd00::1")}) {
                var written = Frames.wrapped(frame);
                assertThat(PacketParser.parse(written)).isEqualTo(Malformed.OK);
                text.append(' ').append(written.key.l4Src()).append('/').append(written.key.l4Dst());
            }
            text.append('\n');
        }
        assertThat(text).hasToString("""
                        TIME_EXCEEDED 11/0 3/0
                        NO_ROUTE 3/0 1/0
                        REJECTED 3/1 1/6
                        HOST_UNREACHABLE 3/1 1/3
                        PROTOCOL_UNREACHABLE 3/2 4/1
                        PORT_UNREACHABLE 3/3 1/4
                        ADMIN_PROHIBITED 3/13 1/1
                        TOO_BIG 3/4 2/0
                        """);
    }

    @Test
    void writesNothingWhereTheFrameDoesNotFit() {
        var request =
                Frames.echoRequest("10.0.1.5", "10.0.1.1", 7, 3).payload(56).packet();
        int needed = Written.echoReply(request).length;
        var out = MemorySegment.ofArray(new byte[needed]);
        assertThat(PacketWriter.echoReply(out, 1, request, 1, 2)).isEqualTo(PacketWriter.NO_ROOM);
        assertThat(PacketWriter.icmpError(out, 0, request, IcmpError.NO_ROUTE, 0, 1, 2, 0, 0))
                .isEqualTo(PacketWriter.NO_ROOM);
        assertThat(PacketWriter.arpRequest(MemorySegment.ofArray(new byte[41]), 0, 1, 2, 3))
                .isEqualTo(PacketWriter.NO_ROOM);
        assertThat(PacketWriter.tag(out, 0, needed, 5)).isEqualTo(PacketWriter.NO_ROOM);
        assertThat(out.toArray(java.lang.foreign.ValueLayout.JAVA_BYTE)).containsOnly(0);
        assertThat(PacketWriter.echoReply(out, 0, request, 1, 2)).isEqualTo(needed);
    }

    @Test
    void putsTheTagBetweenTheMacsAndTheEthertype() {
        assertThat(PacketExpression.print(Written.tagged(Written.arpRequest(), 0x6005)))
                .isEqualTo("arp request 10.0.1.1 > 10.0.1.5 src-mac 02:00:00:00:00:01 dst-mac ff:ff:ff:ff:ff:ff"
                        + " vlan 5 priority 3");
    }
}
