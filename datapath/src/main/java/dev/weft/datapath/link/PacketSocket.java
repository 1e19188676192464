package dev.weft.datapath.link;

import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;
import static java.lang.foreign.ValueLayout.JAVA_SHORT;
import static java.lang.foreign.ValueLayout.JAVA_SHORT_UNALIGNED;

import dev.weft.base.HotPath;
import dev.weft.datapath.kernel.Errno;
import dev.weft.datapath.kernel.Libc;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.ref.Reference;
import java.nio.ByteOrder;
import java.util.Objects;

/**
 * Frames to and from one interface: an AF_PACKET raw socket, non-blocking, owned by one thread. It sees what arrives at
 * the interface, not what leaves by it. A VLAN tag that the kernel keeps beside the frame is put back in place.
 *
 * <p>With {@link #withOffloads} each frame in both directions has a {@link VirtioNetHeader} before it, which tells of
 * super-packets and unfinished checksums; without, the kernel hands over such frames and does not say.
 */
public final class PacketSocket implements AutoCloseable {
    /** {@link #receive}: nothing there now. */
    public static final int NOTHING = 0;
    /** {@link #receive}: a frame longer than the buffer, or of a shape the header cannot say, was dropped. */
    public static final int UNUSABLE = -22;
    /** {@link #receive} and {@link #send}: the interface is down or gone; reported once by receive. */
    public static final int LINK_DOWN = -100;
    /** {@link #send}: the queue is full. */
    public static final int WOULD_BLOCK = -11;

    private static final int SOL_PACKET = 263;
    private static final int OPTION_AUXDATA = 8;
    private static final int OPTION_VNET_HDR = 15;
    private static final int OPTION_IGNORE_OUTGOING = 23;
    private static final int ALL_PROTOCOLS = 0x0003;
    private static final int TYPE_OFFSET = 12; // of an Ethernet frame: after the two MACs
    private static final int TAG_LENGTH = 4;
    private static final int TAG_PROTOCOL = 0x8100;
    private static final ValueLayout.OfShort BE_SHORT = JAVA_SHORT_UNALIGNED.withOrder(ByteOrder.BIG_ENDIAN);

    // struct msghdr: name(64) nameLength(64) vectors(64) vectorCount(64) control(64) controlLength(64) flags(32).
    private static final int MSG_VECTORS = 16;
    private static final int MSG_VECTOR_COUNT = 24;
    private static final int MSG_CONTROL = 32;
    private static final int MSG_CONTROL_LENGTH = 40;
    private static final int MSG_FLAGS = 48;
    private static final int MSG_LENGTH = 56;
    // struct cmsghdr: length(64) level(32) type(32), then struct tpacket_auxdata: status(32) length(32) captured(32)
    // mac(16) network(16) vlanTci(16) vlanProtocol(16).
    private static final int CONTROL_LENGTH = 64;
    private static final int AUX = 16;
    private static final int AUX_END = AUX + 20;
    private static final int VLAN_VALID = 1 << 4;
    private static final int VLAN_PROTOCOL_VALID = 1 << 6;

    // Immutable after construction.
    private final int fd;
    private final boolean offloads;
    private final Arena arena = Arena.ofShared();
    // Owned by the one thread that uses it.
    private final MemorySegment header = arena.allocate(MSG_LENGTH, 8);
    private final MemorySegment vector = arena.allocate(16, 8); // struct iovec: base(64) length(64)
    private final MemorySegment control = arena.allocate(CONTROL_LENGTH, 8);
    private boolean closed;

    private PacketSocket(int fd, boolean offloads) {
        this.fd = fd;
        this.offloads = offloads;
        header.set(JAVA_LONG, MSG_VECTORS, vector.address());
        header.set(JAVA_LONG, MSG_VECTOR_COUNT, 1);
        header.set(JAVA_LONG, MSG_CONTROL, control.address());
    }

    /** Plain frames. */
    public static PacketSocket open(NetworkNamespace namespace, int ifindex) {
        return new PacketSocket(namespace.call(() -> openSocket(ifindex, false)), false);
    }

    /** Frames with a {@link VirtioNetHeader} before each. */
    public static PacketSocket withOffloads(NetworkNamespace namespace, int ifindex) {
        return new PacketSocket(namespace.call(() -> openSocket(ifindex, true)), true);
    }

