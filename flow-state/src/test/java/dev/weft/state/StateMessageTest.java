package dev.weft.state;

import static org.assertj.core.api.Assertions.assertThat;

import dev.weft.base.Allocation;
import dev.weft.base.IpAddress;
import dev.weft.base.MacAddress;
import dev.weft.base.Property;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.Arrays;
import java.util.UUID;
import java.util.random.RandomGenerator;
import org.junit.jupiter.api.Test;

final class StateMessageTest {
    private static final UUID PORT = UUID.fromString("00112233-4455-6677-8899-aabbccddeeff");
    private static final UUID ROUTER = UUID.fromString("01234567-89ab-4def-8123-456789abcdef");

    private final MemorySegment frame = MemorySegment.ofArray(new byte[StateMessage.MAX_LENGTH + 8]);
    private final Connection read = new Connection();

    @Test
    void writesTheGoldenRecordsOfLayoutOne() throws IOException {
        assertWritten(RecordCodec.write(frame, 3, udp4(), udp4().answer.homeHash(), false), "state-1-record-udp4.bin");
        assertWritten(RecordCodec.write(frame, 3, tcp6(), tcp6().forward.homeHash(), true), "state-1-record-tcp6.bin");
    }

    @Test
    void refusesConnectionsOfOneTuple() throws IOException {
        // Kind 1, before records had two: its number is not given again.
        var old = golden("state-1-connection-udp4.bin");
        assertThat(StateMessage.check(old, 0, (int) old.byteSize())).isEqualTo(StateMessage.UNKNOWN_KIND);
        old = golden("state-1-connection-tcp6.bin");
        assertThat(StateMessage.check(old, 0, (int) old.byteSize())).isEqualTo(StateMessage.UNKNOWN_KIND);
    }

    @Test
    void writesTheGoldenNeighbourMessagesOfLayoutOne() throws IOException {
        var ip = IpAddress.parse("10.0.2.9");
        var asker = IpAddress.parse("172.16.0.1");
        long routerHigh = ROUTER.getMostSignificantBits();
        long routerLow = ROUTER.getLeastSignificantBits();
        int asked = StateMessage.writeNeighbourAsk(
                frame, 3, routerHigh, routerLow, ip.high(), ip.low(), asker.high(), asker.low(), 0x8000_0003);
        assertWritten(asked, "state-1-neighbour-ask.bin");
        long mac = MacAddress.parse("02:aa:bb:cc:dd:ee").bits();
        int answered = StateMessage.writeNeighbourAnswer(
                frame, 3, 0x8000_0003, routerHigh, routerLow, ip.high(), ip.low(), mac, 1, 2, 3, 4);
        assertWritten(answered, "state-1-neighbour-answer.bin");
    }

    @Test
    void readsTheGoldenMessagesOfLayoutOne() throws IOException {
        var udp = golden("state-1-record-udp4.bin");
        assertThat(StateMessage.check(udp, 0, (int) udp.byteSize())).isEqualTo(StateMessage.OK);
        assertThat(StateMessage.kind(udp, 0)).isEqualTo(StateMessage.CONNECTION);
        RecordCodec.read(udp, 0, read);
        assertSame(read, udp4());
        assertThat(RecordCodec.isFromCopy(udp, 0)).isFalse();
        assertThat(StateMessage.homeHash(udp, 0)).isEqualTo(udp4().answer.homeHash());

        var tcp = golden("state-1-record-tcp6.bin");
        assertThat(StateMessage.check(tcp, 0, (int) tcp.byteSize())).isEqualTo(StateMessage.OK);
        RecordCodec.read(tcp, 0, read);
        assertSame(read, tcp6());
        assertThat(RecordCodec.isFromCopy(tcp, 0)).isTrue();

        var ask = golden("state-1-neighbour-ask.bin");
        assertThat(StateMessage.check(ask, 0, (int) ask.byteSize())).isEqualTo(StateMessage.OK);
        assertThat(StateMessage.kind(ask, 0)).isEqualTo(StateMessage.NEIGHBOUR_ASK);
        assertThat(new UUID(StateMessage.routerHigh(ask, 0), StateMessage.routerLow(ask, 0)))
                .isEqualTo(ROUTER);
        assertThat(IpAddress.toString(StateMessage.addressHigh(ask, 0), StateMessage.addressLow(ask, 0)))
                .isEqualTo("10.0.2.9");
        assertThat(IpAddress.toString(StateMessage.askerHigh(ask, 0), StateMessage.askerLow(ask, 0)))
                .isEqualTo("172.16.0.1");
        assertThat(StateMessage.askerHome(ask, 0)).isEqualTo(0x8000_0003);

        var answer = golden("state-1-neighbour-answer.bin");
        assertThat(StateMessage.check(answer, 0, (int) answer.byteSize())).isEqualTo(StateMessage.OK);
        assertThat(StateMessage.kind(answer, 0)).isEqualTo(StateMessage.NEIGHBOUR_ANSWER);
        assertThat(MacAddress.toString(StateMessage.mac(answer, 0))).isEqualTo("02:aa:bb:cc:dd:ee");
        assertThat(StateMessage.homeHash(answer, 0)).isEqualTo(0x8000_0003);
        assertThat(new UUID(StateMessage.routerPortHigh(answer, 0), StateMessage.routerPortLow(answer, 0)))
                .isEqualTo(new UUID(1, 2));
        assertThat(new UUID(StateMessage.vmPortHigh(answer, 0), StateMessage.vmPortLow(answer, 0)))
                .isEqualTo(new UUID(3, 4));
    }

