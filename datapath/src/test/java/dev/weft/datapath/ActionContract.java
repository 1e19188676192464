package dev.weft.datapath;

import static dev.weft.datapath.TestFrames.exact;
import static dev.weft.datapath.TestFrames.key;
import static dev.weft.datapath.TestFrames.toDestination;
import static dev.weft.datapath.TestFrames.udp;
import static org.assertj.core.api.Assertions.assertThat;

import dev.weft.base.IpAddress;
import dev.weft.datapath.WorkerPort.UpcallHandler;
import dev.weft.sim.flow.ActionList;
import dev.weft.sim.packet.Frames;
import java.lang.foreign.MemorySegment;
import java.util.Arrays;
import java.util.List;
import java.util.Set;
import java.util.function.Consumer;
import org.junit.jupiter.api.Test;

/**
 * What every kind of datapath does to frames, action by action: what leaves is the frame that would have been built
 * with the changed fields, to the last bit of every checksum. A kind's test extends it and says how hosts are made.
 */
public abstract class ActionContract extends DatapathSuite {
    private static final int SYN = 0x02;
    private static final int ACK = 0x10;
    private static final int IP_OTHER = 99;

    /** The addresses before and after a rewrite. */
    private enum Family {
        V4("10.0.0.1", "10.0.0.2", "192.0.2.1", "255.254.0.255"),
        V6("fd00::1", "fd00::2", "2001:db8::ffff:0:1", "2001:db8:ffff::2");

        final String src;
        final String dst;
        final String newSrc;
        final String newDst;

        Family(String src, String dst, String newSrc, String newDst) {
            this.src = src;
            this.dst = dst;
            this.newSrc = newSrc;
            this.newDst = newDst;
        }

        String at(String address, int port) {
            return (this == V4 ? address : "[" + address + "]") + ":" + port;
        }

        Frames udp(int srcPort, int dstPort) {
            return Frames.udp(at(src, srcPort), at(dst, dstPort)).payload(33);
        }

        Frames tcp(int srcPort, int dstPort) {
            return Frames.tcp(at(src, srcPort), at(dst, dstPort)).payload(33);
        }

        Frames translatedUdp(int srcPort, int dstPort) {
            return Frames.udp(at(newSrc, srcPort), at(newDst, dstPort)).payload(33);
        }

        Frames translatedTcp(int srcPort, int dstPort) {
            return Frames.tcp(at(newSrc, srcPort), at(newDst, dstPort)).payload(33);
        }

        void translate(ActionList list) {
            setSrc(list, newSrc);
            setDst(list, newDst);
        }

        /** Addresses and ports, as NAT does to both ends. */
        void translate(ActionList list, int srcPort, int dstPort) {
            translate(list);
            list.setL4Src(srcPort);
            list.setL4Dst(dstPort);
        }
    }

    private static void setSrc(ActionList list, String address) {
        IpAddress parsed = IpAddress.parse(address);
        list.setSrc(parsed.high(), parsed.low());
    }

    private static void setDst(ActionList list, String address) {
        IpAddress parsed = IpAddress.parse(address);
        list.setDst(parsed.high(), parsed.low());
    }

    /** Two ports of a host: what comes in by one leaves by the other. */
    private final class Pipe {
        final TestHost host = host(underlay(1), 1);
        final int in = attach(host);
        final int out = attach(host);
        private long flows;

        byte[] through(Frames frame, Consumer<ActionList> rewrites) {
            return through(frame, 0, rewrites);
        }

        /** What leaves when the frame comes in and a flow of its own does this to it. */
        byte[] through(Frames frame, int mtu, Consumer<ActionList> rewrites) {
            byte[] bytes = frame.bytes();
            send(bytes, list -> {
                rewrites.accept(list);
                list.output(out, mtu);
            });
            byte[] left = received(host, out);
            host.datapath().worker(0).remove(flows);
            return left;
        }

        void send(byte[] frame, Consumer<ActionList> fill) {
            assertThat(host.datapath().worker(0).install(++flows, keyAt(host, frame, in), exact(), actions(fill)))
                    .isEqualTo(WorkerPort.INSTALLED);
            host.send(in, frame);
        }
    }

