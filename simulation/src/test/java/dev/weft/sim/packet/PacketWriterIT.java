package dev.weft.sim.packet;

import static org.assertj.core.api.Assertions.assertThat;

import dev.weft.sim.trace.PacketExpression;
import java.lang.foreign.MemorySegment;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What goes on the wire, in the eyes of a parser that is not ours. */
class PacketWriterIT {
    private static final String[] CHECKSUMS = {
        "ip.checksum.status",
        "tcp.checksum.status",
        "udp.checksum.status",
        "icmp.checksum.status",
        "icmpv6.checksum.status"
    };

    @TempDir
    Path folder;

    @BeforeEach
    void needsTshark() {
        Assumptions.assumeTrue(Tshark.isPresent(), "tshark is not on the PATH");
    }

    @Test
    void everyWrittenFrameIsWellFormedWithRightChecksums() throws Exception {
        assertSound(Written.all());
    }

    @Test
    void everyFrameOfAnExpressionIsWellFormedWithRightChecksums() throws Exception {
        var frames = new ArrayList<byte[]>();
        for (String text : List.of(
                "udp 10.0.1.5:1000 > 10.0.2.9:5300 length 33",
                "udp [fd00::5]:1000 > [fd00::9]:5300 vlan 5 length 1",
                "tcp 10.0.1.5:1000 > 10.0.2.9:8000 ip-options 01010101 tcp-options 020405b4 length 7",
                "tcp [fd00::5]:1000 > [fd00::9]:8000 flags ack length 1000",
                "icmp echo-request 10.0.1.5 > 10.0.2.9 id 7 seq 1 length 56",
                "icmp6 echo-request fd00::5 > fd00::9 id 7 seq 1 length 55",
                "icmp unreachable 10.0.2.1 > 10.0.1.5 code 4 mtu 1400 about tcp 10.0.1.5:1 > 10.0.2.9:2 length 2000",
                "nd solicit fd00:1::5 > fd00:1::1",
                "nd solicit :: > fd00:1::1",
                "nd advertise fd00:1::1 > fd00:1::5",
                "arp request 10.0.1.5 > 10.0.1.1")) {
            frames.add(PacketExpression.parse(text));
        }
        assertSound(frames);
    }

    @Test
    void aMendedHeaderChecksumIsRight() throws Exception {
        var frames = new ArrayList<byte[]>();
        for (int ttl = 0; ttl < 256; ttl++) {
            byte[] frame = Frames.udp("10.0.1.5:1", "10.0.2.9:2").ttl(ttl).bytes();
            Ipv4.setTtl(MemorySegment.ofArray(frame), Ethernet.LENGTH, 255 - ttl);
            frames.add(frame);
        }
        assertSound(frames);
    }

    @Test
    void theFieldsSayWhatWasAskedFor() throws Exception {
        var tcp = Frames.tcp("10.0.1.5:1000", "10.0.2.9:80").packet();
        var frames = List.of(
                Written.error(tcp, IcmpError.TOO_BIG, 1400, "10.0.1.1"),
                Written.error(
                        Frames.udp("[fd00:1::5]:1", "[fd00:2::9]:2").packet(), IcmpError.TOO_BIG, 1300, "fd00:1::1"),
                Written.echoReply(
                        Frames.echoRequest("10.0.1.5", "10.0.1.1", 7, 3).packet()),
                Written.advertisement("fd00:1::1", "fd00:1::5", Ndp.ROUTER | Ndp.SOLICITED),
                Written.arpReply());
        assertThat(Tshark.fields(folder, frames.subList(0, 1), "ip.src", "icmp.type", "icmp.code", "icmp.mtu"))
                .containsExactly("10.0.1.1,10.0.1.5\t3\t4\t1400");
        assertThat(Tshark.fields(folder, frames.subList(1, 2), "ipv6.dst", "icmpv6.type", "icmpv6.mtu"))
                .containsExactly("fd00:1::5,fd00:2::9\t2\t1300");
        assertThat(Tshark.fields(folder, frames.subList(2, 3), "ip.dst", "icmp.type", "icmp.ident", "icmp.seq"))
                .containsExactly("10.0.1.5\t0\t7\t3");
        assertThat(Tshark.fields(
                        folder,
                        frames.subList(3, 4),
                        "icmpv6.nd.na.target_address",
                        "icmpv6.opt.target_linkaddr",
                        "icmpv6.nd.na.flag.r",
                        "icmpv6.nd.na.flag.s",
                        "icmpv6.nd.na.flag.o",
                        "ipv6.hlim"))
                .containsExactly("fd00:1::1\t02:00:00:00:00:01\t1\t1\t0\t255");
        assertThat(Tshark.fields(folder, frames.subList(4, 5), "arp.opcode", "arp.src.hw_mac", "arp.dst.proto_ipv4"))
                .containsExactly("2\t02:00:00:00:00:01\t10.0.1.5");
    }

    /** Status 1 is good. The checksum inside a quote that was cut short cannot be right, so there TCP and UDP are left out. */
    private void assertSound(List<byte[]> frames) throws Exception {
        var checksums = Tshark.fields(folder, frames, CHECKSUMS);
        var complaints = Tshark.fields(folder, frames, "_ws.malformed", "_ws.expert.message");
        assertThat(checksums).hasSameSizeAs(frames);
        assertThat(complaints).hasSameSizeAs(frames);
        for (int i = 0; i < frames.size(); i++) {
            String text = PacketExpression.print(frames.get(i));
            var packet = Frames.wrapped(frames.get(i));
            assertThat(PacketParser.parse(packet)).as(text).isEqualTo(Malformed.OK);
            String[] status = checksums.get(i).split("\t", -1);
            if (packet.quote.present) {
                status[1] = status[2] = "";
            } else {
                assertThat(complaints.get(i)).as(text).doesNotContainIgnoringCase("bad", "incorrect", "should be");
            }
            assertThat(complaints.get(i)).as(text).doesNotContainIgnoringCase("malformed");
            assertThat(status).as(text).allMatch(one -> one.matches("(1(,1)*)?"));
            assertThat(String.join("", status).isEmpty()).as(text).isEqualTo(packet.key.etherType() == Ethernet.ARP);
        }
    }
}