    @Test
    void writesAndReadsTheGoldenLearnedMac() throws IOException {
        long mac = MacAddress.parse("02:aa:bb:cc:dd:ee").bits();
        assertWritten(StateMessage.writeMacLearned(frame, 3, 1, 2, 3, 4, mac, 7), "state-1-mac-learned.bin");

        var learned = golden("state-1-mac-learned.bin");
        assertThat(StateMessage.check(learned, 0, (int) learned.byteSize())).isEqualTo(StateMessage.OK);
        assertThat(StateMessage.kind(learned, 0)).isEqualTo(StateMessage.MAC_LEARNED);
        assertThat(new UUID(StateMessage.bridgeHigh(learned, 0), StateMessage.bridgeLow(learned, 0)))
                .isEqualTo(new UUID(1, 2));
        assertThat(new UUID(StateMessage.macPortHigh(learned, 0), StateMessage.macPortLow(learned, 0)))
                .isEqualTo(new UUID(3, 4));
        assertThat(StateMessage.learnedMac(learned, 0)).isEqualTo(mac);
        assertThat(StateMessage.vlan(learned, 0)).isEqualTo(7);
        assertThat(spoiled("state-1-mac-learned.bin", 54, 0x03)).as("group MAC").isEqualTo("wrong-value");
        assertThat(spoiled("state-1-mac-learned.bin", 60, 0x10)).as("VLAN 4103").isEqualTo("wrong-value");
    }

    @Test
    void everyTruncationIsRefusedAndPaddingIsNot() throws IOException {
        for (String name :
                new String[] {"state-1-record-udp4.bin", "state-1-neighbour-ask.bin", "state-1-neighbour-answer.bin"}) {
            byte[] whole = golden(name).toArray(ValueLayout.JAVA_BYTE);
            for (int length = 0; length < whole.length; length++) {
                // A segment of that size: reading past the end would throw.
                var cut = MemorySegment.ofArray(Arrays.copyOf(whole, length));
                assertThat(StateMessage.check(cut, 0, length))
                        .as(name + " cut to " + length)
                        .isEqualTo(StateMessage.TRUNCATED);
            }
            var padded = MemorySegment.ofArray(Arrays.copyOf(whole, whole.length + 40));
            assertThat(StateMessage.check(padded, 0, whole.length + 40)).isEqualTo(StateMessage.OK);
        }
    }

    @Test
    void lyingFieldsAreRefusedEachByItsName() throws IOException {
        var connection = "state-1-record-udp4.bin";
        assertThat(spoiled(connection, 12, 0x08)).isEqualTo("not-state");
        assertThat(spoiled(connection, 18, 0)).isEqualTo("unknown-version");
        assertThat(spoiled(connection, 18, 2)).isEqualTo("unknown-version");
        assertThat(spoiled(connection, 19, 1)).isEqualTo("unknown-kind");
        assertThat(spoiled(connection, 19, 0)).isEqualTo("unknown-kind");
        assertThat(spoiled(connection, 19, 255)).isEqualTo("unknown-kind");
        assertThat(spoiled(connection, 19, StateMessage.NEIGHBOUR_ASK)).isEqualTo("wrong-length");
        assertThat(spoiled(connection, 20, 0xff)).isEqualTo("wrong-length");
        assertThat(spoiled(connection, 21, 59)).isEqualTo("wrong-length");
        assertThat(spoiled(connection, 22, 4)).as("phase").isEqualTo("wrong-value");
        assertThat(spoiled(connection, 22, 0x81)).as("phase").isEqualTo("wrong-value");
        assertThat(spoiled(connection, 34, 2)).as("bindings that are not there").isEqualTo("wrong-value");
        assertThat(spoiled(connection, 80, 1)).as("mixed families").isEqualTo("wrong-value");
        assertThat(spoiled(connection, 136, 3)).as("a binding's kind").isEqualTo("wrong-value");
        assertThat(spoiled(connection, 140, 1)).as("a binding's family").isEqualTo("wrong-value");
        assertThat(spoiled("state-1-neighbour-answer.bin", 54, 0x03))
                .as("group MAC")
                .isEqualTo("wrong-value");
        assertThat(spoiled("state-1-neighbour-answer.bin", 50, 0xe0))
                .as("group address")
                .isEqualTo("wrong-value");
    }

