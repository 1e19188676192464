package dev.weft.sim.sal;

import static dev.weft.sim.sal.SalPackets.control;
import static dev.weft.sim.sal.SalPackets.frame;
import static dev.weft.sim.sal.SalPackets.parsed;
import static dev.weft.sim.sal.SalPackets.service;
import static dev.weft.sim.sal.SalPackets.verdict;
import static org.assertj.core.api.Assertions.assertThat;

import dev.weft.base.IpAddress;
import dev.weft.base.ServiceId;
import dev.weft.sim.packet.Frames;
import dev.weft.sim.packet.Malformed;
import dev.weft.sim.packet.PacketParser;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

class SalParserTest {
    private static final String SYN = control(SalControl.SYN);
    private static final String SOURCE = "400c0000" + "0a090001" + "0a090003";

    @Test
    void readsEveryCapturedPacket() {
        Map<String, byte[]> captured = SalPackets.captured();
        assertThat(captured).hasSize(17);
        captured.forEach((name, octets) -> {
            var packet = parsed(SalPackets.framed(octets));
            assertThat(packet.sal.present).as(name).isTrue();
            assertThat(packet.sal.encapsulated).isFalse();
        });
        var syn = parsed(SalPackets.framed(captured.get("C2")));
        assertThat(syn.sal.srcFlow).isEqualTo(2);
        assertThat(syn.sal.dstFlow).isZero();
        assertThat(syn.sal.flags).isEqualTo(SalControl.SYN);
        assertThat(syn.sal.length).isEqualTo(80);
        assertThat(syn.sal.isForService()).isTrue();
        assertThat(SalSource.count(syn.segment, syn.sal.source)).isEqualTo(2);
        assertThat(IpAddress.ofV4(SalSource.address(syn.segment, syn.sal.source, 1)))
                .hasToString("10.9.0.3");
        for (String direct : List.of("A2", "A3", "A4", "A10", "C3", "C4")) {
            assertThat(parsed(SalPackets.framed(captured.get(direct))).sal.isForService())
                    .as(direct)
                    .isFalse();
        }
    }

    @Test
    void writesEveryCapturedPacketAgainOctetByOctet() {
        SalPackets.captured().forEach((name, octets) -> {
            var packet = parsed(SalPackets.framed(octets));
            var message = SalMessage.decode(packet.segment, packet.sal.offset);
            byte[] transport = Arrays.copyOfRange(octets, 20 + packet.sal.length, octets.length);
            byte[] again = SalPackets.joined(Arrays.copyOf(octets, 20), message.encode(), transport);
            assertThat(again).as(name).isEqualTo(octets);
        });
    }

    @Test
    void takesExtensionsInAnyOrder() {
        var packet = parsed(frame(2, 0, SOURCE, service(), SYN));
        assertThat(packet.sal.flags).isEqualTo(SalControl.SYN);
        assertThat(packet.sal.isForService()).isTrue();
        assertThat(packet.sal.source).isEqualTo(SalPackets.SAL + 12);
        assertThat(packet.sal.service).isEqualTo(SalPackets.SAL + 24);
        assertThat(packet.sal.control).isEqualTo(SalPackets.SAL + 60);
    }

    @Test
    void takesUnconnectedDatagrams() {
        var packet = parsed(frame(2, 0, service(), "20240000" + "00000050" + "0".repeat(56)));
        assertThat(packet.sal.isForService()).isTrue();
        assertThat(SalService.word(packet.segment, packet.sal.fromService, 0)).isEqualTo(0x50L << 32);
        var message = SalMessage.decode(packet.segment, packet.sal.offset);
        assertThat(message.extensions())
                .containsExactly(
                        new SalMessage.Service(ServiceId.of(0x4001)), new SalMessage.Service(ServiceId.of(0x50)));
    }

    @Test
    void takesPaddingAndAddresses() {
        String address = "30100000" + "00000001" + "00000002" + "0a000001";
        assertThat(verdict(frame(2, 3, address, "00000000"))).isEqualTo("ok");
        var message = SalMessage.decode(parsed(frame(2, 3, address, "00000000")).segment, SalPackets.SAL);
        assertThat(message.extensions())
                .startsWith(new SalMessage.Address(1, 2, List.of(IpAddress.parse("10.0.0.1"))))
                .hasSize(5);
        assertThat(verdict(frame(2, 3, "300c0000" + "00000001" + "00000002")))
                .as("no address")
                .isEqualTo("ok");
        assertThat(verdict(frame(2, 3, control(SalControl.ACK), "00000000", "00000000")))
                .as("nine extensions")
                .isEqualTo("ok");
    }

