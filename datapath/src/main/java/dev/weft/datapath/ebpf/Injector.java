package dev.weft.datapath.ebpf;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_INT_UNALIGNED;
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
import dev.weft.sim.packet.Vlan;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;

/**
 * Sends frames into the kernel with orders in front ({@code struct inject}), by a packet socket at our end of a pair of
 * interfaces; the program at the other end does as ordered. Frames are gathered and sent by one call. Not thread safe:
 * touched only by its worker thread.
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
    private static final int VECTOR_SIZE = 16;
    private static final int SOL_PACKET = 263;
    private static final int OPTION_VNET_HDR = 15;
    private static final int OPTION_QDISC_BYPASS = 20;
    private static final int SO_SNDBUFFORCE = 32;
    private static final int SEND_BUFFER_BYTES = 4 << 20;
    /** The kernel moves what is behind an Ethernet header only when an IPv4 header's worth stays. */
    private static final int SHORTEST = Ethernet.LENGTH + Ipv4.LENGTH;

    private static final ValueLayout.OfShort BE_SHORT = JAVA_SHORT_UNALIGNED.withOrder(ByteOrder.BIG_ENDIAN);

    // Immutable after construction.
    private final int fd;
    private final long mac;
    private final MemorySegment messages;
    private final MemorySegment vectors;
    private final MemorySegment buffer;
    private final Packet packet = new Packet();
    // Owned by the worker thread.
    private int waiting;
    private long used;
    private long failures;

    /** @param ifindex of our end; {@code mac} of the other */
    Injector(NetworkNamespace namespace, int ifindex, long mac, Arena arena) {
        this.mac = mac;
        messages = arena.allocate((long) MOST * MESSAGE_SIZE, 8);
        vectors = arena.allocate((long) MOST * VECTOR_SIZE, 8);
        buffer = arena.allocate(BUFFER_BYTES, 64);
        for (int i = 0; i < MOST; i++) {
            long message = (long) i * MESSAGE_SIZE;
            messages.set(JAVA_LONG, message + MSG_VECTORS, vectors.address() + (long) i * VECTOR_SIZE);
            messages.set(JAVA_LONG, message + MSG_VECTOR_COUNT, 1);
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
     * @param step null: it is looked up once more
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
        long room = VirtioNetHeader.LENGTH + Inject.SIZE + Math.max(length, SHORTEST) + 16L;
        if (waiting == MOST || used + room > BUFFER_BYTES) {
            flush();
        }
        boolean tagged = length >= Ethernet.LENGTH + Vlan.LENGTH && Ethernet.type(segment, offset) == Ethernet.VLAN;
        int tag = tagged ? Vlan.LENGTH : 0;
        int type = tagged ? Vlan.type(segment, offset + Ethernet.LENGTH) : Ethernet.type(segment, offset);
        int bare = length - tag;
        long head = used;
        long orders = head + VirtioNetHeader.LENGTH;
        long frame = orders + Inject.SIZE;
        MemorySegment.copy(segment, offset, buffer, frame, 2 * 6);
        MemorySegment.copy(segment, offset + 12 + tag, buffer, frame + 12, bare - 12L);
        int sent = bare;
        if (bare < SHORTEST) {
            buffer.asSlice(frame + bare, SHORTEST - bare).fill((byte) 0);
            sent = SHORTEST;
        }
        putOrders(orders, type, inPort, tunnelKey, flags, bare, step);
        buffer.set(
                JAVA_INT_UNALIGNED,
                orders + Inject.TCI,
                tagged ? Inject.TAGGED | Vlan.tci(segment, offset + Ethernet.LENGTH) : 0);
        VirtioNetHeader.clear(buffer, head);
        finish(head, frame, bare, gsoSize, mtu);
        long vector = (long) waiting * VECTOR_SIZE;
        vectors.set(JAVA_LONG, vector, buffer.address() + head);
        vectors.set(JAVA_LONG, vector + 8, (long) VirtioNetHeader.LENGTH + Inject.SIZE + sent);
        used = head + VirtioNetHeader.LENGTH + Inject.SIZE + sent + 15 & ~15L;
        waiting++;
    }

    private void putOrders(long at, int type, int inPort, int tunnelKey, int flags, int length, MemorySegment step) {
        putMac(at, mac);
        putMac(at + 6, 0);
        // What is not IP pretends to be: the kernel cuts the orders off IP packets only.
        buffer.set(BE_SHORT, at + 12, (short) (type == Ethernet.IPV6 ? Ethernet.IPV6 : Ethernet.IPV4));
        buffer.set(JAVA_SHORT_UNALIGNED, at + Inject.FLAGS, (short) flags);
        buffer.set(JAVA_INT_UNALIGNED, at + Inject.IN_PORT, inPort);
        buffer.set(JAVA_INT_UNALIGNED, at + Inject.TUNNEL_KEY, tunnelKey);
        buffer.set(JAVA_INT_UNALIGNED, at + Inject.LENGTH, length);
        MemorySegment.copy(step, 0, buffer, at + Inject.STEP, Layout.Step.SIZE);
    }

    private void putMac(long at, long value) {
        buffer.set(BE_SHORT, at, (short) (value >>> 32));
        buffer.set(BE_SHORT, at + 2, (short) (value >>> 16));
        buffer.set(BE_SHORT, at + 4, (short) value);
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
        buffer.set(JAVA_SHORT_UNALIGNED, head + VirtioNetHeader.CHECKSUM_START_OFFSET, (short)
                (Inject.SIZE + packet.l4Offset));
        buffer.set(JAVA_SHORT_UNALIGNED, head + VirtioNetHeader.CHECKSUM_OFFSET_OFFSET, (short) field);
        if (longer) {
            int size = gsoSize != 0 ? gsoSize : mtu - (headers - packet.l3Offset);
            boolean v4 = packet.key.etherType() == Ethernet.IPV4;
            int type = !tcp
                    ? VirtioNetHeader.GSO_UDP_SEGMENTS
                    : v4 ? VirtioNetHeader.GSO_TCPV4 : VirtioNetHeader.GSO_TCPV6;
            buffer.set(JAVA_BYTE, head + VirtioNetHeader.GSO_TYPE_OFFSET, (byte) type);
            buffer.set(
                    JAVA_SHORT_UNALIGNED, head + VirtioNetHeader.HEADER_LENGTH_OFFSET, (short) (Inject.SIZE + headers));
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
