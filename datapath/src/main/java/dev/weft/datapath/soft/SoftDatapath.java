package dev.weft.datapath.soft;

import dev.weft.base.HotPath;
import dev.weft.base.IpAddress;
import dev.weft.base.MacAddress;
import dev.weft.datapath.Capture;
import dev.weft.datapath.Datapath;
import dev.weft.datapath.DatapathConfig;
import dev.weft.datapath.DatapathException;
import dev.weft.datapath.DatapathStatistics;
import dev.weft.datapath.FlowDump;
import dev.weft.datapath.PortListener;
import dev.weft.datapath.PortSpec;
import dev.weft.datapath.PortStatistics;
import dev.weft.datapath.ProbeFrame;
import dev.weft.datapath.WorkerPort;
import dev.weft.datapath.WorkerPort.UpcallHandler;
import dev.weft.datapath.soft.SoftPort.SendResult;
import dev.weft.sim.flow.ActionList;
import dev.weft.sim.flow.FlowHome;
import dev.weft.sim.flow.FlowKey;
import dev.weft.sim.packet.Malformed;
import dev.weft.sim.packet.Packet;
import dev.weft.sim.packet.PacketParser;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.UUID;
import java.util.concurrent.atomic.AtomicLongArray;
import java.util.concurrent.atomic.LongAdder;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * A datapath in Java, without its wires: what happens to a frame from the moment a kind hands it in until a kind sends
 * it out. Any thread.
 */
public abstract class SoftDatapath implements Datapath {
    /** The longest frame: an IP packet of 65,535 bytes behind an Ethernet header and a tag, rounded up. */
    public static final int MAX_FRAME = 65_600;

    private static final int DUMP_STEP = 1024;

    // Immutable after construction.
    private final DatapathConfig config;
    private final FlowCache cache;
    private final PortTable ports = new PortTable();
    private final TunnelTable tunnels = new TunnelTable();
    private final FirstFragments fragments = new FirstFragments();
    private final long incarnation = UUID.randomUUID().getMostSignificantBits();

    // Shared.
    private final LongAdder hits = new LongAdder();
    private final LongAdder misses = new LongAdder();
    private final LongAdder tunnelUpcalls = new LongAdder();
    private final LongAdder stateFrames = new LongAdder();
    private final LongAdder delivered = new LongAdder();
    private final AtomicLongArray drops = new AtomicLongArray(FrameDrop.values().length);
    private final AtomicLongArray malformed = new AtomicLongArray(Malformed.count());
    private volatile Seating seating;
    private volatile PortListener portListener = (port, id) -> {};

    protected SoftDatapath(DatapathConfig config) {
        this.config = config;
        cache = new FlowCache(config.flowCapacity(), config.workers());
        seating = new Seating(config.workers());
        shareQueues();
    }

    /** The workers of one process: their seats, and what the tunnel and state frames hold of their queues. */
    private final class Seating {
        final WorkerSeat[] seats;
        final UpcallQueue.Share[] tunnelShares;
        final UpcallQueue.Share[] stateShares;

        Seating(int workers) {
            seats = new WorkerSeat[workers];
            for (int i = 0; i < workers; i++) {
                seats[i] = new WorkerSeat(SoftDatapath.this, cache, i, config.upcallQueueBytes() / UpcallQueue.CHUNK);
            }
            tunnelShares = UpcallQueue.shares(workers);
            stateShares = UpcallQueue.shares(workers);
        }
    }

    /** Makes the port for an interface that exists, or says what is wrong. Nothing may arrive before its start. */
    protected abstract SoftPort open(int number, PortSpec spec);

    /** Sends an inner frame across the underlay. From any thread; the memory is the caller's again on return. */
    protected abstract SendResult sendTunnel(
            long remoteHigh, long remoteLow, int key, MemorySegment segment, long offset, int length);

    /** Stops what brings frames from the underlay. Called once, after all ports are detached. */
    protected abstract void closeUnderlay();

    protected final DatapathConfig config() {
        return config;
    }

    // Frames in.