    @Test
    void masksTheGarbageInReservedBits() {
        // As in captures of the original kernel stack: low nibbles of the types, and all that is reserved.
        String control = "1e1486ff" + "13203599" + "00000000" + "f5fe678fd57770fe";
        String service = "22246001" + SalPackets.SERVICE;
        var packet = parsed(frame(2, 0, control, service));
        assertThat(packet.sal.flags).isEqualTo(SalControl.SYN | SalControl.FIN);
        assertThat(packet.sal.isForService()).isTrue();
        assertThat(packet.key.salControl()).isEqualTo(0x80 | 0x04 | SalKey.NAMES_SERVICE);
        assertThat(packet.key.serviceDigest())
                .isEqualTo(parsed(frame(2, 0, SYN, service())).key.serviceDigest());
        byte[] written = SalMessage.decode(packet.segment, packet.sal.offset).encode();
        assertThat(parsed(Frames.ip("10.9.0.1", "10.9.0.3", 144)
                                .payload(written)
                                .bytes())
                        .sal
                        .flags)
                .isEqualTo(SalControl.SYN | SalControl.FIN);
        assertThat(Arrays.copyOfRange(written, 12, 16)).containsExactly(0x10, 0x14, 0x84, 0);
        assertThat(Arrays.copyOfRange(written, 32, 36)).containsExactly(0x20, 0x24, 0, 0);
    }

    @Test
    void namesEachLie() {
        assertThat(verdict(frame(2, 0, SYN, control(0), service()))).isEqualTo("second-sal-control");
        assertThat(verdict(frame(2, 0, service(), service(), service()))).isEqualTo("third-sal-service");
        assertThat(verdict(frame(2, 0, SOURCE, SOURCE))).isEqualTo("second-sal-source");
        assertThat(verdict(frame(2, 0, "40080000" + "0a090001"))).isEqualTo("short-sal-source");
        assertThat(verdict(frame(2, 0, "40040000"))).isEqualTo("short-sal-source");
        assertThat(verdict(frame(2, 0, "400e0000" + "0a090001" + "0a090003" + "0000" + "0000")))
                .isEqualTo("bad-sal-extension-length");
        assertThat(verdict(frame(2, 3, "50040000"))).isEqualTo("unknown-sal-extension");
        assertThat(verdict(frame(2, 3, "f0040000"))).isEqualTo("unknown-sal-extension");
        assertThat(verdict(frame(2, 3, "10182000" + "0".repeat(40)))).isEqualTo("bad-sal-extension-length");
        assertThat(verdict(frame(2, 3, "10132000" + "0".repeat(32)))).isEqualTo("bad-sal-extension-length");
        assertThat(verdict(frame(2, 3, "10000000"))).isEqualTo("bad-sal-extension-length");
        assertThat(verdict(frame(2, 3, "20230000" + SalPackets.SERVICE))).isEqualTo("bad-sal-extension-length");
        assertThat(verdict(frame(2, 3, "20280000" + SalPackets.SERVICE + "00000000")))
                .isEqualTo("bad-sal-extension-length");
        assertThat(verdict(frame(2, 3, "30080000" + "00000000"))).isEqualTo("bad-sal-extension-length");
        assertThat(verdict(frame(2, 0, SYN))).isEqualTo("sal-syn-without-service");
        assertThat(verdict(frame(2, 3, control(SalControl.SYN | SalControl.ACK))))
                .as("SYN-ACK")
                .isEqualTo("ok");
        assertThat(verdict(frame(2, 3, "10142000" + "00".repeat(12)))).isEqualTo("sal-extensions-past-end");
        assertThat(verdict(frame(2, 3, "00000010"))).isEqualTo("sal-extensions-past-end");
        assertThat(verdict(frame(2, 3, control(SalControl.ACK), "00000000", "00000000", "00000000")))
                .as("13 extensions")
                .isEqualTo("sal-too-many-extensions");
        byte[] syn = frame(2, 0, SYN, service());
        assertThat(verdict(with(syn, SalPackets.SAL + 10, syn[SalPackets.SAL + 10] ^ 1)))
                .isEqualTo("bad-sal-checksum");
        assertThat(verdict(with(syn, SalPackets.SAL + 3, 9))).isEqualTo("bad-sal-checksum");
        assertThat(verdict(SalPackets.mended(with(syn, SalPackets.SAL + 8, 2)))).isEqualTo("bad-sal-length");
        assertThat(verdict(SalPackets.mended(with(syn, SalPackets.SAL + 8, 20))))
                .isEqualTo("bad-sal-length");
        assertThat(verdict(SalPackets.mended(with(syn, SalPackets.SAL + 8, 19))))
                .as("the UDP header as padding, then past its end")
                .isNotEqualTo("ok");
        for (int length = 0; length < 12; length++) {
            assertThat(verdict(Frames.ip("10.9.0.1", "10.9.0.3", 144)
                            .payload(length)
                            .bytes()))
                    .isEqualTo("truncated-sal");
        }
    }

