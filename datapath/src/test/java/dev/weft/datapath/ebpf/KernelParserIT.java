package dev.weft.datapath.ebpf;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;
import static java.lang.foreign.ValueLayout.JAVA_SHORT;
import static org.assertj.core.api.Assertions.assertThat;

import dev.weft.base.Property;
import dev.weft.datapath.bpf.BpfException;
import dev.weft.datapath.bpf.BpfObject;
import dev.weft.datapath.bpf.BpfProgram;
import dev.weft.datapath.kernel.Errno;
import dev.weft.sim.flow.FlowHome;
import dev.weft.sim.flow.FlowKey;
import dev.weft.sim.packet.Frames;
import dev.weft.sim.packet.Malformed;
import dev.weft.sim.packet.Packet;
import dev.weft.sim.packet.PacketParser;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Objects;
import java.util.random.RandomGenerator;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/**
 * The kernel's parser and hashes say what Java's say, frame by frame. Runs src/test/bpf/parsing.bpf.c, which includes
 * parse.h and upcall.h, on frames without any interface.
 */
class KernelParserIT {
    private static final byte[][] SEEDS = seeds();
    private static final int ETHERNET = 14;
    /** The kernel runs programs on no shorter ones of IP: what is too much is cut off there. */
    private static final int LEAST = 60;

    private static final int LONGEST_HEADERS = 192; // of parse.h
    private static final int UNREAD = 1;
    private static final int TAG = 4;

    private static final int VERDICT = 100; // struct reading: behind key and struct parsed
    private static final int HASH = 104;
    private static final int LENGTH = 108;

    private final Arena arena = Arena.ofConfined();
    private final BpfObject object = TestObjects.open("parsing");
    private final MemorySegment buffer = arena.allocate(2048);
    private MemorySegment reading = MemorySegment.NULL;
    private MemorySegment tuple = MemorySegment.NULL;
    private int asSent;
    private int tagBeside;
    private int malformed;
    private int unread;

    @BeforeEach
    void load() {
        try {
            object.load();
        } catch (BpfException refused) {
            Assumptions.assumeFalse(refused.is(Errno.EPERM), refused.getMessage());
            throw refused;
        }
        try (var readings = object.map("readings");
                var tuples = object.map("tuples")) {
            reading = readings.map(arena);
            tuple = tuples.map(arena);
        }
        asSent = object.program("as_sent");
        tagBeside = object.program("tag_beside");
    }

    @AfterEach
    void close() {
        object.close();
        arena.close();
    }

    private static byte[][] seeds() {
        var seeds = new ArrayList<byte[]>();
        for (String[] pair : new String[][] {{"10.0.1.5", "10.0.2.9"}, {"fd00:1::5", "fd00:2::9"}}) {
            boolean v4 = pair[0].indexOf(':') < 0;
            String src = v4 ? pair[0] + ":1000" : "[" + pair[0] + "]:1000";
            String dst = v4 ? pair[1] + ":53" : "[" + pair[1] + "]:53";
            seeds.add(Frames.udp(src, dst).payload(20).dscp(46).bytes());
            seeds.add(Frames.udp(src, dst).payload(20).vlan(0x6005).bytes());
            seeds.add(Frames.tcp(src, dst).tcpOptions(12).payload(5).flags(0x12).bytes());
            seeds.add(Frames.tcp(src, dst).payload(64).fragment(7, 0, true).bytes());
            seeds.add(Frames.udp(src, dst).payload(64).fragment(7, 0, true).bytes());
            seeds.add(Frames.udp(src, dst)
                    .payload(64)
                    .fragment(7, 64, false)
                    .vlan(1)
                    .bytes());
            seeds.add(Frames.ip(pair[0], pair[1], 47).payload(30).bytes());
            seeds.add(Frames.ip(pair[0], pair[1], 59).payload(3).bytes());
            seeds.add(Frames.echoRequest(pair[0], pair[1], 4711, 1).payload(9).bytes());
            seeds.add(Frames.echoReply(pair[0], pair[1], 4711, 1).vlan(0).bytes());
            for (Frames quoted : quotes(pair, src, dst)) {
                byte[] whole = quoted.bytes();
                seeds.add(Frames.icmp(pair[1], pair[0], v4 ? 3 : 1, 1, 0)
                        .payload(Arrays.copyOfRange(whole, 14, whole.length))
                        .bytes());
            }
        }
        seeds.add(Frames.tcp("10.0.1.5:1000", "10.0.2.9:80").ipOptions(40).bytes());
        seeds.add(Frames.tcp("[fd00:1::5]:1", "[fd00:2::9]:2").extensions(8).bytes());
        seeds.add(Frames.tcp("[fd00:1::5]:1", "[fd00:2::9]:2").extensions(9).bytes());
        seeds.add(Frames.arpRequest("10.0.1.5", "10.0.1.1").bytes());
        seeds.add(Frames.arpReply("10.0.1.5", "10.0.1.1").vlan(7).bytes());
        seeds.add(Frames.neighbourSolicitation("fd00:1::5", "fd00:1::1").bytes());
        seeds.add(Frames.ethernet(0x88b5).payload(40).bytes());
        seeds.add(Frames.ethernet(0x88a8).payload(40).bytes());
        seeds.add(Frames.ethernet(0x8100).vlan(3).payload(40).bytes());
        return seeds.toArray(byte[][]::new);
    }