    @Test
    void rewritesAndDecrementsWithRightChecksums() {
        TestHost host = host(underlay(1), 1);
        int a = attach(host);
        int b = attach(host);
        byte[] frame = udp("10.0.0.1", 1000, "10.0.0.2", 53, 64, 10);
        host.datapath().worker(0).install(1, key(frame, a, 0), toDestination(), actions(list -> {
            list.setSrcMac(0x02aa_0000_0001L);
            list.setDstMac(0x02bb_0000_0002L);
            list.decTtl();
            list.output(b, 0);
        }));
        host.send(a, frame);

        byte[] out = received(host, b);
        assertThat(Arrays.copyOf(out, 12)).containsExactly(0x02, 0xbb, 0, 0, 0, 0x02, 0x02, 0xaa, 0, 0, 0, 0x01);
        assertThat(out[TestFrames.ETHERNET + 8]).isEqualTo((byte) 63);
        assertThat(TestFrames.sum(out, TestFrames.ETHERNET, 20, 0)).isEqualTo(0xffff);
        assertThat(TestFrames.transportSum(out)).isEqualTo(0xffff);
    }

    @Test
    void aTtlOfOneGoesToUserSpace() {
        TestHost host = host(underlay(1), 1);
        int a = attach(host);
        int b = attach(host);
        byte[] living = udp("10.0.0.1", 1000, "10.0.0.2", 53, 2, 10);
        byte[] dying = udp("10.0.0.1", 1000, "10.0.0.2", 53, 1, 10);
        host.datapath().worker(0).install(1, key(living, a, 0), toDestination(), actions(list -> {
            list.setSrcMac(1);
            list.decTtl();
            list.output(b, 0);
        }));
        host.send(a, dying);
        Upcall upcall = upcalls(host, 1).getFirst();
        assertThat(upcall.reason()).isEqualTo(UpcallHandler.TTL);
        assertThat(upcall.frame()).as("as it came").isEqualTo(dying);
        host.send(a, living);
        assertThat(received(host, b)[TestFrames.ETHERNET + 8]).isEqualTo((byte) 1);
    }

    @Test
    void aPacketLongerThanTheOutputsMtuGoesToUserSpace() {
        TestHost host = host(underlay(1), 1);
        int a = attach(host);
        int b = attach(host);
        byte[] fits = udp("10.0.0.1", 1000, "10.0.0.2", 53, 2, 1000 - 28);
        byte[] tooLong = udp("10.0.0.1", 1000, "10.0.0.2", 53, 2, 1001 - 28);
        host.datapath().worker(0).install(1, key(fits, a, 0), toDestination(), actions(list -> list.output(b, 1000)));
        host.send(a, tooLong);
        Upcall upcall = upcalls(host, 1).getFirst();
        assertThat(upcall.reason()).isEqualTo(UpcallHandler.MTU);
        assertThat(upcall.frame()).isEqualTo(tooLong);
        host.send(a, fits);
        assertThat(received(host, b)).isEqualTo(fits);
    }

    @Test
    void aFloodNeverGoesBackOutOfItsIngress() {
        TestHost host = host(underlay(1), 1);
        int a = attach(host);
        int b = attach(host);
        int c = attach(host);
        byte[] frame = udp("10.0.0.1", 1000, "10.0.0.2", 53, 64, 10);
        host.datapath().worker(0).install(1, key(frame, a, 0), toDestination(), actions(list -> {
            list.output(b, 0);
            list.output(a, 0);
            list.output(c, 0);
        }));
        host.send(a, frame);
        assertThat(received(host, b)).isEqualTo(frame);
        assertThat(received(host, c)).isEqualTo(frame);
        assertThat(statistics(host, a).sentPackets()).isZero();
        assertThat(host.receive(a)).isNull();
        awaitDrops(host, "ingress-port", 1);
    }

    // Addresses.

