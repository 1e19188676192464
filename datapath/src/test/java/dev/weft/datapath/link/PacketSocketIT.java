package dev.weft.datapath.link;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.management.ManagementFactory;
import java.net.InetSocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.DatagramChannel;
import java.nio.channels.ServerSocketChannel;
import java.nio.channels.SocketChannel;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.HashSet;
import java.util.HexFormat;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.Predicate;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

final class PacketSocketIT {
    private static final HexFormat HEX = HexFormat.of();
    // An experimental EtherType (IEEE 802 local experimental 1): no stack answers it.
    private static final String FRAME =
            "ffffffffffff" + "020000000001" + "88b5" + "00112233445566778899aabbccddeeff" + "00".repeat(32);

    private final Arena arena = Arena.ofAuto();
    private final MemorySegment buffer = arena.allocate(128 << 10, 8);
    // Closed in reverse, as far as a skipped set-up got.
    private final Deque<AutoCloseable> opened = new ArrayDeque<>();
    private TestNamespace a;
    private TestNamespace b;
    private Links inA;
    private Links inB;

    @BeforeEach
    void joinTwoNamespaces() {
        a = opened(TestNamespace.create());
        b = opened(TestNamespace.create());
        inA = opened(Links.in(a.namespace()));
        inB = opened(Links.in(b.namespace()));
        inA.createVeth("x0", "x1", b.namespace());
        inA.setUp("x0");
        inB.setUp("x1");
    }

    @AfterEach
    void close() throws Exception {
        while (!opened.isEmpty()) {
            opened.pop().close();
        }
    }

    private <T extends AutoCloseable> T opened(T resource) {
        opened.push(resource);
        return resource;
    }

    private PacketSocket plainAtA() {
        return PacketSocket.open(a.namespace(), inA.get("x0").ifindex());
    }

    private PacketSocket plainAtB() {
        return PacketSocket.open(b.namespace(), inB.get("x1").ifindex());
    }

    private PacketSocket offloadsAtB() {
        return PacketSocket.withOffloads(b.namespace(), inB.get("x1").ifindex());
    }

    private int put(String hex) {
        byte[] bytes = HEX.parseHex(hex);
        MemorySegment.copy(bytes, 0, buffer, JAVA_BYTE, 0, bytes.length);
        return bytes.length;
    }

    private String received(int length) {
        return HEX.formatHex(buffer.asSlice(0, length).toArray(JAVA_BYTE));
    }

    /** Length of the first frame that is as wanted; others (the stacks' own) are passed over. */
    private int awaitFrame(PacketSocket socket, Predicate<Integer> wanted) {
        var found = new AtomicReference<>(0);
        await().atMost(Duration.ofSeconds(10))
                .pollInSameThread()
                .pollInterval(Duration.ofMillis(1))
                .until(() -> {
                    for (int length = socket.receive(buffer); length > 0; length = socket.receive(buffer)) {
                        if (wanted.test(length)) {
                            found.set(length);
                            return true;
                        }
                    }
                    return false;
                });
        return found.get();
    }

    @Test
    void frameCrossesTheWireUnchangedAndIsNotHeardByItsSender() {
        try (var near = plainAtA();
                var far = plainAtB()) {
            int length = put(FRAME);
            assertThat(near.send(buffer, 0, length)).isEqualTo(length);
            awaitFrame(far, got -> received(got).equals(FRAME));
            for (int got = near.receive(buffer); got > 0; got = near.receive(buffer)) {
                assertThat(received(got)).isNotEqualTo(FRAME);
            }
        }
    }

    @Test
    void nothingThereIsNotAnError() {
        inB.setUp("lo");
        try (var socket = PacketSocket.open(b.namespace(), inB.get("lo").ifindex())) {
            assertThat(socket.receive(buffer)).isEqualTo(PacketSocket.NOTHING);
        }
    }

    @Test
    void tagKeptBesideTheFrameIsPutBack() {
        String tagged = FRAME.substring(0, 24) + "8100" + "6064" + FRAME.substring(24);
        try (var near = plainAtA();
                var plain = plainAtB();
                var offloads = offloadsAtB()) {
            near.send(buffer, 0, put(tagged));
            awaitFrame(plain, got -> received(got).equals(tagged));
            awaitFrame(
                    offloads,
                    got -> received(got).substring(2 * VirtioNetHeader.LENGTH).equals(tagged));
        }
    }

    @Test
    void unfinishedChecksumIsTold() throws IOException {
        addresses();
        try (var far = offloadsAtB();
                var channel = a.namespace().<DatagramChannel, IOException>call(DatagramChannel::open)) {
            channel.send(ByteBuffer.wrap(new byte[100]), new InetSocketAddress("10.0.0.2", 4000));
            awaitFrame(far, got -> got == VirtioNetHeader.LENGTH + 14 + 20 + 8 + 100);
            assertThat(VirtioNetHeader.needsChecksum(buffer, 0)).isTrue();
            assertThat(VirtioNetHeader.checksumStart(buffer, 0)).isEqualTo(34);
            assertThat(VirtioNetHeader.checksumOffset(buffer, 0)).isEqualTo(6);
            assertThat(VirtioNetHeader.gsoType(buffer, 0)).isEqualTo(VirtioNetHeader.GSO_NONE);

            inA.setOffload("x0", Offload.TX_CHECKSUM, false);
            channel.send(ByteBuffer.wrap(new byte[101]), new InetSocketAddress("10.0.0.2", 4000));
            awaitFrame(far, got -> got == VirtioNetHeader.LENGTH + 14 + 20 + 8 + 101);
            assertThat(VirtioNetHeader.needsChecksum(buffer, 0)).isFalse();
        }
    }