    private static List<Frames> quotes(String[] pair, String src, String dst) {
        return List.of(
                Frames.udp(src, dst).payload(8),
                Frames.tcp(src, dst),
                Frames.tcp(src, dst).extensions(3).ipOptions(12),
                Frames.udp(src, dst).payload(8).fragment(9, 0, true),
                Frames.udp(src, dst).payload(8).fragment(9, 8, true),
                Frames.udp(src, dst).payload(3).extensions(2).fragment(9, 0, true),
                Frames.echoRequest(pair[0], pair[1], 77, 1),
                Frames.icmp(pair[0], pair[1], 3, 1, 0),
                Frames.ip(pair[0], pair[1], 47).payload(12));
    }

    /** The frame as it is sent; where it has a tag, also with the tag beside it. */
    private void compare(byte[] frame) {
        if (frame.length < ETHERNET) {
            return;
        }
        compare(frame, asSent);
        boolean tagged = frame.length > ETHERNET + TAG && frame[12] == (byte) 0x81 && frame[13] == 0;
        if (tagged) {
            compare(frame, tagBeside);
        }
    }

    private void compare(byte[] frame, int program) {
        Packet packet = Frames.wrapped(frame);
        int expected = PacketParser.parse(packet);

        MemorySegment.copy(frame, 0, buffer, JAVA_BYTE, 0, frame.length);
        buffer.asSlice(frame.length).fill((byte) 0);
        reading.set(JAVA_INT, LENGTH, frame.length);
        var run = BpfProgram.testRun(
                program, buffer.asSlice(0, Math.max(frame.length, LEAST)), MemorySegment.NULL, MemorySegment.NULL, 1);
        assertThat(run.returned()).as("%s ran", frameText(frame)).isZero();
        int verdict = reading.get(JAVA_INT, VERDICT);
        if (verdict == UNREAD) {
            unread++;
            assertThat(packet.l4Offset).as(() -> frameText(frame)).isGreaterThan(LONGEST_HEADERS - TAG);
            return;
        }
        if (expected > Malformed.BAD_SAL_LENGTH.code()) {
            assertThat(verdict).as(() -> frameText(frame)).isZero(); // user space looks closer at Serval
            return;
        }
        assertThat(-verdict).as(() -> frameText(frame)).isEqualTo(expected);
        if (expected != Malformed.OK) {
            malformed++;
            return;
        }
        var key = new FlowKey();
        for (int i = 0; i < FlowKey.WORDS; i++) {
            key.setWord(i, reading.get(JAVA_LONG, 8L * i));
        }
        assertThat(key).as(() -> frameText(frame)).isEqualTo(packet.key);
        assertThat(reading.get(JAVA_INT, HASH))
                .as(() -> "home of " + frameText(frame))
                .isEqualTo(FlowHome.hash(packet));
    }

    private static String frameText(byte[] frame) {
        var text = new StringBuilder();
        for (byte octet : frame) {
            text.append(String.format("%02x", octet));
        }
        return text.toString();
    }

    @Test
    void validFramesHaveTheSameKeyAndHome() {
        for (byte[] seed : SEEDS) {
            compare(seed);
        }
    }

    @Test
    void framesCutAnywhereHaveTheSameVerdict() {
        for (byte[] seed : SEEDS) {
            for (int length = ETHERNET; length < seed.length; length++) {
                compare(Arrays.copyOf(seed, length));
            }
        }
    }

    /** As whoever reports an error cuts the packet it quotes: the outer lengths are right. */
    @Test
    void quotesCutAnywhereNameTheSameHome() {
        for (String[] pair : new String[][] {{"10.0.1.5", "10.0.2.9"}, {"fd00:1::5", "fd00:2::9"}}) {
            boolean v4 = pair[0].indexOf(':') < 0;
            String src = v4 ? pair[0] + ":1000" : "[" + pair[0] + "]:1000";
            String dst = v4 ? pair[1] + ":53" : "[" + pair[1] + "]:53";
            for (Frames quoted : quotes(pair, src, dst)) {
                byte[] whole = quoted.bytes();
                for (int end = 14; end <= whole.length; end++) {
                    byte[] error = Frames.icmp(pair[1], pair[0], v4 ? 3 : 1, 1, 0)
                            .payload(Arrays.copyOfRange(whole, 14, end))
                            .bytes();
                    compare(error);
                    compare(Arrays.copyOf(error, error.length + 9)); // what pads the frame is not of the quote
                }
            }
        }
    }