    @Test
    void translatesTheAddressesOfEveryProtocol() {
        var pipe = new Pipe();
        for (Family family : Family.values()) {
            assertThat(pipe.through(family.udp(1000, 53), family::translate))
                    .isEqualTo(family.translatedUdp(1000, 53).bytes());
            assertThat(pipe.through(family.tcp(1000, 80), family::translate))
                    .isEqualTo(family.translatedTcp(1000, 80).bytes());
            assertThat(pipe.through(
                            Frames.echoRequest(family.src, family.dst, 7, 1).payload(33), family::translate))
                    .isEqualTo(Frames.echoRequest(family.newSrc, family.newDst, 7, 1)
                            .payload(33)
                            .bytes());
            assertThat(pipe.through(Frames.ip(family.src, family.dst, IP_OTHER).payload(33), family::translate))
                    .isEqualTo(Frames.ip(family.newSrc, family.newDst, IP_OTHER)
                            .payload(33)
                            .bytes());
        }
    }

    @Test
    void translatesBehindOptionsAndExtensionHeaders() {
        var pipe = new Pipe();
        assertThat(pipe.through(Family.V4.udp(1000, 53).ipOptions(40), list -> Family.V4.translate(list, 1, 2)))
                .isEqualTo(Family.V4.translatedUdp(1, 2).ipOptions(40).bytes());
        assertThat(pipe.through(Family.V6.tcp(1000, 53).extensions(3), list -> Family.V6.translate(list, 1, 2)))
                .isEqualTo(Family.V6.translatedTcp(1, 2).extensions(3).bytes());
        assertThat(pipe.through(Frames.echoRequest("fd00::1", "fd00::2", 7, 1).extensions(2), list -> {
                    Family.V6.translate(list);
                    list.setIcmpId(0xfffe);
                }))
                .isEqualTo(Frames.echoRequest(Family.V6.newSrc, Family.V6.newDst, 0xfffe, 1)
                        .extensions(2)
                        .bytes());
    }

    @Test
    void anAddressOfTheOtherFamilyChangesNothing() {
        var pipe = new Pipe();
        assertThat(pipe.through(Family.V4.udp(1000, 53), Family.V6::translate))
                .isEqualTo(Family.V4.udp(1000, 53).bytes());
        assertThat(pipe.through(Family.V6.udp(1000, 53), Family.V4::translate))
                .isEqualTo(Family.V6.udp(1000, 53).bytes());
    }

    @Test
    void whatIsNotIpIsRewrittenInItsEthernetHeaderOnly() {
        var pipe = new Pipe();
        for (Frames frame : List.of(
                Frames.arpRequest("10.0.0.1", "10.0.0.2"),
                Frames.ethernet(0x88cc).payload(50))) {
            byte[] expected = frame.bytes();
            expected[11] = 0x77;
            assertThat(pipe.through(frame, 1000, list -> {
                        Family.V4.translate(list, 1, 2);
                        list.setIcmpId(7);
                        list.setDscp(63);
                        list.setSrcMac(0x0200_0000_0077L);
                    }))
                    .isEqualTo(expected);
        }
    }

    // Ports and ids.

    @Test
    void translatesThePortsOfTcpAndUdp() {
        var pipe = new Pipe();
        for (Family family : Family.values()) {
            assertThat(pipe.through(family.udp(1000, 53), list -> family.translate(list, 0xffff, 0)))
                    .isEqualTo(family.translatedUdp(0xffff, 0).bytes());
            assertThat(pipe.through(family.tcp(1000, 80), list -> family.translate(list, 61_001, 8080)))
                    .isEqualTo(family.translatedTcp(61_001, 8080).bytes());
            assertThat(pipe.through(family.tcp(1000, 80), list -> list.setL4Src(1)))
                    .isEqualTo(family.tcp(1, 80).bytes());
            assertThat(pipe.through(family.udp(1000, 53), list -> list.setL4Dst(1)))
                    .isEqualTo(family.udp(1000, 1).bytes());
        }
    }

