package dev.weft.datapath.ebpf;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;
import static java.lang.foreign.ValueLayout.JAVA_SHORT;

import dev.weft.base.HotPath;
import dev.weft.base.NanoClock;
import dev.weft.datapath.Datapath;
import dev.weft.datapath.WorkerPort;
import dev.weft.datapath.bpf.BpfMap;
import dev.weft.datapath.bpf.MapCursor;
import dev.weft.datapath.bpf.RingReader;
import dev.weft.datapath.ebpf.Layout.Flow;
import dev.weft.datapath.ebpf.Layout.Inject;
import dev.weft.datapath.ebpf.Layout.Upcall;
import dev.weft.datapath.kernel.Errno;
import dev.weft.datapath.kernel.Waiter;
import dev.weft.datapath.soft.FrameDrop;
import dev.weft.sim.flow.ActionList;
import dev.weft.sim.flow.FlowKey;
import dev.weft.sim.flow.FlowMask;
import dev.weft.sim.packet.Packet;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;

/**
 * One worker's seat at the kernel: its ring, its flows, its way to execute. One thread, except {@link #wakeUp}. Frames to
 * be executed gather until {@link #poll} ends, a batch is full or the worker waits.
 */
@HotPath
final class EbpfWorker implements WorkerPort, AutoCloseable {
    /** After the last upcall a worker looks for the next one so long before it sleeps: waking costs more. */
    private static final long SPIN_NANOS = 200_000;

    /** Of flows whose use is read by one call: packets wait meanwhile. */
    private static final int BATCH = 256;

    // Immutable after construction.
    private final Host host;
    private final int index;
    private final RingReader ring;
    private final Waiter waiter;
    private final Injector injector;
    private final StepCompiler compiler;
    private final FlowSlots slots = new FlowSlots();
    private final KernelFragments fragments;
    private final MapCursor cursor;
    private final boolean maySpin;
    private final byte life;
    private final NanoClock clock;
    private final MemorySegment key;
    private final MemorySegment flow;
    private final MemorySegment batchKeys;
    private final MemorySegment batchFlows;
    private final RingReader.RecordConsumer onRecord = this::onRecord;
    private final DropCounts drops = new DropCounts();

    // Owned by the worker thread.
    private UpcallHandler handler = (segment, offset, length, inPort, tunnelKey, reason) -> {};
    private boolean polling;
    private int gsoSize;
    private long spinUntil;
    private int batchAt;
    private int batchCount;
    private boolean roundOver;

    /** What all workers of a host share. */
    record Host(
            KernelTables tables,
            PortTable ports,
            MaskLists masks,
            RemoteTable remotes,
            StepRuns runs,
            FlowCount flowCount,
            Survivors survivors,
            int workers) {}

    EbpfWorker(Host host, int index, Injector injector, NanoClock clock, Arena arena) {
        this.host = host;
        this.index = index;
        this.injector = injector;
        this.clock = clock;
        ring = RingReader.open(host.tables.rings.get(index));
        waiter = Waiter.open();
        waiter.add(ring.fd());
        compiler = new StepCompiler(host.remotes, arena);
        fragments = new KernelFragments(host.tables.fragments, clock, arena);
        cursor = host.tables.flows.cursor();
        life = host.tables.life();
        maySpin = host.workers < Runtime.getRuntime().availableProcessors();
        key = arena.allocate(Layout.KEY_SIZE, 8);
        flow = arena.allocate(Flow.SIZE, 8);
        batchKeys = arena.allocate((long) BATCH * Layout.KEY_SIZE, 8);
        batchFlows = arena.allocate((long) BATCH * Flow.SIZE, 8);
    }

    @Override
    public int poll(UpcallHandler upcallHandler, int limit) {
        handler = upcallHandler;
        polling = true;
        try {
            int done = ring.poll(onRecord, limit);
            if (done > 0 && maySpin) {
                spinUntil = clock.nanoTime() + SPIN_NANOS;
            }
            return done;
        } finally {
            polling = false;
            gsoSize = 0;
            injector.flush();
        }
    }

