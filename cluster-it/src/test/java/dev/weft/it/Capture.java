package dev.weft.it;

import dev.weft.agent.lab.Place;
import dev.weft.datapath.link.Links;
import dev.weft.datapath.link.NetworkNamespace;
import dev.weft.datapath.link.PacketSocket;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;

/**
 * What arrives at an interface, and a way to send frames out of it. The kernel keeps arrived frames (about a hundred
 * small ones) until they are taken. Thread safe.
 */
final class Capture implements AutoCloseable {
    /** Outer Ethernet, IPv4, UDP and VXLAN. */
    static final int TUNNEL_OVERHEAD = 14 + 20 + 8 + 8;

    private static final int VXLAN_PORT = 4789;
    private static final int LONGEST_FRAME = 65_600;

    private final PacketSocket socket;
    private final Arena arena = Arena.ofShared();
    private final MemorySegment buffer = arena.allocate(LONGEST_FRAME, 8);
    private final List<byte[]> frames = new ArrayList<>();

    private Capture(PacketSocket socket) {
        this.socket = socket;
    }

    static Capture at(Place place, String interfaceName) {
        var namespace = NetworkNamespace.named(place.namespace());
        try (var links = Links.in(namespace)) {
            return new Capture(
                    PacketSocket.open(namespace, links.get(interfaceName).ifindex()));
        }
    }

    /** All frames that arrived since it was opened. */
    synchronized List<byte[]> frames() {
        while (true) {
            int length = socket.receive(buffer);
            if (length == PacketSocket.NOTHING || length == PacketSocket.LINK_DOWN) {
                return List.copyOf(frames);
            }
            if (length > 0) {
                frames.add(buffer.asSlice(0, length).toArray(ValueLayout.JAVA_BYTE));
            }
        }
    }

    /** Those that are VXLAN over IPv4. */
    List<byte[]> tunnelFrames() {
        return frames().stream().filter(Capture::isTunnel).toList();
    }

    synchronized void forget() {
        frames();
        frames.clear();
    }

    synchronized void send(byte[] frame) {
        MemorySegment.copy(frame, 0, buffer, ValueLayout.JAVA_BYTE, 0, frame.length);
        int sent = socket.send(buffer, 0, frame.length);
        if (sent != frame.length) {
            throw new AssertionError("a frame of " + frame.length + " bytes was not sent: " + sent);
        }
    }

    static boolean isTunnel(byte[] frame) {
        var bytes = ByteBuffer.wrap(frame);
        return frame.length > TUNNEL_OVERHEAD
                && bytes.getShort(12) == 0x0800
                && bytes.get(14) == 0x45
                && bytes.get(23) == 17
                && Short.toUnsignedInt(bytes.getShort(36)) == VXLAN_PORT;
    }

    /** The frame inside a tunnel frame. */
    static byte[] inner(byte[] frame) {
        return java.util.Arrays.copyOfRange(frame, TUNNEL_OVERHEAD, frame.length);
    }

    static int tunnelKey(byte[] frame) {
        return ByteBuffer.wrap(frame).getInt(TUNNEL_OVERHEAD - 4) >>> 8;
    }

    @Override
    public synchronized void close() {
        socket.close();
        arena.close();
    }
}
