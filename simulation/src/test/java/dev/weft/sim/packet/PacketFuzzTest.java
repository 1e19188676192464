package dev.weft.sim.packet;

import static org.assertj.core.api.Assertions.assertThat;

import dev.weft.base.Property;
import dev.weft.sim.flow.FlowHome;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.random.RandomGenerator;
import org.junit.jupiter.api.Test;

/** Valid packets that were tampered with. Segments end where the frame ends, so a read behind it throws. */
class PacketFuzzTest {
    private static final byte[][] SEEDS = seeds();

    private static byte[][] seeds() {
        var seeds = new ArrayList<>(Written.all());
        seeds.add(Frames.udp("10.0.1.5:1000", "10.0.2.9:53")
                .ipOptions(40)
                .payload(20)
                .bytes());
        seeds.add(Frames.tcp("10.0.1.5:1000", "10.0.2.9:80")
                .tcpOptions(40)
                .vlan(5)
                .bytes());
        seeds.add(Frames.tcp("[fd00::5]:1", "[fd00::9]:2").extensions(8).bytes());
        seeds.add(Frames.udp("[fd00::5]:1", "[fd00::9]:2")
                .payload(8)
                .extensions(3)
                .fragment(1, 0, true)
                .bytes());
        seeds.add(Frames.udp("10.0.1.5:1", "10.0.2.9:2")
                .payload(8)
                .fragment(1, 8, false)
                .bytes());
        byte[] quoted = Frames.tcp("[fd00::5]:1", "[fd00::9]:2").extensions(4).bytes();
        seeds.add(Frames.icmp("fd00::1", "fd00::5", 1, 0, 0)
                .payload(Arrays.copyOfRange(quoted, 14, quoted.length))
                .bytes());
        seeds.add(Frames.ethernet(0x88b5).payload(20).bytes());
        return seeds.toArray(byte[][]::new);
    }

    @Test
    void survivesTruncationAtEveryLength() {
        for (byte[] seed : SEEDS) {
            for (int length = 0; length <= Math.min(seed.length, 700); length++) {
                examine(Arrays.copyOf(seed, length));
            }
        }
    }

    @Test
    void survivesEveryValueOfEveryHeaderOctet() {
        for (byte[] seed : SEEDS) {
            byte[] frame = Arrays.copyOf(seed, Math.min(seed.length, 160));
            for (int at = 12; at < Math.min(frame.length, 120); at++) {
                byte before = frame[at];
                for (int value :
                        new int[] {0, 1, 2, 4, 5, 6, 7, 8, 0x0f, 0x40, 0x45, 0x4f, 0x60, 0x7f, 0x80, 0xfe, 0xff}) {
                    frame[at] = (byte) value;
                    examineMended(frame);
                }
                frame[at] = before;
            }
        }
    }

    @Test
    void survivesAnyMixOfLies() {
        Property.check("tampered frames never throw", 30_000, random -> {
            byte[] frame = SEEDS[random.nextInt(SEEDS.length)].clone();
            for (int i = random.nextInt(6); i >= 0; i--) {
                tamper(random, frame);
            }
            if (random.nextInt(3) == 0) {
                frame = Arrays.copyOf(frame, random.nextInt(frame.length + 40));
            }
            examineMended(frame);
        });
    }

    @Test
    void readsNoMoreThanTheFrameOfNativeMemory() {
        try (var arena = Arena.ofConfined()) {
            for (byte[] seed : SEEDS) {
                for (int length = 0; length <= Math.min(seed.length, 120); length += 3) {
                    var exact = arena.allocate(Math.max(length, 1), 1).asSlice(0, length);
                    MemorySegment.copy(MemorySegment.ofArray(seed), 0, exact, 0, length);
                    var packet = new Packet();
                    packet.wrap(exact, 0, length);
                    int onNative = PacketParser.parse(packet);
                    var key = packet.key;
                    packet = Frames.wrapped(Arrays.copyOf(seed, length));
                    assertThat(onNative).isEqualTo(PacketParser.parse(packet));
                    assertThat(key).isEqualTo(packet.key);
                }
            }
        }
    }

    @Test
    void takesBoundedTimeForTheWorstPacket() {
        // Extension headers of no length and quotes of them: what a walk without a bound would spin on.
        var body = new byte[60_000];
        Arrays.fill(body, (byte) 0);
        byte[] frame = Frames.ip("fd00::5", "fd00::9", 0).payload(body).bytes();
        byte[] solicitation = Frames.icmp("fd00::5", "ff02::1:ff00:1", 135, 0, 0)
                .ttl(255)
                .payload(body)
                .bytes();
        long before = System.nanoTime();
        for (int i = 0; i < 2_000; i++) {
            assertThat(PacketParser.parse(Frames.wrapped(frame))).isEqualTo(Malformed.IPV6_TOO_MANY_EXTENSIONS.code());
            var packet = Frames.wrapped(solicitation);
            PacketParser.parse(packet);
            assertThat(Ndp.isValidSolicitation(packet)).isFalse();
        }
        assertThat(System.nanoTime() - before)
                .as("nanoseconds for 4,000 packets")
                .isLessThan(10_000_000_000L);
    }

    private static void tamper(RandomGenerator random, byte[] frame) {
        int at = random.nextInt(Math.min(frame.length, 130));
        switch (random.nextInt(4)) {
            case 0 -> frame[at] = (byte) random.nextInt(256);
            case 1 -> frame[at]++;
            case 2 -> frame[at]--;
            default -> frame[at] ^= (byte) (1 << random.nextInt(8));
        }
    }

    /** As it is, and with the IPv4 header checksum mended so that the lie gets further in. */
    private static void examineMended(byte[] frame) {
        examine(frame);
        if (frame.length >= 34 && frame[12] == 8 && frame[13] == 0) {
            int headerLength = (frame[14] & 0xf) * 4;
            if (headerLength >= 20 && frame.length >= 14 + headerLength) {
                byte[] mended = frame.clone();
                Ipv4.fillChecksum(MemorySegment.ofArray(mended), 14, headerLength);
                examine(mended);
            }
        }
    }

    /** Parses, and does with the packet what devices do; anything thrown fails the test. */
    private static void examine(byte[] frame) {
        var packet = Frames.wrapped(frame);
        int code = PacketParser.parse(packet);
        FlowHome.of(packet, 3);
        if (code != Malformed.OK) {
            assertThat(Malformed.of(code).text()).isNotEmpty();
            return;
        }
        assertThat(packet.l3End).isLessThanOrEqualTo(frame.length);
        assertThat(packet.l4Offset).isLessThanOrEqualTo(Math.max(packet.l3End, 0));
        Ndp.isValidSolicitation(packet);
        Ndp.isValidAdvertisement(packet);
        if (packet.l4Offset > 0) {
            for (int type : List.of(Ndp.SOURCE_LINK_ADDRESS, Ndp.TARGET_LINK_ADDRESS)) {
                Ndp.linkAddress(packet.segment, packet.l4Offset, packet.l3End, type);
            }
        }
        if (IcmpErrors.mayAnswer(packet, IcmpError.TIME_EXCEEDED)) {
            String us = packet.key.etherType() == Ethernet.IPV4 ? "10.0.1.1" : "fd00::1";
            var answer = Frames.wrapped(Written.error(packet, IcmpError.TIME_EXCEEDED, 0, us));
            assertThat(PacketParser.parse(answer)).isEqualTo(Malformed.OK);
        }
    }
}