    private void onRecord(MemorySegment segment, long at, int recordLength) {
        int inPort = segment.get(JAVA_INT, at + Upcall.IN_PORT);
        int tunnelKey = segment.get(JAVA_INT, at + Upcall.TUNNEL_KEY);
        int share = tunnelKey == Datapath.STATE_KEY ? Layout.STATE_PORT : inPort;
        try {
            gsoSize = segment.get(JAVA_INT, at + Upcall.GSO_SIZE);
            handler.onUpcall(
                    segment,
                    at + Upcall.SIZE,
                    segment.get(JAVA_INT, at + Upcall.LENGTH),
                    inPort,
                    tunnelKey,
                    segment.get(JAVA_SHORT, at + Upcall.REASON));
        } finally {
            host.tables.addTaken(share * host.workers + index, segment.get(JAVA_INT, at + Upcall.CHUNKS));
        }
    }

    @Override
    public void await(long nanos) {
        injector.flush();
        while (spinUntil - clock.nanoTime() > 0) {
            if (!ring.isEmpty()) {
                return;
            }
            Thread.onSpinWait();
        }
        if (ring.isEmpty()) {
            waiter.await(nanos);
        }
    }

    @Override
    public void wakeUp() {
        waiter.wakeUp();
    }

    @Override
    public void completeKey(Packet packet) {
        fragments.complete(packet);
    }

    @Override
    public int install(long flowId, FlowKey flowKey, FlowMask mask, ActionList actions) {
        int port = flowKey.inPort();
        if (port != FlowKey.TUNNEL_PORT && !host.ports.isAttached(port) || !host.flowCount.tryAdd()) {
            return FULL;
        }
        MaskLists.Use use = host.masks.join(port, mask);
        int first = FlowSlots.NONE;
        boolean fits = compiler.compile(actions);
        if (fits && compiler.count() > 1) {
            first = host.runs.store(compiler.steps(), compiler.count());
            fits = first != StepRuns.FULL;
        }
        if (!fits) {
            giveBack(use, FlowSlots.NONE, 0);
            return FULL;
        }
        int slot = slots.add(flowId, use, first, compiler.count());
        fillKey(slot, flowKey, use);
        fillFlow(flowId, first);
        int result = host.tables.flows.update(key.address(), flow.address(), BpfMap.NO_EXIST);
        if (result == 0) {
            return INSTALLED;
        }
        boolean exists = Errno.EEXIST.is(result);
        if (exists && !host.survivors.isEmpty() && host.survivors.replace(key, flow)) {
            return INSTALLED;
        }
        slots.remove(slot);
        giveBack(use, first, compiler.count());
        return exists ? EXISTS : FULL;
    }

    private void fillKey(int slot, FlowKey flowKey, MaskLists.Use use) {
        long word = flowKey.word(0) & ~0xffff_0000L | (long) use.number << 16;
        key.set(JAVA_LONG, 0, word);
        slots.setKeyWord(slot, 0, word);
        for (int i = 1; i < FlowKey.WORDS; i++) {
            word = flowKey.word(i) & use.mask.word(i);
            key.set(JAVA_LONG, 8L * i, word);
            slots.setKeyWord(slot, i, word);
        }
    }

    private void fillFlow(long flowId, int first) {
        flow.set(JAVA_LONG, Flow.PACKETS, 0);
        flow.set(JAVA_LONG, Flow.BYTES, 0);
        flow.set(JAVA_LONG, Flow.USED, 0);
        flow.set(JAVA_LONG, Flow.ID, flowId);
        flow.set(JAVA_INT, Flow.FIRST_STEP, first);
        flow.set(JAVA_BYTE, Flow.WORKER, (byte) index);
        flow.set(JAVA_BYTE, Flow.TCP_FLAGS, (byte) 0);
        flow.set(JAVA_SHORT, Flow.STEP_COUNT, (short) compiler.count());
        flow.set(JAVA_SHORT, Flow.LEAST_MTU, (short) compiler.leastMtu());
        flow.set(JAVA_BYTE, Flow.MOST_TTL, (byte) compiler.mostTtl());
        flow.set(JAVA_BYTE, Flow.LIFE, life);
        if (compiler.count() == 1) {
            MemorySegment.copy(compiler.steps(), 0, flow, Flow.STEP, Layout.Step.SIZE);
        }
    }

