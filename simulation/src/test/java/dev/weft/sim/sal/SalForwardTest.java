package dev.weft.sim.sal;

import static dev.weft.sim.sal.SalPackets.control;
import static dev.weft.sim.sal.SalPackets.frame;
import static dev.weft.sim.sal.SalPackets.parsed;
import static dev.weft.sim.sal.SalPackets.service;
import static org.assertj.core.api.Assertions.assertThat;

import dev.weft.base.IpAddress;
import dev.weft.sim.packet.Checksum;
import dev.weft.sim.packet.Packet;
import dev.weft.sim.packet.PacketWriter;
import java.lang.foreign.MemorySegment;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.Test;

class SalForwardTest {
    private static final String SYN = control(SalControl.SYN);
    private static final int H2 = IpAddress.parse("10.9.0.2").v4Bits();
    private static final int UDP = 17;

    private static byte[] forward(Packet packet, String target) {
        var out = new byte[2_000];
        int address = IpAddress.parse(target).v4Bits();
        int length = SalForward.forward(MemorySegment.ofArray(out), 0, packet, 5, 1, address, packet.ttl - 1);
        assertThat(length).isEqualTo(SalForward.forwardedLength(packet));
        return Arrays.copyOf(out, length);
    }

    private static byte[] readdress(Packet packet, String target) {
        var out = new byte[2_000];
        int address = IpAddress.parse(target).v4Bits();
        int length = SalForward.readdress(MemorySegment.ofArray(out), 0, packet, 5, 1, address, packet.ttl);
        assertThat(length).isEqualTo(SalForward.readdressedLength(packet));
        return Arrays.copyOf(out, length);
    }

    private static List<IpAddress> sources(Packet packet) {
        return SalMessage.decode(packet.segment, packet.sal.offset).extensions().stream()
                .filter(SalMessage.Source.class::isInstance)
                .flatMap(source -> ((SalMessage.Source) source).addresses().stream())
                .toList();
    }

    @Test
    void forwardsACapturedSynAsTheOriginalDid() {
        var captured = SalPackets.captured();
        var syn = parsed(SalPackets.framed(captured.get("C1")));
        assertThat(SalForward.hasPassed(syn)).isFalse();
        assertThat(SalForward.hasRoom(syn)).isTrue();
        assertThat(SalPackets.unframed(forward(syn, "10.9.0.2"))).isEqualTo(captured.get("C2"));
    }

    @Test
    void theSecondRouterAppendsItsAddress() {
        var first = parsed(forward(parsed(frame(2, 0, SYN, service())), "10.9.0.4"));
        var second = parsed(forward(first, "10.9.0.2"));
        assertThat(sources(second)).map(IpAddress::toString).containsExactly("10.9.0.1", "10.9.0.3", "10.9.0.4");
        assertThat(second.ttl).isEqualTo(62);
        assertThat(IpAddress.toString(second.key.srcHigh(), second.key.srcLow()))
                .isEqualTo("10.9.0.1");
        assertThat(IpAddress.toString(second.key.dstHigh(), second.key.dstLow()))
                .isEqualTo("10.9.0.2");
        assertThat(second.sal.length).isEqualTo(12 + 20 + 36 + 16);
        int l4 = second.sal.offset + second.sal.length;
        assertThat(Checksum.isTransportValid(second.segment, second.l3Offset, l4, second.l3End, UDP))
                .isTrue();
    }

    @Test
    void growsSourceWhereItStandsAndLeavesReservedBitsOfOthersAlone() {
        String control = "1e1480ff" + "13203599" + "00000000" + "f5fe678fd57770fe";
        var packet = parsed(frame(2, 0, "450c1234" + "0a090001" + "0a090007", control, service()));
        var forwarded = parsed(forward(packet, "10.9.0.2"));
        assertThat(sources(forwarded)).map(IpAddress::toString).containsExactly("10.9.0.1", "10.9.0.7", "10.9.0.3");
        assertThat(forwarded.segment.get(java.lang.foreign.ValueLayout.JAVA_BYTE, forwarded.sal.control) & 0xff)
                .isEqualTo(0x1e);
    }

    @Test
    void seesThatAPacketCameThroughBefore() {
        var there = parsed(forward(parsed(frame(2, 0, SYN, service())), "10.9.0.2"));
        var back = parsed(forward(there, "10.9.0.3"));
        assertThat(SalForward.hasPassed(there)).isFalse();
        assertThat(SalForward.hasPassed(back)).isTrue();
    }