    @Test
    void nothingElseHasPorts() {
        var pipe = new Pipe();
        for (Family family : Family.values()) {
            for (Frames frame : List.of(
                    Frames.echoRequest(family.src, family.dst, 7, 1).payload(33),
                    Frames.ip(family.src, family.dst, IP_OTHER).payload(33))) {
                assertThat(pipe.through(frame, list -> {
                            list.setL4Src(1);
                            list.setL4Dst(2);
                        }))
                        .isEqualTo(frame.bytes());
            }
        }
    }

    @Test
    void translatesTheIdOfAnEchoAndOfNothingElse() {
        var pipe = new Pipe();
        for (Family family : Family.values()) {
            assertThat(pipe.through(
                            Frames.echoRequest(family.src, family.dst, 7, 1).payload(33),
                            list -> list.setIcmpId(0xffff)))
                    .isEqualTo(Frames.echoRequest(family.src, family.dst, 0xffff, 1)
                            .payload(33)
                            .bytes());
            assertThat(pipe.through(Frames.echoReply(family.src, family.dst, 7, 1), list -> list.setIcmpId(0)))
                    .isEqualTo(Frames.echoReply(family.src, family.dst, 0, 1).bytes());
            // Unreachable and "time exceeded" of the two families, their rest not an id.
            Frames error =
                    Frames.icmp(family.src, family.dst, 3, 0, 0x0001_0002).payload(40);
            assertThat(pipe.through(error, list -> list.setIcmpId(9))).isEqualTo(error.bytes());
            assertThat(pipe.through(family.udp(1000, 53), list -> list.setIcmpId(9)))
                    .isEqualTo(family.udp(1000, 53).bytes());
        }
    }

    @Test
    void aUdpChecksumOfZeroStaysAndOneThatBecomesZeroIsSentAsOnes() {
        var pipe = new Pipe();
        for (Family family : Family.values()) {
            assertThat(pipe.through(family.udp(1000, 53).withoutChecksum(), list -> family.translate(list, 1, 2)))
                    .isEqualTo(family.translatedUdp(1, 2).withoutChecksum().bytes());
            int checksumAt = (family == Family.V4 ? 34 : 54) + 6;
            // The port that brings the sum of all the rest to 0xffff.
            byte[] rest = family.udp(0, 53).bytes();
            int port = (rest[checksumAt] & 0xff) << 8 | rest[checksumAt + 1] & 0xff;
            byte[] left = pipe.through(family.udp(1000, 53), list -> list.setL4Src(port));
            assertThat(left).isEqualTo(family.udp(port, 53).bytes());
            assertThat(Arrays.copyOfRange(left, checksumAt, checksumAt + 2)).containsExactly(0xff, 0xff);
        }
    }

    @Test
    void aWrongChecksumStaysWrong() {
        var pipe = new Pipe();
        byte[] frame = Family.V4.udp(1000, 53).bytes();
        frame[frame.length - 1] ^= 0x55;
        pipe.send(frame, list -> {
            Family.V4.translate(list, 1, 2);
            list.output(pipe.out, 0);
        });
        byte[] expected = Family.V4.translatedUdp(1, 2).bytes();
        expected[expected.length - 1] ^= 0x55;
        assertThat(received(pipe.host, pipe.out)).isEqualTo(expected);
    }

    // Fragments.

    @Test
    void aFirstFragmentIsTranslatedWhollyAndLaterOnesInTheirAddresses() {
        var pipe = new Pipe();
        for (Family family : Family.values()) {
            Consumer<ActionList> all = list -> {
                family.translate(list, 1, 2);
                list.setIcmpId(3);
            };
            assertThat(pipe.through(family.udp(1000, 53).payload(64).fragment(7, 0, true), all))
                    .isEqualTo(family.translatedUdp(1, 2)
                            .payload(64)
                            .fragment(7, 0, true)
                            .bytes());
            assertThat(pipe.through(
                            Frames.echoRequest(family.src, family.dst, 7, 1)
                                    .payload(64)
                                    .fragment(7, 0, true),
                            all))
                    .isEqualTo(Frames.echoRequest(family.newSrc, family.newDst, 3, 1)
                            .payload(64)
                            .fragment(7, 0, true)
                            .bytes());
            // Of datagrams whose first fragments were not seen: else their keys would have its ports.
            for (boolean more : new boolean[] {true, false}) {
                assertThat(pipe.through(family.udp(1000, 53).payload(64).fragment(9, 72, more), all))
                        .isEqualTo(family.translatedUdp(1, 2)
                                .payload(64)
                                .fragment(9, 72, more)
                                .bytes());
                assertThat(pipe.through(family.tcp(1000, 53).payload(64).fragment(9, 72, more), all))
                        .isEqualTo(family.translatedTcp(1, 2)
                                .payload(64)
                                .fragment(9, 72, more)
                                .bytes());
            }
        }
    }

