package dev.weft.datapath.ebpf;

import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import dev.weft.datapath.DatapathConfig;
import dev.weft.datapath.DatapathException;
import dev.weft.datapath.bpf.BpfException;
import dev.weft.datapath.bpf.BpfMap;
import dev.weft.datapath.bpf.BpfMapType;
import dev.weft.datapath.bpf.BpfObject;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.List;

/**
 * The programs and maps of one host, loaded, and the memory shared with them. Safe from any thread: what is in the
 * segments belongs to those who write it.
 */
final class KernelTables implements AutoCloseable {
    static final String OBJECT = "weft.bpf.o";

    private static final int LEAST_RING_BYTES = 256 << 10;
    /** The longest record must fit beside others. */
    private static final int RING_HEADROOM = 128 << 10;

    private final Arena arena = Arena.ofShared();
    private final List<AutoCloseable> open = new ArrayList<>();
    private final BpfObject object;

    final BpfMap interfaces;
    final BpfMap portCounters;
    final BpfMap flows;
    final BpfMap remotes;
    final BpfMap tunnelKeys;
    final BpfMap peers;
    final BpfMap drops;
    final BpfMap malformed;
    final BpfMap counters;
    final List<BpfMap> rings;
    private final int queueChunks;

    final MemorySegment settings;
    final MemorySegment ports;
    final MemorySegment masks;
    final MemorySegment steps;
    final MemorySegment taken;

    private KernelTables(DatapathConfig config) {
        object = own(BpfObject.open(readObject(), "weft"));
        object.maxEntries("flows", config.flowCapacity());
        object.maxEntries("queued", Layout.MAX_PORTS * config.workers());
        object.maxEntries("taken", Layout.MAX_PORTS * config.workers());
        queueChunks = config.upcallQueueBytes() / Layout.CHUNK;
        rings = makeRings(config);
        object.innerMap("rings", rings.getFirst().fd());
        object.load();
        fillRings();
        interfaces = map("interfaces");
        portCounters = map("port_counters");
        flows = map("flows");
        remotes = map("remotes");
        tunnelKeys = map("tunnel_keys");
        peers = map("peers");
        drops = map("drops");
        malformed = map("malformed");
        counters = map("counters");
        settings = map("settings").map(arena);
        ports = map("ports").map(arena);
        masks = map("masks").map(arena);
        steps = map("steps").map(arena);
        taken = map("taken").map(arena);
    }

    /** @throws DatapathException when the kernel refuses, or this build has no programs */
    static KernelTables load(DatapathConfig config) {
        try {
            return new KernelTables(config);
        } catch (BpfException refused) {
            throw new DatapathException("datapath kind ebpf cannot be loaded: " + refused.getMessage(), refused);
        }
    }

    static boolean isBuiltIn() {
        return KernelTables.class.getResource(OBJECT) != null;
    }

    private static byte[] readObject() {
        try (var stream = KernelTables.class.getResourceAsStream(OBJECT)) {
            if (stream == null) {
                throw new DatapathException("this build has no kernel programs (" + OBJECT
                        + "): build it on a machine with clang and libbpf-dev, or use datapath kind userspace");
            }
            return stream.readAllBytes();
        } catch (IOException unreadable) {
            throw new DatapathException("the kernel programs (" + OBJECT + ") cannot be read", unreadable);
        }
    }

    private List<BpfMap> makeRings(DatapathConfig config) {
        long wanted = Math.max(LEAST_RING_BYTES, (long) config.upcallQueueBytes() + RING_HEADROOM);
        int size = (int) Math.min(1L << 30, Long.highestOneBit(wanted - 1) << 1);
        var made = new ArrayList<BpfMap>();
        for (int i = 0; i < config.workers(); i++) {
            made.add(own(BpfMap.create(BpfMapType.RING_BUFFER, "ring", 0, 0, size, 0)));
        }
        return List.copyOf(made);
    }

    private void fillRings() {
        BpfMap outer = map("rings");
        try (var local = Arena.ofConfined()) {
            var key = local.allocate(JAVA_INT);
            var value = local.allocate(JAVA_INT);
            for (int i = 0; i < rings.size(); i++) {
                key.set(JAVA_INT, 0, i);
                value.set(JAVA_INT, 0, rings.get(i).fd());
                BpfException.check(
                        outer.update(key.address(), value.address(), BpfMap.ANY), "give worker " + i + " its ring");
            }
        }
    }

    /** What one worker's ring may hold, all ports together. */
    int queueChunks() {
        return queueChunks;
    }

    private BpfMap map(String name) {
        return own(object.map(name));
    }

    private <T extends AutoCloseable> T own(T thing) {
        open.add(thing);
        return thing;
    }

    /** Descriptor of a program. */
    int program(String name) {
        return object.program(name);
    }

    /** The part of {@link #ports} of one port. */
    MemorySegment port(int number) {
        return ports.asSlice((long) number * Layout.Port.SIZE, Layout.Port.SIZE);
    }

    /** One counter of a per-CPU array, all processors together. */
    static long sum(BpfMap map, int index, int offset) {
        try (var local = Arena.ofConfined()) {
            var values = local.allocate(map.valueBytes(), 8);
            var key = local.allocateFrom(JAVA_INT, index);
            BpfException.check(map.lookup(key.address(), values.address()), "read " + map);
            return map.sum(values, offset);
        }
    }

    /** Makes an entry of a per-CPU array 0. */
    static void clear(BpfMap map, int index) {
        try (var local = Arena.ofConfined()) {
            var values = local.allocate(map.valueBytes(), 8);
            var key = local.allocateFrom(JAVA_INT, index);
            BpfException.check(map.update(key.address(), values.address(), BpfMap.ANY), "clear an entry of " + map);
        }
    }

    void setting(int offset, int value) {
        settings.set(JAVA_INT, offset, value);
    }

    /** A port's share of a worker's ring that was handed over: only that worker's thread writes it. */
    void addTaken(int place, int chunks) {
        long at = (long) place * Long.BYTES;
        taken.set(JAVA_LONG, at, taken.get(JAVA_LONG, at) + chunks);
    }

    @Override
    public void close() {
        arena.close();
        for (AutoCloseable thing : open.reversed()) {
            try {
                thing.close();
            } catch (Exception impossible) { // AutoCloseable says Exception; these only close descriptors.
                throw new IllegalStateException("a descriptor cannot be closed", impossible);
            }
        }
    }
}