    @Test
    void countsTenExtensionsAndNotEleven() {
        // CONTROL, SERVICE, then octets of padding: the lengths must stay a multiple of 4.
        assertThat(verdict(frame(2, 0, SYN, service(), "00".repeat(8)))).isEqualTo("ok");
        assertThat(verdict(frame(2, 0, SYN, service(), SOURCE, "00".repeat(8)))).isEqualTo("sal-too-many-extensions");
    }

    @Test
    void refusesASynThatResets() {
        assertThat(verdict(frame(2, 0, control(SalControl.SYN | SalControl.RST), service())))
                .isEqualTo("sal-syn-with-rst");
        assertThat(verdict(frame(2, 3, control(SalControl.SYN | SalControl.ACK | SalControl.RST))))
                .isEqualTo("sal-syn-with-rst");
    }

    @Test
    void doesNotVerifyTheTransportBehindIt() {
        byte[] syn = frame(2, 0, SYN, service());
        assertThat(verdict(with(syn, syn.length - 1, 0x77))).isEqualTo("ok");
        syn[syn.length - 2] = syn[syn.length - 1] = 0;
        assertThat(verdict(syn)).as("no UDP checksum").isEqualTo("ok");
    }

    @Test
    void findsItInsideUdpBetweenItsPortsOnly() {
        byte[] syn = frame(2, 0, SYN, service());
        var there = parsed(SalPackets.encapsulated(syn, 54324, 54325));
        assertThat(there.sal.encapsulated).isTrue();
        assertThat(there.sal.isForService()).isTrue();
        assertThat(there.sal.offset).isEqualTo(SalPackets.SAL + 8);
        assertThat(there.key.salControl()).isEqualTo(parsed(syn).key.salControl());
        assertThat(there.key.serviceDigest())
                .isEqualTo(parsed(syn).key.serviceDigest())
                .isNotZero();
        assertThat(there.key.l4Dst()).isEqualTo(54325);
        assertThat(parsed(SalPackets.encapsulated(syn, 54325, 40000)).sal.present)
                .as("the answer to a port behind NAT")
                .isTrue();
        var other = parsed(SalPackets.encapsulated(syn, 5000, 53));
        assertThat(other.sal.present).isFalse();
        assertThat(other.key.serviceDigest()).isZero();
    }

    @Test
    void leavesUdpAloneThatOnlyHasOneOfItsPorts() {
        byte[] bad = frame(2, 0, SYN);
        var dns = parsed(SalPackets.encapsulated(bad, 54324, 53));
        assertThat(dns.sal.present).isFalse();
        var empty = Frames.udp("10.0.0.1:54325", "10.0.0.2:53").packet();
        assertThat(empty.sal.present).isFalse();
        assertThat(empty.key.word(8)).isZero();
        var other = Frames.udp("10.0.0.1:54325", "10.0.0.2:53").payload(200).packet();
        assertThat(other.sal.present).isFalse();
        assertThat(other.key.word(8)).as("length 32, protocol 9").isZero();
    }

    @Test
    void leavesFragmentsAndIpv6Alone() {
        byte[] sal = SalPackets.unframed(frame(2, 0, SYN, service()));
        var first = Frames.ip("10.9.0.1", "10.9.0.3", 144)
                .payload(Arrays.copyOfRange(sal, 20, 20 + 32))
                .fragment(7, 0, true)
                .packet();
        assertThat(first.sal.present).isFalse();
        assertThat(first.key.word(8)).isZero();
        var v6 = Frames.ip("fd00::5", "fd00::9", 144)
                .payload(Arrays.copyOfRange(sal, 20, sal.length))
                .packet();
        assertThat(v6.sal.present).isFalse();
        assertThat(v6.key.word(8)).isZero();
    }

    @Test
    void forgetsThePacketBefore() {
        var packet = parsed(frame(2, 0, SYN, service()));
        byte[] data = SalPackets.framed(SalPackets.captured().get("A4"));
        packet.wrap(Frames.wrapped(data).segment, 0, data.length);
        assertThat(PacketParser.parse(packet)).isEqualTo(Malformed.OK);
        assertThat(packet.sal.service).isZero();
        assertThat(packet.sal.flags).isZero();
        assertThat(packet.key.salControl()).isZero();
        assertThat(packet.key.serviceDigest()).isZero();
        assertThat(packet.key.flowId()).isEqualTo(3);
    }

    private static byte[] with(byte[] frame, int at, int octet) {
        byte[] copy = frame.clone();
        copy[at] = (byte) octet;
        return copy;
    }
}
