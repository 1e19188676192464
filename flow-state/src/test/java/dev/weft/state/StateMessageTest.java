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
import org.junit.jupiter.api.Test;

final class StateMessageTest {
    private static final UUID PORT = UUID.fromString("00112233-4455-6677-8899-aabbccddeeff");
    private static final UUID ROUTER = UUID.fromString("01234567-89ab-4def-8123-456789abcdef");

    private final MemorySegment frame = MemorySegment.ofArray(new byte[200]);
    private final ConnectionKey key = new ConnectionKey();

    @Test
    void writesTheGoldenConnectionsOfLayoutOne() throws IOException {
        assertWritten(StateMessage.writeConnection(frame, 3, udp4(), Phase.OPEN, 7), "state-1-connection-udp4.bin");
        assertWritten(StateMessage.writeConnection(frame, 3, tcp6(), Phase.OPENING, -2), "state-1-connection-tcp6.bin");
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
        var udp = golden("state-1-connection-udp4.bin");
        assertThat(StateMessage.check(udp, 0, (int) udp.byteSize())).isEqualTo(StateMessage.OK);
        assertThat(StateMessage.kind(udp, 0)).isEqualTo(StateMessage.CONNECTION);
        StateMessage.readKey(udp, 0, key);
        assertThat(key).isEqualTo(udp4());
        assertThat(StateMessage.phase(udp, 0)).isEqualTo(Phase.OPEN);
        assertThat(StateMessage.epoch(udp, 0)).isEqualTo(7);
        assertThat(StateMessage.homeHash(udp, 0)).isEqualTo(0xbfa4a87e);

        var tcp = golden("state-1-connection-tcp6.bin");
        assertThat(StateMessage.check(tcp, 0, (int) tcp.byteSize())).isEqualTo(StateMessage.OK);
        StateMessage.readKey(tcp, 0, key);
        assertThat(key).isEqualTo(tcp6());
        assertThat(StateMessage.epoch(tcp, 0)).isEqualTo(-2);

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
                new String[] {"state-1-connection-udp4.bin", "state-1-neighbour-ask.bin", "state-1-neighbour-answer.bin"
                }) {
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
        var connection = "state-1-connection-udp4.bin";
        assertThat(spoiled(connection, 12, 0x08)).isEqualTo("not-state");
        assertThat(spoiled(connection, 18, 0)).isEqualTo("unknown-version");
        assertThat(spoiled(connection, 18, 2)).isEqualTo("unknown-version");
        assertThat(spoiled(connection, 19, 0)).isEqualTo("unknown-kind");
        assertThat(spoiled(connection, 19, 255)).isEqualTo("unknown-kind");
        assertThat(spoiled(connection, 19, StateMessage.NEIGHBOUR_ASK)).isEqualTo("wrong-length");
        assertThat(spoiled(connection, 20, 0xff)).isEqualTo("wrong-length");
        assertThat(spoiled(connection, 21, 59)).isEqualTo("wrong-length");
        assertThat(spoiled(connection, 22, 3)).as("phase").isEqualTo("wrong-value");
        assertThat(spoiled(connection, 22, 0x81)).as("phase").isEqualTo("wrong-value");
        assertThat(spoiled(connection, 50, 1)).as("mixed families").isEqualTo("wrong-value");
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
            byte[] bytes = new byte[random.nextInt(120)];
            random.nextBytes(bytes);
            if (bytes.length > 22 && random.nextBoolean()) {
                bytes[12] = (byte) 0x88;
                bytes[13] = (byte) 0xb5;
                bytes[18] = 1;
                bytes[19] = (byte) random.nextInt(6);
                bytes[20] = 0;
                bytes[21] = (byte) new int[] {60, 52, 70, 40, 0}[random.nextInt(5)];
            }
            int result = StateMessage.check(MemorySegment.ofArray(bytes), 0, bytes.length);
            assertThat(result).isBetween(0, StateMessage.RESULTS - 1);
        });
    }

    @Test
    void whatIsWrittenIsRead() {
        Property.check("connection record round trip", 5_000, random -> {
            boolean v4 = random.nextBoolean();
            long mark = v4 ? IpAddress.V4_MARK : 0;
            key.port(random.nextLong(), random.nextLong()).protocol(random.nextInt(256));
            key.vm(
                    v4 ? 0 : 1 + random.nextInt(),
                    v4 ? mark | random.nextInt(9) : random.nextLong(),
                    random.nextInt(65536));
            key.remote(v4 ? 0 : -1L, v4 ? mark | 0xffff_fff0L : random.nextLong(), random.nextInt(65536));
            int phase = random.nextInt(3);
            int epoch = random.nextInt();
            int length = StateMessage.writeConnection(frame, 1, key, phase, epoch);
            assertThat(StateMessage.check(frame, 1, length)).isEqualTo(StateMessage.OK);
            var read = new ConnectionKey();
            StateMessage.readKey(frame, 1, read);
            assertThat(read).isEqualTo(key);
            assertThat(StateMessage.phase(frame, 1)).isEqualTo(phase);
            assertThat(StateMessage.epoch(frame, 1)).isEqualTo(epoch);
            assertThat(StateMessage.homeHash(frame, 1)).isEqualTo(key.homeHash());
        });
    }

    @Test
    void writingAndReadingAllocateNothing() {
        Runnable many = () -> {
            for (int i = 0; i < 100_000; i++) {
                key.vm(0, IpAddress.V4_MARK | i, i & 0xffff).remote(0, IpAddress.V4_MARK | 5, 53);
                int length = StateMessage.writeConnection(frame, 0, key, Phase.OPEN, i);
                if (StateMessage.check(frame, 0, length) == StateMessage.OK) {
                    StateMessage.readKey(frame, 0, key);
                }
            }
        };
        for (int i = 0; i < 10; i++) {
            many.run();
        }
        assertThat(Allocation.bytes(many)).isZero();
    }

    private ConnectionKey udp4() {
        return connection("10.0.1.5", 1000, "10.0.2.9", 53, 17);
    }

    private ConnectionKey tcp6() {
        return connection("fd00:1::5", 40000, "fd00:2::9", 443, 6);
    }

    private static ConnectionKey connection(String vm, int vmPort, String remote, int remotePort, int protocol) {
        var a = IpAddress.parse(vm);
        var b = IpAddress.parse(remote);
        return new ConnectionKey()
                .port(PORT.getMostSignificantBits(), PORT.getLeastSignificantBits())
                .protocol(protocol)
                .vm(a.high(), a.low(), vmPort)
                .remote(b.high(), b.low(), remotePort);
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