    /** A frame from a port's VM. */
    @HotPath
    protected final void receive(SoftPort port, MemorySegment segment, long offset, int length) {
        port.receivedPackets.increment();
        port.receivedBytes.add(length);
        tap(port, true, segment, offset, length);
        if (ports.get(port.number()) == port) {
            forward(port, segment, offset, length, port.number(), 0);
        }
    }

    /** The inner frame of a tunnel packet from {@code source}. One sender's frames come from one thread, in order. */
    @HotPath
    protected final void receiveTunnel(
            long sourceHigh, long sourceLow, int key, MemorySegment segment, long offset, int length) {
        if (!tunnels.isPeer(sourceHigh, sourceLow)) {
            count(FrameDrop.UNKNOWN_PEER);
            return;
        }
        if (key == PROBE_KEY) {
            probe(sourceHigh, sourceLow, segment, offset, length);
            return;
        }
        int target = tunnels.target(key);
        if (target == TunnelTable.UNBOUND) {
            count(FrameDrop.STALE_KEY);
        } else if (key == STATE_KEY) {
            upcall(null, segment, offset, length, FlowKey.TUNNEL_PORT, key, UpcallHandler.MISS);
        } else if (target == TO_WORKER) {
            forward(null, segment, offset, length, FlowKey.TUNNEL_PORT, key);
        } else if (transmit(target, segment, offset, length)) {
            delivered.increment();
        }
    }

    private void probe(long sourceHigh, long sourceLow, MemorySegment segment, long offset, int length) {
        if (ProbeFrame.isQuestion(segment, offset, length)) {
            MemorySegment answer = MemorySegment.ofArray(new byte[ProbeFrame.LENGTH]);
            MemorySegment.copy(segment, offset, answer, 0, ProbeFrame.LENGTH);
            answer.set(ValueLayout.JAVA_BYTE, ProbeFrame.KIND_AT, ProbeFrame.ANSWER);
            transmitTunnel(sourceHigh, sourceLow, PROBE_KEY, answer, 0, ProbeFrame.LENGTH);
        } else if (ProbeFrame.isAnswer(segment, offset, length)) {
            upcall(null, segment, offset, length, FlowKey.TUNNEL_PORT, PROBE_KEY, UpcallHandler.MISS);
        } else {
            count(FrameDrop.STALE_KEY);
        }
    }

    @HotPath
    private void tap(SoftPort port, boolean fromVm, MemorySegment segment, long offset, int length) {
        if (!port.taps.isEmpty()) {
            port.taps.copy(fromVm, segment, offset, length, config.clock().nanoTime());
        }
    }

    @HotPath
    private void forward(
            @Nullable SoftPort port, MemorySegment segment, long offset, int length, int inPort, int tunnelKey) {
        Scratch scratch = Scratch.enter();
        if (scratch == null) {
            count(FrameDrop.LOOP);
            return;
        }
        try {
            scratch.packet.wrap(segment, offset, length);
            if (!parse(scratch.packet)) {
                return;
            }
            scratch.packet.key.setIngress(inPort, tunnelKey);
            fragments.see(scratch.packet, config.clock().nanoTime());
            if (cache.lookup(scratch.packet.key, length, config.clock().nanoTime(), scratch.actions)) {
                hits.increment();
                if (port != null && !mayPass(port, scratch)) {
                    count(FrameDrop.FLOOD_OVER_LIMIT);
                    return;
                }
                scratch.exits.aim(this, port, segment, offset, length, inPort, tunnelKey);
                scratch.runner.run(scratch.actions, segment, offset, length, inPort, scratch.exits);
            } else {
                int home = FlowHome.of(scratch.packet, workers());
                upcall(port, home, segment, offset, length, inPort, tunnelKey, UpcallHandler.MISS);
            }
        } finally {
            scratch.leave();
        }
    }

    /** Floods are limited where they enter; what comes by the tunnel was counted there. */
    @HotPath
    private boolean mayPass(SoftPort port, Scratch scratch) {
        boolean flood = !scratch.actions.isDrop()
                && (MacAddress.isGroup(scratch.packet.key.dstMac()) || scratch.actions.hasSeveralOutputs());
        return !flood || port.floods.tryTake(config.clock().nanoTime());
    }

