package dev.weft.datapath.ebpf;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;
import static java.lang.foreign.ValueLayout.JAVA_SHORT;
import static java.lang.foreign.ValueLayout.JAVA_SHORT_UNALIGNED;

import dev.weft.base.HotPath;
import dev.weft.datapath.ebpf.Layout.Inject;
import dev.weft.datapath.kernel.Libc;
import dev.weft.datapath.link.LinkException;
import dev.weft.datapath.link.NetworkNamespace;
import dev.weft.datapath.link.VirtioNetHeader;
import dev.weft.sim.flow.FlowKey;
import dev.weft.sim.packet.Checksum;
import dev.weft.sim.packet.Ethernet;
import dev.weft.sim.packet.Ipv4;
import dev.weft.sim.packet.Packet;
import dev.weft.sim.packet.PacketParser;
import dev.weft.sim.packet.Tcp;
import dev.weft.sim.packet.Udp;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;

/**
 * Sends frames into the kernel by a packet socket at our end of a pair of interfaces; what to do with each is written to
 * the kernel's {@code orders} first, and the frame's mark says where. Frames are gathered and sent by one call. Not thread
 * safe: touched only by its worker thread.
 *
 * <p>A frame from a VM may lack what the VM left to hardware. A transport checksum that is just the pseudo header's sum
 * is said to be unfinished; a longer frame than the ingress carries is said to be a super-packet. To a checksum that
 * only happens to look so, finishing does nothing.
 */
@HotPath
final class Injector implements AutoCloseable {
    private static final int MOST = 64;
    private static final int BUFFER_BYTES = 512 << 10;
    private static final int MESSAGE_SIZE = 64; // struct mmsghdr
    private static final int MSG_VECTORS = 16;
    private static final int MSG_VECTOR_COUNT = 24;
    private static final int MSG_CONTROL = 32;
    private static final int MSG_CONTROL_LENGTH = 40;
    private static final int VECTOR_SIZE = 16;
    // struct cmsghdr: length(64) level(32) type(32), then the mark(32) and as much to fill up.
    private static final int CONTROL_SIZE = 24;
    private static final int CONTROL_MARK = 16;
    private static final int SO_MARK = 36;
    private static final int SLOTS = 1 << Inject.SLOT_BITS;
    private static final int MOST_USES = 1 << Integer.SIZE - Inject.PLACE_BITS;
    private static final int SOL_PACKET = 263;
    private static final int OPTION_VNET_HDR = 15;
    private static final int OPTION_QDISC_BYPASS = 20;
    private static final int SO_SNDBUFFORCE = 32;
    private static final int SEND_BUFFER_BYTES = 4 << 20;

    private static final ValueLayout.OfShort BE_SHORT = JAVA_SHORT_UNALIGNED.withOrder(ByteOrder.BIG_ENDIAN);

    // Immutable after construction.
    private final int fd;
    private final MemorySegment orders;
    private final int worker;
    private final MemorySegment controls;
    private final MemorySegment messages;
    private final MemorySegment vectors;
    private final MemorySegment buffer;
    private final Packet packet = new Packet();
    // Owned by the worker thread.
    private int waiting;
    private int slot;
    private int uses = 1; // never 0: no frame of another's has a mark of ours
    private long used;
    private long failures;

    /**
     * @param ifindex of our end
     * @param orders the kernel's, of all workers
     */
    Injector(NetworkNamespace namespace, int ifindex, MemorySegment orders, int worker, Arena arena) {
        this.orders = orders;
        this.worker = worker;
        messages = arena.allocate((long) MOST * MESSAGE_SIZE, 8);
        vectors = arena.allocate((long) MOST * VECTOR_SIZE, 8);
        controls = arena.allocate((long) MOST * CONTROL_SIZE, 8);
        buffer = arena.allocate(BUFFER_BYTES, 64);
        for (int i = 0; i < MOST; i++) {
            long message = (long) i * MESSAGE_SIZE;
            messages.set(JAVA_LONG, message + MSG_VECTORS, vectors.address() + (long) i * VECTOR_SIZE);
            messages.set(JAVA_LONG, message + MSG_VECTOR_COUNT, 1);
            long control = (long) i * CONTROL_SIZE;
            messages.set(JAVA_LONG, message + MSG_CONTROL, controls.address() + control);
            messages.set(JAVA_LONG, message + MSG_CONTROL_LENGTH, CONTROL_SIZE);
            controls.set(JAVA_LONG, control, CONTROL_MARK + Integer.BYTES);
            controls.set(JAVA_INT, control + 8, Libc.SOL_SOCKET);
            controls.set(JAVA_INT, control + 12, SO_MARK);
        }
        fd = namespace.call(() -> open(ifindex));
    }

    private static int open(int ifindex) {
        int fd = LinkException.check(
                Libc.socket(Libc.AF_PACKET, Libc.SOCK_RAW | Libc.NONBLOCK_CLOEXEC, 0), "open a packet socket");
        try (var arena = Arena.ofConfined()) {
            LinkException.check(Libc.setOption(fd, SOL_PACKET, OPTION_VNET_HDR, 1), "ask for offload headers");
            LinkException.check(Libc.setOption(fd, SOL_PACKET, OPTION_QDISC_BYPASS, 1), "pass by the queue");
            LinkException.check(
                    Libc.setOption(fd, Libc.SOL_SOCKET, SO_SNDBUFFORCE, SEND_BUFFER_BYTES), "size the send buffer");
            var address = arena.allocate(20, 4); // struct sockaddr_ll; protocol 0: nothing is received
            address.set(JAVA_SHORT, 0, (short) Libc.AF_PACKET);
            address.set(JAVA_INT, 4, ifindex);
            LinkException.check(Libc.bind(fd, address), "bind a packet socket to interface " + ifindex);
            return fd;
        } catch (LinkException refused) {
            Libc.close(fd);
            throw refused;
        }
    }