    @Test
    void noBytesMakeItThrow() {
        Property.check("hostile state messages give a code", 20_000, random -> {
            byte[] bytes = new byte[random.nextInt(200)];
            random.nextBytes(bytes);
            if (bytes.length > 22 && random.nextBoolean()) {
                bytes[12] = (byte) 0x88;
                bytes[13] = (byte) 0xb5;
                bytes[18] = 1;
                bytes[19] = (byte) random.nextInt(8);
                bytes[20] = 0;
                bytes[21] = (byte) new int[] {106, 52, 70, 40, (byte) 134, 0, 31, 32, 60}[random.nextInt(9)];
            }
            int result = StateMessage.check(MemorySegment.ofArray(bytes), 0, bytes.length);
            assertThat(result).isBetween(0, StateMessage.RESULTS - 1);
        });
    }

    @Test
    void whatIsWrittenIsRead() {
        Property.check("connection record round trip", 5_000, random -> {
            var written = anyConnection(random);
            int length = RecordCodec.write(frame, 1, written, written.answer.homeHash(), false);
            assertThat(length).isLessThanOrEqualTo(StateMessage.MAX_LENGTH);
            assertThat(StateMessage.check(frame, 1, length)).isEqualTo(StateMessage.OK);
            RecordCodec.read(frame, 1, read);
            assertSame(read, written);
            assertThat(StateMessage.homeHash(frame, 1)).isEqualTo(written.answer.homeHash());
        });
    }

    @Test
    void aGuardedPacketIsCarriedAsItIs() {
        var packet = MemorySegment.ofArray(new byte[StateMessage.MAX_PACKET_LENGTH + 5]);
        packet.asSlice(5).fill((byte) 0x5a);
        var message = MemorySegment.ofArray(new byte[StateMessage.MAX_GUARDED_LENGTH + 1]);
        for (int length : new int[] {14, 66, StateMessage.MAX_PACKET_LENGTH}) {
            int whole = StateMessage.writeGuarded(message, 1, 7, 9, length == 66, packet, 5, length);
            assertThat(StateMessage.check(message, 1, whole)).isEqualTo(StateMessage.OK);
            assertThat(StateMessage.check(message, 1, whole - 1)).isEqualTo(StateMessage.TRUNCATED);
            assertThat(StateMessage.guardedPortHigh(message, 1)).isEqualTo(7);
            assertThat(StateMessage.guardedPortLow(message, 1)).isEqualTo(9);
            assertThat(StateMessage.isSaid(message, 1)).isEqualTo(length == 66);
            assertThat(StateMessage.homeHash(message, 1)).isEqualTo(StateMessage.homeOfPort(7, 9));
            assertThat(StateMessage.packetLength(message, 1)).isEqualTo(length);
            assertThat(message.asSlice(1 + StateMessage.PACKET_AT, length).mismatch(packet.asSlice(5, length)))
                    .isEqualTo(-1);
        }
        message.set(java.lang.foreign.ValueLayout.JAVA_BYTE, 1 + 38, (byte) 2);
        assertThat(StateMessage.check(message, 1, (int) message.byteSize() - 1)).isEqualTo(StateMessage.WRONG_VALUE);
    }

    private static Connection anyConnection(RandomGenerator random) {
        boolean v4 = random.nextBoolean();
        var connection = new Connection();
        connection.port(random.nextLong(), random.nextLong());
        connection.frame(random.nextLong(1L << 48), random.nextLong(1L << 48), random.nextInt(65536));
        connection.owner(0, IpAddress.V4_MARK | random.nextInt(9));
        connection.forward.scope(random.nextLong()).protocol(random.nextInt(256));
        connection.forward.src(high(v4, random), low(v4, random), random.nextInt(65536));
        connection.forward.dst(high(v4, random), low(v4, random), random.nextInt(65536));
        connection.state(random.nextInt(3), random.nextInt(), false);
        for (int i = random.nextInt(Connection.MAX_BINDINGS + 1); i > 0; i--) {
            int end = random.nextBoolean() ? Connection.SOURCE : Connection.DESTINATION;
            connection.bind(random.nextLong(), end, high(v4, random), low(v4, random), random.nextInt(65536));
        }
        connection.answerAt(random.nextLong());
        return connection;
    }