    // DSCP.

    @Test
    void setsTheDscpAndLeavesEcn() {
        var pipe = new Pipe();
        for (Family family : Family.values()) {
            for (int ecn = 0; ecn < 4; ecn++) {
                for (int dscp : new int[] {0, 46, 63}) {
                    Frames before = family.udp(1000, 53).dscp(10).ecn(ecn);
                    byte[] expected = family.udp(1000, 53).dscp(dscp).ecn(ecn).bytes();
                    assertThat(pipe.through(before, list -> list.setDscp(dscp))).isEqualTo(expected);
                }
            }
        }
    }

    // VLAN.

    @Test
    void tagsUntagsAndReplacesTheTag() {
        var pipe = new Pipe();
        for (Family family : Family.values()) {
            Frames plain = family.udp(1000, 53);
            byte[] untagged = plain.bytes();
            byte[] tagged = family.udp(1000, 53).vlan(0x6123).bytes();
            assertThat(pipe.through(plain, list -> list.pushVlan(0x6123))).isEqualTo(tagged);
            assertThat(pipe.through(plain, ActionList::popVlan))
                    .as("no tag to take")
                    .isEqualTo(untagged);
            Frames foreign = family.udp(1000, 53).vlan(7);
            assertThat(pipe.through(foreign, list -> list.pushVlan(0x6123))).isEqualTo(tagged);
            assertThat(pipe.through(foreign, ActionList::popVlan)).isEqualTo(untagged);
            assertThat(pipe.through(foreign, list -> {
                        list.popVlan();
                        list.pushVlan(0x6123);
                    }))
                    .isEqualTo(tagged);
        }
    }

    @Test
    void rewritesBehindATagThatIsThereComesOrGoes() {
        var pipe = new Pipe();
        for (Family family : Family.values()) {
            Consumer<ActionList> rest = list -> {
                family.translate(list, 1, 2);
                list.setDscp(46);
                list.decTtl();
            };
            Frames tagged = family.udp(1000, 53).vlan(7);
            byte[] expected =
                    family.translatedUdp(1, 2).dscp(46).ttl(63).vlan(7).bytes();
            assertThat(pipe.through(tagged, rest)).isEqualTo(expected);
            assertThat(pipe.through(family.udp(1000, 53), list -> {
                        list.pushVlan(7);
                        rest.accept(list);
                    }))
                    .isEqualTo(expected);
            assertThat(pipe.through(tagged, list -> {
                        rest.accept(list);
                        list.popVlan();
                    }))
                    .isEqualTo(family.translatedUdp(1, 2).dscp(46).ttl(63).bytes());
        }
    }

    @Test
    void anMtuDoesNotCountTheTag() {
        var pipe = new Pipe();
        int fits = 1000 - 28;
        Frames tagged = Frames.udp("10.0.0.1:1", "10.0.0.2:2").payload(fits).vlan(7);
        Frames plain = Frames.udp("10.0.0.1:1", "10.0.0.2:2").payload(fits);
        assertThat(pipe.through(tagged, 1000, list -> {})).isEqualTo(tagged.bytes());
        assertThat(pipe.through(tagged, 1000, ActionList::popVlan)).isEqualTo(plain.bytes());
        assertThat(pipe.through(plain, 1000, list -> list.pushVlan(7))).isEqualTo(tagged.bytes());

        byte[] tooLong =
                Frames.udp("10.0.0.1:1", "10.0.0.2:2").payload(fits + 1).vlan(7).bytes();
        pipe.send(tooLong, list -> {
            list.popVlan();
            setSrc(list, "192.0.2.1");
            list.output(pipe.out, 1000);
        });
        Upcall upcall = upcalls(pipe.host, 1).getFirst();
        assertThat(upcall.reason()).isEqualTo(UpcallHandler.MTU);
        assertThat(upcall.frame()).as("as it came").isEqualTo(tooLong);
    }