    private void giveBack(MaskLists.Use use, int first, int count) {
        host.masks.leave(use);
        if (first != FlowSlots.NONE) {
            host.runs.release(first, count);
        }
        host.flowCount.remove();
    }

    @Override
    public void remove(long flowId) {
        int slot = slots.find(flowId);
        if (slot == FlowSlots.NONE) {
            return;
        }
        for (int i = 0; i < FlowKey.WORDS; i++) {
            key.set(JAVA_LONG, 8L * i, slots.keyWord(slot, i));
        }
        host.tables.flows.delete(key.address());
        slots.remove(slot);
        giveBack(
                slots.use(slot),
                slots.firstStep(slot),
                slots.firstStep(slot) == FlowSlots.NONE ? 0 : slots.stepCount(slot));
    }

    @Override
    public void execute(MemorySegment segment, long offset, int length, int inPort, ActionList actions) {
        if (actions.isDrop() || !compiler.compile(actions)) {
            drops.count(actions.isDrop() ? FrameDrop.BY_FLOW : FrameDrop.TUNNEL_FAILED);
            return;
        }
        int mtu = host.ports.mtu(inPort);
        for (int i = 0; i < compiler.count(); i++) {
            // However many outputs of a flood are too narrow, user space hears of it once.
            int flags = i == 0 ? 0 : Inject.NO_PUNT;
            injector.add(segment, offset, length, inPort, 0, flags, compiler.whole(i), gsoSize, mtu);
        }
        if (!polling) {
            injector.flush();
        }
    }

    @Override
    public int readUsed(FlowUse use, int limit) {
        int reported = 0;
        int looked = 0;
        int most = Math.max(limit, BATCH);
        roundOver = false;
        while (reported < limit && looked < most) {
            if (batchAt == batchCount && !nextBatch()) {
                break;
            }
            looked++;
            if (report(use, (long) batchAt++ * Flow.SIZE)) {
                reported++;
            }
        }
        return reported;
    }

    @Override
    public boolean isRoundOver() {
        return roundOver;
    }

    /** False at the end of the map, after which it begins again. */
    private boolean nextBatch() {
        batchAt = 0;
        batchCount = Math.max(0, cursor.next(batchKeys.address(), batchFlows.address(), BATCH));
        if (batchCount == 0) {
            cursor.rewind();
            roundOver = true;
            return false;
        }
        return true;
    }

    private boolean report(FlowUse use, long at) {
        if (batchFlows.get(JAVA_BYTE, at + Flow.WORKER) != index || batchFlows.get(JAVA_BYTE, at + Flow.LIFE) != life) {
            return false;
        }
        long id = batchFlows.get(JAVA_LONG, at + Flow.ID);
        int slot = slots.find(id);
        long packets = batchFlows.get(JAVA_LONG, at + Flow.PACKETS);
        if (slot == FlowSlots.NONE || slots.seen(slot) == packets) {
            return false;
        }
        slots.setSeen(slot, packets);
        use.onUsed(
                id,
                packets,
                batchFlows.get(JAVA_LONG, at + Flow.BYTES),
                batchFlows.get(JAVA_LONG, at + Flow.USED),
                batchFlows.get(JAVA_BYTE, at + Flow.TCP_FLAGS));
        return true;
    }

    @Override
    public int readSurvivors(SurvivorHandler survivorHandler, int limit) {
        return host.survivors.isEmpty() ? 0 : host.survivors.read(index, survivorHandler, limit);
    }

    @Override
    public boolean adopt(long flowId, long survivor) {
        return host.survivors.adopt(survivor, index, flowId, slots);
    }

    @Override
    public void discard(long survivor) {
        host.survivors.discard(survivor);
    }

    DropCounts drops() {
        return drops;
    }

    /** Frames the injection socket refused. */
    long failures() {
        return injector.failures();
    }

    @Override
    public void close() {
        cursor.close();
        waiter.close();
        ring.close();
        injector.close();
    }
}