    @Test
    void appendsToTwentyAddressesAtMost() {
        var full = frame(2, 0, SYN, service(), "40540000" + "0a090009".repeat(20));
        assertThat(SalForward.hasRoom(parsed(full))).isFalse();
        var almost = frame(2, 0, SYN, service(), "40500000" + "0a090009".repeat(19));
        assertThat(SalForward.hasRoom(parsed(almost))).isTrue();
        var padded = frame(2, 0, SYN, service(), "00".repeat(8));
        assertThat(SalForward.hasRoom(parsed(padded))).as("ten extensions").isFalse();
    }

    @Test
    void writesNothingWhereItDoesNotFit() {
        var packet = parsed(frame(2, 0, SYN, service()));
        var out = MemorySegment.ofArray(new byte[packet.l3End + 11]);
        assertThat(SalForward.forward(out, 0, packet, 5, 1, H2, 63)).isEqualTo(PacketWriter.NO_ROOM);
    }

    @Test
    void leavesAWrongTransportChecksumWrongAndAMissingOneMissing() {
        byte[] syn = frame(2, 0, SYN, service());
        syn[syn.length - 1] ^= 0x55;
        var wrong = parsed(forward(parsed(syn), "10.9.0.2"));
        assertThat(Checksum.isTransportValid(
                        wrong.segment, wrong.l3Offset, wrong.sal.offset + wrong.sal.length, wrong.l3End, UDP))
                .isFalse();
        syn[syn.length - 2] = syn[syn.length - 1] = 0;
        byte[] none = forward(parsed(syn), "10.9.0.2");
        assertThat(Arrays.copyOfRange(none, none.length - 2, none.length)).containsExactly(0, 0);
    }

    @Test
    void mendsBothChecksumsWhenEncapsulated() {
        byte[] syn = SalPackets.encapsulated(frame(2, 0, SYN, service()), 54324, 54325);
        var forwarded = parsed(forward(parsed(syn), "10.9.0.2"));
        assertThat(forwarded.sal.encapsulated).isTrue();
        assertThat(sources(forwarded)).map(IpAddress::toString).containsExactly("10.9.0.1", "10.9.0.3");
        assertThat(Checksum.isTransportValid(
                        forwarded.segment, forwarded.l3Offset, forwarded.l4Offset, forwarded.l3End, UDP))
                .isTrue();
        int inner = forwarded.sal.offset + forwarded.sal.length;
        assertThat(Checksum.isTransportValid(forwarded.segment, forwarded.l3Offset, inner, forwarded.l3End, UDP))
                .isTrue();
        syn[SalPackets.SAL + 6] ^= 1;
        var wrong = parsed(forward(parsed(syn), "10.9.0.2"));
        assertThat(Checksum.isTransportValid(wrong.segment, wrong.l3Offset, wrong.l4Offset, wrong.l3End, UDP))
                .isFalse();
    }

    @Test
    void readdressesWithoutATrace() {
        for (byte[] syn : List.of(
                frame(2, 0, SYN, service()), SalPackets.encapsulated(frame(2, 0, SYN, service()), 54324, 54325))) {
            var packet = parsed(syn);
            var readdressed = parsed(readdress(packet, "10.9.0.2"));
            assertThat(readdressed.ttl).isEqualTo(64);
            assertThat(readdressed.sal.source).isZero();
            assertThat(IpAddress.toString(0, readdressed.key.dstLow())).isEqualTo("10.9.0.2");
            int inner = readdressed.sal.offset + readdressed.sal.length;
            assertThat(Checksum.isTransportValid(
                            readdressed.segment, readdressed.l3Offset, inner, readdressed.l3End, UDP))
                    .isTrue();
            assertThat(readdress(readdressed, "10.9.0.3")).isEqualTo(withMacs(syn));
        }
    }

    /** As those that the tests write. */
    private static byte[] withMacs(byte[] frame) {
        var copy = frame.clone();
        Arrays.fill(copy, 0, 12, (byte) 0);
        copy[5] = 1;
        copy[11] = 5;
        return copy;
    }

    @Test
    void takesOffTheTagOfTheLink() {
        byte[] syn = frame(2, 0, SYN, service());
        var tagged = new byte[syn.length + 4];
        System.arraycopy(syn, 0, tagged, 0, 12);
        tagged[12] = (byte) 0x81;
        tagged[15] = 7;
        System.arraycopy(syn, 12, tagged, 16, syn.length - 12);
        assertThat(forward(parsed(tagged), "10.9.0.2")).isEqualTo(forward(parsed(syn), "10.9.0.2"));
    }

    @Test
    void dropsThePaddingOfTheLink() {
        byte[] syn = frame(2, 0, SYN, service());
        var padded = parsed(Arrays.copyOf(syn, syn.length + 30));
        assertThat(forward(padded, "10.9.0.2")).isEqualTo(forward(parsed(syn), "10.9.0.2"));
    }
}