    // MSS.

    /** {@code before} no-operations, the option, and an end. */
    private static byte[] mssOption(int before, int mss) {
        var options = new byte[12];
        Arrays.fill(options, 0, before, (byte) 1);
        options[before] = 2;
        options[before + 1] = 4;
        options[before + 2] = (byte) (mss >>> 8);
        options[before + 3] = (byte) mss;
        return options;
    }

    private static Frames withMss(Family family, int flags, int before, int mss) {
        return family.tcp(1000, 80).payload(0).flags(flags).tcpOptions(mssOption(before, mss));
    }

    @Test
    void lowersTheMssOfASynToTheMtuOfItsOutput() {
        var pipe = new Pipe();
        for (Family family : Family.values()) {
            int fits = 1400 - (family == Family.V4 ? 40 : 60);
            for (int flags : new int[] {SYN, SYN | ACK}) {
                for (int before = 0; before < 4; before++) {
                    assertThat(pipe.through(withMss(family, flags, before, 1460), 1400, list -> {}))
                            .as("behind %d options", before)
                            .isEqualTo(withMss(family, flags, before, fits).bytes());
                }
            }
            Frames tagged = withMss(family, SYN, 0, 0xffff).vlan(7);
            assertThat(pipe.through(tagged, 1400, list -> {}))
                    .isEqualTo(withMss(family, SYN, 0, fits).vlan(7).bytes());
        }
    }

    @Test
    void findsTheMssBehindLongerOptions() {
        var pipe = new Pipe();
        byte[] options = {8, 10, 0, 0, 0, 1, 0, 0, 0, 0, 3, 3, 7, 2, 4, 5, (byte) 0xb4, 4, 2, 0};
        byte[] lowered = options.clone();
        lowered[15] = 1360 >>> 8;
        lowered[16] = 1360 & 0xff;
        assertThat(pipe.through(Family.V4.tcp(1, 2).flags(SYN).tcpOptions(options), 1400, list -> {}))
                .isEqualTo(Family.V4.tcp(1, 2).flags(SYN).tcpOptions(lowered).bytes());
    }

    @Test
    void leavesTheMssThatFitsAndAllOtherPacketsAlone() {
        var pipe = new Pipe();
        for (Family family : Family.values()) {
            int fits = 1400 - (family == Family.V4 ? 40 : 60);
            for (Frames frame : List.of(
                    withMss(family, SYN, 1, fits),
                    withMss(family, SYN, 1, 536),
                    withMss(family, ACK, 1, 1460),
                    family.tcp(1, 2).flags(SYN),
                    family.tcp(1, 2).flags(SYN).tcpOptions(new byte[] {0, 2, 4, 5}),
                    family.tcp(1, 2).flags(SYN).tcpOptions(new byte[] {8, 0, 2, 4}),
                    family.tcp(1, 2).flags(SYN).tcpOptions(new byte[] {1, 1, 1, 2}))) {
                assertThat(pipe.through(frame, 1400, list -> {})).isEqualTo(frame.bytes());
            }
            assertThat(pipe.through(withMss(family, SYN, 1, 9000), list -> {}))
                    .as("an output of any MTU")
                    .isEqualTo(withMss(family, SYN, 1, 9000).bytes());
        }
    }