    private static long high(boolean v4, RandomGenerator random) {
        return v4 ? 0 : 1 + random.nextInt(1 << 30);
    }

    private static long low(boolean v4, RandomGenerator random) {
        return v4 ? IpAddress.V4_MARK | random.nextInt() & 0xffff_ffffL : random.nextLong();
    }

    private static void assertSame(Connection a, Connection b) {
        assertThat(a.forward).isEqualTo(b.forward);
        assertThat(a.answer).isEqualTo(b.answer);
        assertThat(text(a)).isEqualTo(text(b));
    }

    private static String text(Connection connection) {
        var text = new StringBuilder();
        text.append(new UUID(connection.portHigh(), connection.portLow()))
                .append(' ')
                .append(connection.srcMac() + " " + connection.dstMac() + " " + connection.vlanTci())
                .append(" phase " + connection.phase() + " epoch " + connection.epoch())
                .append(" owner " + connection.ownerHigh() + " " + connection.ownerLow());
        for (int i = 0; i < connection.bindings(); i++) {
            text.append(" at " + connection.device(i) + " kind " + connection.kind(i))
                    .append(" to " + connection.high(i) + " " + connection.low(i) + " " + connection.l4Port(i));
        }
        return text.toString();
    }

    @Test
    void writingAndReadingAllocateNothing() {
        var connection = udp4();
        Runnable many = () -> {
            for (int i = 0; i < 100_000; i++) {
                connection.forward.src(0, IpAddress.V4_MARK | i, i & 0xffff);
                int length = RecordCodec.write(frame, 0, connection, i, false);
                if (StateMessage.check(frame, 0, length) == StateMessage.OK) {
                    RecordCodec.read(frame, 0, read);
                }
            }
        };
        for (int i = 0; i < 10; i++) {
            many.run();
        }
        assertThat(Allocation.bytes(many)).isZero();
    }

    private static Connection udp4() {
        var connection = connection("10.0.1.5", 1000, "10.0.2.9", 53, 17);
        var to = IpAddress.parse("203.0.113.1");
        connection.bind(0x0200_0000_0000_0003L, Connection.SOURCE, to.high(), to.low(), 61000);
        connection.state(Phase.OPEN, 7, false);
        connection.answerAt(0x0200_0000_0000_0002L);
        return connection;
    }

    private static Connection tcp6() {
        var connection = connection("fd00:1::5", 40000, "fd00:2::9", 443, 6);
        connection.frame(0x02aa_bbcc_ddeeL, 0x02aa_bbcc_ddefL, 0x1007);
        connection.state(Phase.CLOSING, -2, false);
        var owner = IpAddress.parse("172.16.0.1");
        connection.owner(owner.high(), owner.low());
        connection.answerAt(0x0200_0000_0000_0002L);
        return connection;
    }

    private static Connection connection(String src, int srcPort, String dst, int dstPort, int protocol) {
        var a = IpAddress.parse(src);
        var b = IpAddress.parse(dst);
        var connection = new Connection();
        connection.port(PORT.getMostSignificantBits(), PORT.getLeastSignificantBits());
        connection.forward.scope(0x0100_0000_0000_0001L).protocol(protocol);
        connection.forward.src(a.high(), a.low(), srcPort).dst(b.high(), b.low(), dstPort);
        return connection;
    }

    private void assertWritten(int length, String name) throws IOException {
        assertThat(length).isLessThanOrEqualTo(StateMessage.MAX_LENGTH);
        assertThat(frame.asSlice(3, length).toArray(ValueLayout.JAVA_BYTE))
                .as(name)
                .isEqualTo(golden(name).toArray(ValueLayout.JAVA_BYTE));
    }

    private static String spoiled(String name, int at, int value) throws IOException {
        var message = golden(name);
        message.set(ValueLayout.JAVA_BYTE, at, (byte) value);
        return StateMessage.describe(StateMessage.check(message, 0, (int) message.byteSize()));
    }

    private static MemorySegment golden(String name) throws IOException {
        try (var in = StateMessageTest.class.getResourceAsStream("/golden/" + name)) {
            assertThat(in).as(name).isNotNull();
            return MemorySegment.ofArray(in.readAllBytes());
        }
    }
}