    @Test
    void everyLieInAHeaderHasTheSameVerdict() {
        int[] values = {0, 1, 2, 4, 5, 6, 7, 8, 0x0f, 0x2c, 0x3b, 0x40, 0x45, 0x4f, 0x60, 0x7f, 0x80, 0xfe, 0xff};
        for (byte[] seed : SEEDS) {
            byte[] frame = seed.clone();
            for (int at = 12; at < Math.min(frame.length, 120); at++) {
                byte before = frame[at];
                for (int value : values) {
                    frame[at] = (byte) value;
                    compare(mended(frame));
                }
                frame[at] = before;
            }
        }
        assertThat(malformed).isGreaterThan(1_000);
    }

    @Test
    void anyMixOfLiesHasTheSameVerdict() {
        Property.check("kernel and Java read tampered frames alike", 20_000, random -> compare(tampered(random)));
        assertThat(malformed).isGreaterThan(1_000);
    }

    private static byte[] tampered(RandomGenerator random) {
        byte[] frame = SEEDS[random.nextInt(SEEDS.length)].clone();
        for (int i = random.nextInt(5); i >= 0; i--) {
            int at = random.nextInt(12, frame.length);
            frame[at] = (byte) (random.nextBoolean() ? frame[at] ^ 1 << random.nextInt(8) : random.nextInt(256));
        }
        if (random.nextInt(4) == 0) {
            frame = Arrays.copyOf(frame, random.nextInt(ETHERNET, frame.length + 40));
        }
        return random.nextInt(4) == 0 ? frame : mended(frame);
    }

    /** A copy whose IPv4 header checksum holds, where there is room for one: else all lies end there. */
    private static byte[] mended(byte[] frame) {
        byte[] copy = frame.clone();
        int l3 = copy[12] == (byte) 0x81 && copy[13] == 0 ? ETHERNET + TAG : ETHERNET;
        boolean v4 = copy.length > l3 && copy[l3 - 2] == 0x08 && copy[l3 - 1] == 0;
        int header = v4 ? (copy[l3] & 0x0f) * 4 : 0;
        if (header < 20 || copy.length < l3 + header) {
            return copy;
        }
        copy[l3 + 10] = 0;
        copy[l3 + 11] = 0;
        int sum = Frames.naiveChecksum(Arrays.copyOfRange(copy, l3, l3 + header));
        copy[l3 + 10] = (byte) (sum >>> 8);
        copy[l3 + 11] = (byte) sum;
        return copy;
    }

    @Test
    void headersPastWhatIsLookedAtAreLeftToJava() {
        byte[] frame = Frames.udp("[fd00:1::5]:1000", "[fd00:2::9]:53")
                .payload(20)
                .extensions(1)
                .bytes();
        byte[] longer = Arrays.copyOf(frame, frame.length + 160);
        System.arraycopy(frame, 62, longer, 222, frame.length - 62);
        longer[55] = 20; // of the destination options: 8 + 160 octets
        longer[18] = (byte) ((longer.length - 54) >>> 8);
        longer[19] = (byte) (longer.length - 54);
        Arrays.fill(longer, 62, 222, (byte) 0);
        assertThat(PacketParser.parse(Frames.wrapped(longer))).isEqualTo(Malformed.OK);
        compare(longer);
        assertThat(unread).isEqualTo(1);
    }

    @Test
    void theConnectionHashMeetsTheGoldenVectors() throws IOException {
        int program = object.program("hash_of_tuple");
        var lines = goldenLines();
        assertThat(lines).hasSizeGreaterThan(50);
        for (String line : lines) {
            String[] f = line.split(" ");
            for (int i = 0; i < 4; i++) {
                tuple.set(JAVA_LONG, 8L * i, Long.parseUnsignedLong(f[i], 16));
            }
            tuple.set(JAVA_INT, 32, Integer.parseInt(f[4], 16));
            tuple.set(JAVA_SHORT, 36, (short) Integer.parseInt(f[5], 16));
            tuple.set(JAVA_SHORT, 38, (short) Integer.parseInt(f[6], 16));
            var run = BpfProgram.testRun(program, buffer.asSlice(0, 60), MemorySegment.NULL, MemorySegment.NULL, 1);
            assertThat(run.returned()).as(line).isEqualTo(Integer.parseUnsignedInt(f[7], 16));
        }
    }

    private static List<String> goldenLines() throws IOException {
        try (var in = Objects.requireNonNull(KernelParserIT.class.getResourceAsStream("/golden/connection-hash.txt"))) {
            return new String(in.readAllBytes(), StandardCharsets.US_ASCII)
                    .lines()
                    .filter(line -> !line.startsWith("#"))
                    .toList();
        }
    }
}