    @Test
    void anMssOnceLoweredStaysSoForLaterOutputs() {
        TestHost host = host(underlay(1), 1);
        int in = attach(host);
        int wide = attach(host);
        int narrow = attach(host);
        byte[] syn = withMss(Family.V4, SYN, 1, 1460).bytes();
        byte[] lowered = withMss(Family.V4, SYN, 1, 1360).bytes();
        host.datapath().worker(0).install(1, key(syn, in, 0), exact(), actions(list -> {
            list.output(wide, 1500);
            list.output(narrow, 1400);
            list.output(wide, 1500);
        }));
        host.send(in, syn);
        assertThat(received(host, wide)).isEqualTo(syn);
        assertThat(received(host, narrow)).isEqualTo(lowered);
        assertThat(received(host, wide)).isEqualTo(lowered);
    }

    // Together.

    @Test
    void translatesRoutesAndTunnels() {
        TestHost sender = host(underlay(1), 1);
        TestHost receiver = host(underlay(2), 1);
        int in = attach(sender);
        int out = attach(receiver);
        receiver.datapath().setPeers(Set.of(underlay(1)));
        receiver.datapath().bindTunnelKey(7, out);
        for (Family family : Family.values()) {
            byte[] syn = withMss(family, SYN, 1, 1460).bytes();
            sender.datapath().worker(0).install(family.ordinal(), key(syn, in, 0), exact(), actions(list -> {
                family.translate(list, 61_000, 8080);
                list.decTtl();
                list.setSrcMac(0x02aa_0000_0001L);
                list.setDstMac(0x02bb_0000_0002L);
                list.setDscp(10);
                list.tunnel(underlay(2).high(), underlay(2).low(), 7, 1400);
            }));
            sender.send(in, syn);
            assertThat(received(receiver, out))
                    .isEqualTo(family.translatedTcp(61_000, 8080)
                            .payload(0)
                            .flags(SYN)
                            .tcpOptions(mssOption(1, family == Family.V4 ? 1360 : 1340))
                            .ttl(63)
                            .from(0x02aa_0000_0001L)
                            .to(0x02bb_0000_0002L)
                            .dscp(10)
                            .bytes());
        }
    }

    @Test
    void eachOutputSendsTheFrameAsItIsThen() {
        TestHost host = host(underlay(1), 1);
        int in = attach(host);
        int switched = attach(host);
        int routed = attach(host);
        int trunk = attach(host);
        Family family = Family.V4;
        byte[] frame = family.udp(1000, 53).bytes();
        host.datapath().worker(0).install(1, key(frame, in, 0), exact(), actions(list -> {
            list.output(switched, 1500);
            list.setSrcMac(0x02aa_0000_0001L);
            list.decTtl();
            family.translate(list, 1, 2);
            list.output(routed, 1500);
            list.pushVlan(9);
            setSrc(list, family.src);
            list.setL4Src(1000);
            list.output(trunk, 1500);
            list.popVlan();
            list.decTtl();
            list.output(switched, 1500);
        }));
        host.send(in, frame);

        assertThat(received(host, switched)).isEqualTo(frame);
        Frames translated = family.translatedUdp(1, 2).ttl(63).from(0x02aa_0000_0001L);
        assertThat(received(host, routed)).isEqualTo(translated.bytes());
        Frames half = Frames.udp(family.at(family.src, 1000), family.at(family.newDst, 2))
                .payload(33)
                .from(0x02aa_0000_0001L);
        assertThat(received(host, switched)).isEqualTo(half.ttl(62).bytes());
        assertThat(received(host, trunk)).isEqualTo(half.ttl(63).vlan(9).bytes());
    }

    @Test
    void executeRewritesAsAFlowDoes() {
        var pipe = new Pipe();
        byte[] frame = Family.V6.tcp(1000, 80).bytes();
        pipe.host.datapath().worker(0).execute(MemorySegment.ofArray(frame), 0, frame.length, pipe.in, actions(list -> {
            Family.V6.translate(list, 1, 2);
            list.pushVlan(9);
            list.output(pipe.out, 1500);
        }));
        assertThat(received(pipe.host, pipe.out))
                .isEqualTo(Family.V6.translatedTcp(1, 2).vlan(9).bytes());
        assertThat(frame).as("the caller's").isEqualTo(Family.V6.tcp(1000, 80).bytes());
    }
}