    @HotPath
    final void execute(MemorySegment segment, long offset, int length, int inPort, ActionList actions) {
        Scratch scratch = Scratch.enter();
        if (scratch == null) {
            count(FrameDrop.LOOP);
            return;
        }
        try {
            scratch.exits.aim(this, ports.get(inPort), segment, offset, length, inPort, 0);
            scratch.runner.run(actions, segment, offset, length, inPort, scratch.exits);
        } finally {
            scratch.leave();
        }
    }

    @HotPath
    final void completeKey(Packet packet) {
        if (packet.key.fragment() == FlowKey.LATER_FRAGMENT) {
            fragments.see(packet, config.clock().nanoTime());
        }
    }

    // Frames out.

    @HotPath
    final boolean transmit(int number, MemorySegment segment, long offset, int length) {
        SoftPort port = ports.get(number);
        if (port == null) {
            count(FrameDrop.NO_PORT);
            return false;
        }
        SendResult result = port.isUp() ? port.send(segment, offset, length) : SendResult.FAILED;
        if (result == SendResult.SENT) {
            port.sentPackets.increment();
            port.sentBytes.add(length);
            tap(port, false, segment, offset, length);
            return true;
        }
        count(result == SendResult.TOO_BIG ? FrameDrop.TOO_BIG : FrameDrop.PORT_FAILED);
        return false;
    }

    @HotPath
    final void transmitTunnel(
            long remoteHigh, long remoteLow, int key, MemorySegment segment, long offset, int length) {
        SendResult result = sendTunnel(remoteHigh, remoteLow, key, segment, offset, length);
        if (result != SendResult.SENT) {
            count(result == SendResult.TOO_BIG ? FrameDrop.TOO_BIG : FrameDrop.TUNNEL_FAILED);
        }
    }

    /** To the frame's home worker, which is found by parsing it once more: the rare ways into user space. */
    @HotPath
    final void upcall(
            @Nullable SoftPort port,
            MemorySegment segment,
            long offset,
            int length,
            int inPort,
            int tunnelKey,
            int reason) {
        Scratch scratch = Scratch.enter();
        if (scratch == null) {
            count(FrameDrop.LOOP);
            return;
        }
        try {
            scratch.packet.wrap(segment, offset, length);
            if (!parse(scratch.packet)) {
                return;
            }
            int home = FlowHome.of(scratch.packet, workers());
            upcall(port, home, segment, offset, length, inPort, tunnelKey, reason);
        } finally {
            scratch.leave();
        }
    }

    @HotPath
    private void upcall(
            @Nullable SoftPort port,
            int home,
            MemorySegment segment,
            long offset,
            int length,
            int inPort,
            int tunnelKey,
            int reason) {
        if (port != null && !port.budget.tryTake(config.clock().nanoTime())) {
            port.upcallsOverBudget.increment();
            count(FrameDrop.UPCALL_BUDGET);
            return;
        }
        boolean state = tunnelKey == STATE_KEY || tunnelKey == PROBE_KEY;
        Seating now = seating;
        UpcallQueue.Share[] shares = port != null ? port.shares : state ? now.stateShares : now.tunnelShares;
        UpcallQueue.Share share = shares[home];
        WorkerSeat seat = now.seats[home];
        if (!seat.queue.offer(share, segment, offset, length, inPort, tunnelKey, reason)) {
            count(FrameDrop.UPCALL_QUEUE_FULL);
            return;
        }
        if (port != null) {
            port.upcalls.increment();
        }
        if (state) {
            stateFrames.increment();
        } else {
            (inPort == FlowKey.TUNNEL_PORT ? tunnelUpcalls : misses).increment();
        }
        seat.unpark();
    }

    /** False when the frame was dropped and counted under the parser's reason. */
    @HotPath
    private boolean parse(Packet packet) {
        int code = PacketParser.parse(packet);
        if (code != Malformed.OK) {
            malformed.getAndIncrement(code - 1);
        }
        return code == Malformed.OK;
    }

    @HotPath
    protected final void count(FrameDrop why) {
        drops.getAndIncrement(why.ordinal());
    }

    // Control.

    @Override
    public final int workers() {
        return seating.seats.length;
    }

    @Override
    public boolean survives() {
        return false;
    }

    @Override
    public final long incarnation() {
        return incarnation;
    }