    /**
     * Takes a frame and what to do with it; {@link #flush} sends it.
     *
     * @param gsoSize payload of a segment, 0: not known, or no super-packet
     * @param mtu of the ingress, by which a super-packet of unknown size is cut
     */
    void add(
            MemorySegment segment,
            long offset,
            int length,
            int inPort,
            int tunnelKey,
            int flags,
            MemorySegment step,
            int gsoSize,
            int mtu) {
        long room = VirtioNetHeader.LENGTH + length + 15L;
        if (waiting == MOST || used + room > BUFFER_BYTES) {
            flush();
        }
        long head = used;
        long frame = head + VirtioNetHeader.LENGTH;
        MemorySegment.copy(segment, offset, buffer, frame, length);
        VirtioNetHeader.clear(buffer, head);
        finish(head, frame, length, gsoSize, mtu);
        controls.set(
                JAVA_INT, (long) waiting * CONTROL_SIZE + CONTROL_MARK, writeOrders(inPort, tunnelKey, flags, step));
        long vector = (long) waiting * VECTOR_SIZE;
        vectors.set(JAVA_LONG, vector, buffer.address() + head);
        vectors.set(JAVA_LONG, vector + 8, VirtioNetHeader.LENGTH + (long) length);
        used = frame + length + 15 & ~15L;
        waiting++;
    }

    /** Into this worker's next slot. Returns the mark that names them. */
    private int writeOrders(int inPort, int tunnelKey, int flags, MemorySegment step) {
        int place = worker << Inject.SLOT_BITS | slot;
        int mark = uses << Inject.PLACE_BITS | place;
        long at = (long) place * Inject.SIZE;
        orders.set(JAVA_INT, at + Inject.MARK, mark);
        orders.set(JAVA_INT, at + Inject.FLAGS, flags);
        orders.set(JAVA_INT, at + Inject.IN_PORT, inPort);
        orders.set(JAVA_INT, at + Inject.TUNNEL_KEY, tunnelKey);
        MemorySegment.copy(step, 0, orders, at + Inject.STEP, Layout.Step.SIZE);
        if (++slot == SLOTS) {
            slot = 0;
            uses = uses + 1 == MOST_USES ? 1 : uses + 1;
        }
        return mark;
    }

    /** Says of a TCP or UDP frame what it lacks. */
    private void finish(long head, long frame, int length, int gsoSize, int mtu) {
        packet.wrap(buffer, frame, length);
        if (PacketParser.parse(packet) != 0
                || packet.l4Offset == 0
                || packet.key.etherType() == Ethernet.ARP
                || packet.key.fragment() != FlowKey.NOT_FRAGMENT) {
            return;
        }
        int protocol = packet.key.protocol();
        if (protocol != Ipv4.TCP && protocol != Ipv4.UDP) {
            return;
        }
        boolean tcp = protocol == Ipv4.TCP;
        long l4 = frame + packet.l4Offset;
        int field = Checksum.fieldOffset(protocol);
        int begun = ~Checksum.finish(Checksum.pseudoHeader(
                        buffer, frame + packet.l3Offset, protocol, packet.l3End - packet.l4Offset))
                & 0xffff;
        int headers = packet.l4Offset + (tcp ? Tcp.headerLength(buffer, l4) : Udp.LENGTH);
        boolean longer = gsoSize != 0 || tcp && packet.l3End - packet.l3Offset > mtu;
        boolean unfinished = Short.toUnsignedInt(buffer.get(BE_SHORT, l4 + field)) == begun && begun != 0;
        if (!unfinished) {
            return;
        }
        buffer.set(JAVA_BYTE, head, (byte) VirtioNetHeader.NEEDS_CHECKSUM);
        buffer.set(JAVA_SHORT_UNALIGNED, head + VirtioNetHeader.CHECKSUM_START_OFFSET, (short) packet.l4Offset);
        buffer.set(JAVA_SHORT_UNALIGNED, head + VirtioNetHeader.CHECKSUM_OFFSET_OFFSET, (short) field);
        if (longer) {
            int size = gsoSize != 0 ? gsoSize : mtu - (headers - packet.l3Offset);
            boolean v4 = packet.key.etherType() == Ethernet.IPV4;
            int type = !tcp
                    ? VirtioNetHeader.GSO_UDP_SEGMENTS
                    : v4 ? VirtioNetHeader.GSO_TCPV4 : VirtioNetHeader.GSO_TCPV6;
            buffer.set(JAVA_BYTE, head + VirtioNetHeader.GSO_TYPE_OFFSET, (byte) type);
            buffer.set(JAVA_SHORT_UNALIGNED, head + VirtioNetHeader.HEADER_LENGTH_OFFSET, (short) headers);
            buffer.set(JAVA_SHORT_UNALIGNED, head + VirtioNetHeader.SEGMENT_SIZE_OFFSET, (short) size);
        }
    }

    /** Sends what waits. A frame the kernel refuses is counted; those behind it go all the same. */
    void flush() {
        int done = 0;
        while (done < waiting) {
            int sent = Libc.sendMany(fd, messages.address() + (long) done * MESSAGE_SIZE, waiting - done, 0);
            if (sent <= 0) {
                failures++;
                sent = 1;
            }
            done += sent;
        }
        waiting = 0;
        used = 0;
    }

    /** Frames the kernel did not take. Read by anyone, a moment late. */
    long failures() {
        return failures;
    }

    @Override
    public void close() {
        Libc.close(fd);
    }
}