    private static int openSocket(int ifindex, boolean offloads) {
        // Protocol 0: nothing is captured before the bind below names the one interface.
        int fd = LinkException.check(
                Libc.socket(Libc.AF_PACKET, Libc.SOCK_RAW | Libc.NONBLOCK_CLOEXEC, 0), "open a packet socket");
        try (var arena = Arena.ofConfined()) {
            option(fd, OPTION_IGNORE_OUTGOING, "ignore outgoing frames (Linux 4.20)");
            option(fd, OPTION_AUXDATA, "ask for VLAN tags");
            if (offloads) {
                option(fd, OPTION_VNET_HDR, "ask for offload headers");
            }
            var address =
                    arena.allocate(20, 4); // struct sockaddr_ll: family(16) protocol(16, network order) index(32)..
            address.set(JAVA_SHORT, 0, (short) Libc.AF_PACKET);
            address.set(BE_SHORT, 2, (short) ALL_PROTOCOLS);
            address.set(JAVA_INT, 4, ifindex);
            LinkException.check(Libc.bind(fd, address), "bind a packet socket to interface " + ifindex);
            return fd;
        } catch (LinkException refused) {
            Libc.close(fd);
            throw refused;
        }
    }

    private static void option(int fd, int name, String meaning) {
        LinkException.check(Libc.setOption(fd, SOL_PACKET, name, 1), meaning + " on a packet socket");
    }

    /**
     * The next frame, at the start of the buffer, which is native memory and has 4 bytes to spare for a VLAN tag.
     *
     * @return length with the {@link VirtioNetHeader} if there is one, {@link #NOTHING}, or a negative errno such as
     *     {@link #LINK_DOWN} and {@link #UNUSABLE}
     */
    @HotPath
    public int receive(MemorySegment buffer) {
        long room = buffer.byteSize() - TAG_LENGTH;
        vector.set(JAVA_LONG, 0, buffer.address());
        vector.set(JAVA_LONG, 8, room);
        header.set(JAVA_LONG, MSG_CONTROL_LENGTH, CONTROL_LENGTH);
        header.set(JAVA_INT, MSG_FLAGS, 0);
        long length = Libc.receiveMessage(fd, header.address(), 0);
        Reference.reachabilityFence(buffer);
        if (length < 0) {
            return Errno.EAGAIN.is(length) ? NOTHING : (int) length;
        }
        if ((header.get(JAVA_INT, MSG_FLAGS) & Libc.MSG_TRUNC) != 0) {
            return UNUSABLE;
        }
        return hasTag() ? restoreTag(buffer, (int) length) : (int) length;
    }

    @HotPath
    private boolean hasTag() {
        return header.get(JAVA_LONG, MSG_CONTROL_LENGTH) >= AUX_END
                && control.get(JAVA_INT, 8) == SOL_PACKET
                && control.get(JAVA_INT, 12) == OPTION_AUXDATA
                && (control.get(JAVA_INT, AUX) & VLAN_VALID) != 0;
    }

    @HotPath
    private int restoreTag(MemorySegment buffer, int length) {
        int frame = offloads ? VirtioNetHeader.LENGTH : 0;
        int at = frame + TYPE_OFFSET;
        if (length < at) {
            return UNUSABLE;
        }
        MemorySegment.copy(buffer, at, buffer, at + TAG_LENGTH, length - at);
        boolean named = (control.get(JAVA_INT, AUX) & VLAN_PROTOCOL_VALID) != 0;
        int protocol = named ? control.get(JAVA_SHORT, AUX + 18) : TAG_PROTOCOL;
        buffer.set(BE_SHORT, at, (short) protocol);
        buffer.set(BE_SHORT, at + 2, control.get(JAVA_SHORT, AUX + 16));
        if (offloads) {
            VirtioNetHeader.shift(buffer, 0, TAG_LENGTH);
        }
        return length + TAG_LENGTH;
    }

    /**
     * Sends one frame, with its {@link VirtioNetHeader} first if this socket has them.
     *
     * @param buffer native memory
     * @return length, or a negative errno such as {@link #WOULD_BLOCK} and {@link #LINK_DOWN}
     */
    @HotPath
    public int send(MemorySegment buffer, long offset, long length) {
        Objects.checkFromIndexSize(offset, length, buffer.byteSize());
        long sent = Libc.send(fd, buffer.address() + offset, length, 0);
        Reference.reachabilityFence(buffer);
        return Errno.ENXIO.is(sent) ? LINK_DOWN : (int) sent;
    }

    /** For poll(2) and epoll(7); it stays this object's to close. */
    public int fileDescriptor() {
        return fd;
    }

    @Override
    public void close() {
        if (!closed) {
            closed = true;
            Libc.close(fd);
            arena.close();
        }
    }
}