    @Override
    public final WorkerPort worker(int index) {
        return seating.seats[index];
    }

    @Override
    public final int attach(PortSpec spec) {
        synchronized (ports) {
            Optional<SoftPort> survivor = ports.survivor(spec);
            if (survivor.isPresent()) {
                survivor.get().adopt(spec);
                return survivor.get().number();
            }
            ports.obsolete(spec).forEach(port -> detach(port.number()));
            ports.refuseDouble(spec);
            int number = ports.nextNumber();
            SoftPort port = open(number, spec);
            cache.addPort(number);
            ports.put(port);
            shareQueues();
            port.start();
            return number;
        }
    }

    @Override
    public final void detach(int number) {
        SoftPort port;
        synchronized (ports) {
            port = ports.remove(number);
            if (port == null) {
                return;
            }
            cache.removePort(number);
            shareQueues();
        }
        port.close();
    }

    private void shareQueues() {
        for (WorkerSeat seat : seating.seats) {
            // The tunnel's misses and the state frames have a share each, like a port.
            seat.queue.setSharers(ports.count() + 2);
        }
    }

    /** A kind noticed that a port's interface is gone. */
    protected final void lost(SoftPort port) {
        if (ports.get(port.number()) == port && port.lost()) {
            portListener.onPortLost(port.number(), port.spec().id());
        }
    }

    @Override
    public final void setPortListener(PortListener listener) {
        portListener = listener;
    }

    @Override
    public final List<PortStatistics> ports() {
        return ports.all().stream().map(SoftPort::statistics).toList();
    }

    /** The port of that number, for kinds and their tests. */
    protected final SoftPort port(int number) {
        SoftPort port = ports.get(number);
        if (port == null) {
            throw new DatapathException("port " + number + " is not attached (expected one of " + numbers() + ")");
        }
        return port;
    }

    private List<Integer> numbers() {
        return ports.all().stream().map(SoftPort::number).toList();
    }

    @Override
    public final void bindTunnelKey(int key, int portOrToWorker) {
        tunnels.bind(key, portOrToWorker);
    }

    @Override
    public final void unbindTunnelKey(int key) {
        tunnels.unbind(key);
    }

    @Override
    public final void setPeers(Set<IpAddress> underlayAddresses) {
        tunnels.setPeers(underlayAddresses);
    }

    @Override
    public final DatapathStatistics statistics() {
        var byReason = new TreeMap<String, Long>();
        for (FrameDrop drop : FrameDrop.values()) {
            byReason.put(drop.text(), drops.get(drop.ordinal()));
        }
        for (Malformed lie : Malformed.values()) {
            byReason.put(lie.label(), malformed.get(lie.ordinal()));
        }
        return new DatapathStatistics(
                hits.sum(),
                misses.sum(),
                tunnelUpcalls.sum(),
                stateFrames.sum(),
                delivered.sum(),
                cache.size(),
                byReason);
    }

    @Override
    public final void forEachFlow(Consumer<FlowDump> each) {
        var flows = new ArrayList<FlowDump>();
        for (int from = 0; from < cache.dumpRange(); from += DUMP_STEP) {
            cache.dump(from, Math.min(from + DUMP_STEP, cache.dumpRange()), flows);
            flows.forEach(each);
            flows.clear();
        }
    }

    @Override
    public final Capture capture(int number, int framesPerSecond, Capture.Sink sink) {
        return port(number).taps.open(framesPerSecond, sink);
    }

    /** The process ended and another one has come: everything is as it was, and nobody's. */
    protected final void reopen(int workers) {
        synchronized (ports) {
            ports.all().forEach(port -> port.orphan(workers));
            tunnels.orphanAll();
            cache.orphanAll();
            seating = new Seating(workers);
            shareQueues();
        }
    }

    @Override
    public final int dropUnadopted() {
        ports.all().stream().filter(SoftPort::isOrphan).forEach(port -> detach(port.number()));
        tunnels.unbindOrphans();
        return cache.discardOrphans();
    }

    @Override
    public final void close() {
        if (!survives()) {
            remove();
        }
    }

    @Override
    public final void remove() {
        for (SoftPort port : ports.all()) {
            detach(port.number());
        }
        closeUnderlay();
    }
}
