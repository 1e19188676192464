package dev.weft.it.bench.datapath;

import dev.weft.agent.lab.Vm;
import dev.weft.base.NanoClock;
import dev.weft.datapath.link.Links;
import dev.weft.datapath.link.NetworkNamespace;
import dev.weft.datapath.link.PacketSocket;
import dev.weft.sim.packet.Ethernet;
import dev.weft.sim.packet.Packet;
import dev.weft.sim.packet.PacketParser;
import dev.weft.sim.sal.SalHeader;
import dev.weft.sim.trace.PacketExpression;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.Arrays;
import java.util.BitSet;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;

/**
 * New Serval connections of one VM to a service, 500 a second, and which of them reach another VM: each has its number as
 * flow id. Driven by one thread.
 */
final class SynStream implements AutoCloseable {
    private static final long STEP_NANOS = TimeUnit.MILLISECONDS.toNanos(2);
    /** What is on its way when sending ends arrives within this. */
    private static final long TAIL_NANOS = TimeUnit.MILLISECONDS.toNanos(300);

    private static final int MAX_FRAME = 2048;
    private static final int PROTOCOL_AT = Ethernet.LENGTH + 9;

    private final NanoClock clock = NanoClock.SYSTEM;
    private final Arena arena = Arena.ofShared();
    private final MemorySegment frame;
    private final MemorySegment buffer = arena.allocate(MAX_FRAME, 8);
    private final int first;
    private final PacketSocket sender;
    private final PacketSocket receiver;
    private final Packet packet = new Packet();
    private final BitSet arrived = new BitSet();
    private long[] sentAt = new long[1 << 12];
    private int sent;

    private SynStream(int first, PacketSocket sender, PacketSocket receiver) {
        this.first = first;
        this.sender = sender;
        this.receiver = receiver;
        byte[] syn = PacketExpression.parse("sal 10.0.1.5:1 > 10.0.1.1:0 flags syn verno 1 service 0x00004001"
                + " src-mac 02:00:00:00:01:05 dst-mac 02:00:00:00:ff:01");
        frame = arena.allocate(syn.length, 8);
        MemorySegment.copy(MemorySegment.ofArray(syn), 0, frame, 0, syn.length);
    }

    /** @param first flow id: a network remembers those before for minutes */
    static SynStream open(int first, Vm from, Vm to) {
        return new SynStream(first, socket(from), socket(to));
    }

    private static PacketSocket socket(Vm vm) {
        var namespace = NetworkNamespace.named(vm.namespace());
        try (var links = Links.in(namespace)) {
            return PacketSocket.open(namespace, links.get(Vm.INTERFACE).ifindex());
        }
    }

    /** Sends for so long, and waits for what is on its way. */
    void run(long nanos) {
        long begin = clock.nanoTime();
        long next = begin;
        while (next - begin < nanos) {
            send();
            next += STEP_NANOS;
            receiveUntil(next);
        }
        receiveUntil(clock.nanoTime() + TAIL_NANOS);
    }

    private void send() {
        if (sent == sentAt.length) {
            sentAt = Arrays.copyOf(sentAt, 2 * sent);
        }
        long at = Ethernet.LENGTH + 20L;
        SalHeader.write(frame, at, first + sent, 0, SalHeader.length(frame, at), SalHeader.protocol(frame, at));
        SalHeader.fillChecksum(frame, at);
        sentAt[sent++] = clock.nanoTime();
        sender.send(frame, 0, frame.byteSize());
    }

    private void receiveUntil(long when) {
        while (when - clock.nanoTime() > 0) {
            int length = receiver.receive(buffer);
            if (length > 0) {
                note(length);
            } else {
                LockSupport.parkNanos(Math.min(when - clock.nanoTime(), STEP_NANOS / 8));
            }
        }
    }

    private void note(int length) {
        if (length > PROTOCOL_AT
                && Byte.toUnsignedInt(buffer.get(ValueLayout.JAVA_BYTE, PROTOCOL_AT)) == SalHeader.IP_PROTOCOL) {
            packet.wrap(buffer, 0, length);
            int number = PacketParser.parse(packet) == 0 && packet.sal.present ? packet.sal.srcFlow - first : -1;
            if (number >= 0 && number < sent) {
                arrived.set(number);
            }
        }
    }

    int sent() {
        return sent;
    }

    /** Connections that did not arrive. */
    int missed() {
        return sent - arrived.cardinality();
    }

    /** When the last of them was begun. */
    long lastMissedAt() {
        return sentAt[arrived.previousClearBit(sent - 1)];
    }

    @Override
    public void close() {
        sender.close();
        receiver.close();
        arena.close();
    }
}