    @Test
    void superPacketIsToldWithItsSegmentSize() throws IOException {
        addresses();
        try (var far = offloadsAtB();
                var server = b.namespace()
                        .<ServerSocketChannel, IOException>call(
                                () -> ServerSocketChannel.open().bind(new InetSocketAddress("10.0.0.2", 0)));
                var client = a.namespace().<SocketChannel, IOException>call(SocketChannel::open)) {
            client.connect(server.getLocalAddress());
            client.configureBlocking(false);
            client.write(ByteBuffer.allocate(200_000));
            int length = awaitFrame(far, got -> got > 2000);
            assertThat(VirtioNetHeader.gsoType(buffer, 0)).isEqualTo(VirtioNetHeader.GSO_TCPV4);
            assertThat(VirtioNetHeader.segmentSize(buffer, 0)).isEqualTo(1448);
            assertThat(VirtioNetHeader.headerLength(buffer, 0)).isEqualTo(66);
            assertThat(VirtioNetHeader.needsChecksum(buffer, 0)).isTrue();
            assertThat(length).isGreaterThan(2 * 1448);
        }
    }

    /** What the header says is done on the way out: the far stack accepts the datagram only with a right checksum. */
    @Test
    void headerGivenToSendIsHonoured() throws IOException {
        addresses();
        inA.setOffload("x0", Offload.TX_CHECKSUM, false);
        try (var near = PacketSocket.withOffloads(a.namespace(), inA.get("x0").ifindex());
                var far = offloadsAtB()) {
            String mac = inB.get("x1").mac().orElseThrow().toString().replace(":", "");
            // virtio: NEEDS_CHECKSUM, start 34, offset 6; IPv4 10.0.0.1 > 10.0.0.2, UDP 1 > 2 with 2 bytes.
            String header = "01" + "00" + "0000" + "0000" + "2200" + "0600";
            String ip = "4500001e00004000401126cd" + "0a000001" + "0a000002";
            String udp = "00010002" + "000a" + "141e" + "abcd"; // 141e: pseudo header 0a000001+0a000002+0011+000a
            int length = put(header + mac + "020000000001" + "0800" + ip + udp);
            assertThat(near.send(buffer, 0, length)).isEqualTo(length);
            awaitFrame(far, got -> got == length);
            assertThat(VirtioNetHeader.needsChecksum(buffer, 0)).isFalse();
            // 141e + 0001 + 0002 + 000a + abcd = bff8, complement 4007.
            assertThat(received(length).substring(2 * (10 + 34 + 6), 2 * (10 + 34 + 8)))
                    .isEqualTo("4007");
        }
    }

    @Test
    void vanishedLinkIsToldOnceAndSendIsRefused() {
        try (var near = plainAtA()) {
            inA.delete("x0");
            var results = new HashSet<Integer>();
            await().atMost(Duration.ofSeconds(5)).pollInSameThread().until(() -> {
                int result = near.receive(buffer);
                results.add(result);
                return result < 0;
            });
            assertThat(results).contains(PacketSocket.LINK_DOWN);
            assertThat(near.send(buffer, 0, put(FRAME))).isEqualTo(PacketSocket.LINK_DOWN);
        }
    }

    @Test
    void frameLongerThanTheBufferIsUnusable() {
        try (var near = plainAtA();
                var far = plainAtB()) {
            near.send(buffer, 0, put(FRAME));
            var small = buffer.asSlice(0, 40);
            await().atMost(Duration.ofSeconds(5))
                    .pollInSameThread()
                    .until(() -> far.receive(small) == PacketSocket.UNUSABLE);
        }
    }

    @Test
    void bindToNoInterfaceIsRefused() {
        assertThatThrownBy(() -> PacketSocket.open(a.namespace(), 4711))
                .isInstanceOf(LinkException.class)
                .hasMessageContaining("bind a packet socket to interface 4711");
    }

    @Test
    void sendAndReceiveAllocateNothing() {
        try (var near = plainAtA();
                var far = offloadsAtB()) {
            int length = put(FRAME);
            var incoming = arena.allocate(4096, 8);
            var threads = (com.sun.management.ThreadMXBean) ManagementFactory.getThreadMXBean();
            sendAndReceive(near, far, incoming, length, 50_000);
            int got = 0;
            long allocated = Long.MAX_VALUE;
            // On a busy machine the compiler may not have come to this code yet: interpreted calls allocate.
            for (int round = 0; round < 5 && allocated >= 50_000; round++) {
                long before = threads.getCurrentThreadAllocatedBytes();
                got = sendAndReceive(near, far, incoming, length, 50_000);
                allocated = threads.getCurrentThreadAllocatedBytes() - before;
            }
            assertThat(got).isGreaterThan(10_000);
            assertThat(allocated).as("bytes for 50,000 frames each way").isLessThan(50_000);
        }
    }

    private int sendAndReceive(PacketSocket near, PacketSocket far, MemorySegment incoming, int length, int rounds) {
        int got = 0;
        for (int i = 0; i < rounds; i++) {
            near.send(buffer, 0, length);
            if (far.receive(incoming) > 0) {
                got++;
            }
        }
        return got;
    }

    private void addresses() {
        inA.addAddress("x0", InterfaceAddress.parse("10.0.0.1/24"));
        inB.addAddress("x1", InterfaceAddress.parse("10.0.0.2/24"));
    }
}
