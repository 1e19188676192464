package dev.weft.datapath.ebpf;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static org.assertj.core.api.Assertions.assertThat;

import dev.weft.datapath.TestFrames;
import dev.weft.datapath.link.Links;
import dev.weft.datapath.link.NetworkNamespace;
import dev.weft.datapath.link.PacketSocket;
import dev.weft.datapath.link.VirtioNetHeader;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.locks.LockSupport;

/** Looks at the TCP that arrives at an interface, as it arrives: what it sees may be a sample, when there is much. */
final class FrameWatch implements AutoCloseable {
    private static final int LEAST = 200; // what is shorter carries no data of a bulk stream
    private static final int KEPT = 2000;
    private static final int IDLE_NANOS = 200_000;

    private final PacketSocket socket;
    private final Thread thread;
    // Guarded by this.
    private final List<byte[]> frames = new ArrayList<>();
    private int longest;
    private int longestSegment;
    private int unfinished;
    private volatile boolean over;

    private FrameWatch(PacketSocket socket) {
        this.socket = socket;
        thread = Thread.ofPlatform().daemon().start(this::run);
    }

    static FrameWatch at(String namespace, String name) {
        var place = NetworkNamespace.named(namespace);
        try (var links = Links.in(place)) {
            return new FrameWatch(
                    PacketSocket.withOffloads(place, links.get(name).ifindex()));
        }
    }

    private void run() {
        try (var arena = Arena.ofConfined()) {
            var buffer = arena.allocate(70_000);
            while (!over) {
                int length = socket.receive(buffer);
                if (length > 0) {
                    look(buffer, length);
                } else {
                    LockSupport.parkNanos(IDLE_NANOS);
                }
            }
        }
    }

    private synchronized void look(MemorySegment buffer, int length) {
        int frame = length - VirtioNetHeader.LENGTH;
        boolean merged = VirtioNetHeader.gsoType(buffer, 0) != VirtioNetHeader.GSO_NONE;
        longest = Math.max(longest, frame);
        if (merged || VirtioNetHeader.needsChecksum(buffer, 0)) {
            unfinished++;
        }
        byte[] octets = buffer.asSlice(VirtioNetHeader.LENGTH, frame).toArray(JAVA_BYTE);
        longestSegment = Math.max(
                longestSegment,
                merged ? segment(octets, VirtioNetHeader.segmentSize(buffer, 0)) : frame - TestFrames.ETHERNET);
        if (frame >= LEAST && frames.size() < KEPT) {
            frames.add(octets);
        }
    }

    /** Layer 3 of what a super-packet will be cut into. */
    private static int segment(byte[] frame, int payload) {
        int ip = frame[12] == 0x08 ? 20 : 40;
        int tcp = (frame[TestFrames.ETHERNET + ip + 12] & 0xf0) >> 2;
        return ip + tcp + payload;
    }

    /** Octets of the longest frame, super-packets included. */
    synchronized int longest() {
        return longest;
    }

    /** Octets of the longest IP packet when all super-packets are cut up. */
    synchronized int longestSegment() {
        return longestSegment;
    }

    /** Frames that leave something to a device. */
    synchronized int unfinished() {
        return unfinished;
    }

    /**
     * Fails when lengths or checksums of a tunnel packet or of what is in it do not hold.
     *
     * @param outer family of the outer packets, 4 or 6
     * @param inner of the inner ones
     * @return how many were judged
     */
    synchronized int judgeTunnelled(int outer, int inner) {
        int l3 = outer == 4 ? 20 : 40;
        for (byte[] frame : frames) {
            int udp = TestFrames.ETHERNET + l3;
            judgeIp(frame, TestFrames.ETHERNET, outer);
            assertThat(u16(frame, udp + 2)).as("UDP port").isEqualTo(4789);
            assertThat(u16(frame, udp + 4)).as("UDP length").isEqualTo(frame.length - udp);
            assertThat(u16(frame, udp + 6)).as("UDP checksum: none").isZero();
            byte[] carried = Arrays.copyOfRange(frame, udp + 16, frame.length);
            judgeIp(carried, TestFrames.ETHERNET, inner);
            assertThat(TestFrames.transportSum(carried)).as("TCP checksum").isEqualTo(0xffff);
        }
        return frames.size();
    }

    private static void judgeIp(byte[] frame, int l3, int family) {
        if (family == 4) {
            assertThat(TestFrames.sum(frame, l3, 20, 0)).as("IPv4 checksum").isEqualTo(0xffff);
            assertThat(u16(frame, l3 + 2)).as("IPv4 length").isEqualTo(frame.length - l3);
        } else {
            assertThat(u16(frame, l3 + 4)).as("IPv6 length").isEqualTo(frame.length - l3 - 40);
        }
    }

    private static int u16(byte[] octets, int at) {
        return (octets[at] & 0xff) << 8 | octets[at + 1] & 0xff;
    }

    @Override
    public void close() {
        over = true;
        try {
            thread.join();
        } catch (InterruptedException stopped) {
            Thread.currentThread().interrupt();
        }
        socket.close();
    }
}
