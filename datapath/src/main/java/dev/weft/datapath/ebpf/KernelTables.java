package dev.weft.datapath.ebpf;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import dev.weft.base.IpAddress;
import dev.weft.datapath.DatapathConfig;
import dev.weft.datapath.DatapathException;
import dev.weft.datapath.bpf.BpfException;
import dev.weft.datapath.bpf.BpfLink;
import dev.weft.datapath.bpf.BpfMap;
import dev.weft.datapath.bpf.BpfMapType;
import dev.weft.datapath.bpf.BpfObject;
import dev.weft.datapath.link.NetworkNamespace;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.security.SecureRandom;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * The programs and maps of one host, loaded, and the memory shared with them. Safe from any thread: what is in the
 * segments belongs to those who write it.
 */
final class KernelTables implements AutoCloseable {
    static final String OBJECT = "weft.bpf.o";

    private static final int MAX_LIFE = 255;
    private static final int LEAST_RING_BYTES = 256 << 10;
    /** The longest record must fit beside others. */
    private static final int RING_HEADROOM = 128 << 10;

    /** What survives the process; the rest is made anew with each. */
    private static final List<String> LASTING = List.of(
            "settings",
            "ports",
            "identities",
            "interfaces",
            "high_interfaces",
            "port_counters",
            "budgets",
            "masks",
            "flows",
            "steps",
            "remotes",
            "tunnel_keys",
            "peers",
            "fragments",
            "drops",
            "malformed",
            "counters");

    private final Arena arena = Arena.ofShared();
    private final List<AutoCloseable> open = new ArrayList<>();
    private final Pins pins;
    private final boolean found;
    private final BpfObject object;
    private final int queueChunks;

    private final BpfMap interfaces;
    private final BpfMap highInterfaces;
    final BpfMap portCounters;
    final BpfMap flows;
    final BpfMap remotes;
    final BpfMap tunnelKeys;
    final BpfMap peers;
    final BpfMap fragments;
    final BpfMap drops;
    final BpfMap malformed;
    final BpfMap counters;
    final BpfMap captures;
    final List<BpfMap> rings;

    final MemorySegment settings;
    final MemorySegment ports;
    final MemorySegment identities;
    final MemorySegment masks;
    final MemorySegment steps;
    final MemorySegment taken;
    final MemorySegment orders;

    private KernelTables(DatapathConfig config, Pins pins) {
        this.pins = pins;
        found = pins.hold(LASTING, Layout.VERSION);
        try {
            object = own(BpfObject.open(readObject(), "weft"));
            object.maxEntries("flows", config.flowCapacity());
            object.maxEntries("queued", Layout.MAX_PORTS * config.workers());
            object.maxEntries("taken", Layout.MAX_PORTS * config.workers());
            object.maxEntries("orders", config.workers() << Layout.Inject.SLOT_BITS);
            queueChunks = config.upcallQueueBytes() / Layout.CHUNK;
            rings = makeRings(config);
            object.innerMap("rings", rings.getFirst().fd());
            if (found) {
                for (String name : LASTING) {
                    object.reuse(name, own(pins.map(name)).fd());
                }
            }
            object.load();
            fillRings();
            interfaces = map("interfaces");
            highInterfaces = map("high_interfaces");
            portCounters = map("port_counters");
            flows = map("flows");
            remotes = map("remotes");
            tunnelKeys = map("tunnel_keys");
            peers = map("peers");
            fragments = map("fragments");
            drops = map("drops");
            malformed = map("malformed");
            counters = map("counters");
            captures = map("captures");
            settings = map("settings").map(arena);
            ports = map("ports").map(arena);
            identities = map("identities").map(arena);
            masks = map("masks").map(arena);
            steps = map("steps").map(arena);
            taken = map("taken").map(arena);
            orders = map("orders").map(arena);
            begin(config);
        } catch (RuntimeException refused) {
            close();
            throw refused;
        }
    }

    /** Writes the settings last, so that maps whose making was cut short are not taken for whole ones. */
    private void begin(DatapathConfig config) {
        IpAddress address = config.underlay();
        settings.set(JAVA_LONG, Layout.Settings.NAMESPACE, inode(NetworkNamespace.parse(config.namespace())));
        setting(Layout.Settings.WORKERS, config.workers());
        setting(Layout.Settings.TUNNEL_PORT, config.tunnelPort());
        setting(Layout.Settings.UNDERLAY_V6, address.isV4() ? 0 : 1);
        var octets = ByteBuffer.allocate(16).putLong(address.high()).putLong(address.low());
        MemorySegment.copy(octets.array(), 0, settings, JAVA_BYTE, Layout.Settings.UNDERLAY, 16);
        setting(Layout.Settings.LIFE, settings.get(JAVA_INT, Layout.Settings.LIFE) % MAX_LIFE + 1);
        if (!found) {
            long upgraded = pins.upgradedIncarnation();
            settings.set(
                    JAVA_LONG, Layout.Settings.INCARNATION, upgraded != 0 ? upgraded : new SecureRandom().nextLong());
            for (String name : LASTING) {
                pins.keep(name, object);
            }
        }
        setting(Layout.Settings.LAYOUT_VERSION, Layout.VERSION);
    }

    /** Which namespace it is to the kernel; 0 when there is none now. */
    static long inode(NetworkNamespace namespace) {
        return namespace.identity().map(NetworkNamespace.Identity::inode).orElse(0L);
    }

    /** @throws DatapathException when the kernel refuses, or this build has no programs */
    static KernelTables load(DatapathConfig config, Pins pins) {
        try {
            return new KernelTables(config, pins);
        } catch (BpfException refused) {
            throw new DatapathException("datapath kind ebpf cannot be loaded: " + refused.getMessage(), refused);
        }
    }

    /** Whether an earlier process of this host left all this. */
    boolean found() {
        return found;
    }

    /** Of the process that has them now. */
    byte life() {
        return (byte) settings.get(JAVA_INT, Layout.Settings.LIFE);
    }

    long incarnation() {
        return settings.get(JAVA_LONG, Layout.Settings.INCARNATION);
    }

    /**
     * Holds a program at an interface, kept under that name if this host keeps anything. One that is there already is
     * swapped for ours: no packet meets neither.
     */
    BpfLink attach(String name, NetworkNamespace namespace, int ifindex, String program) {
        return pins.link(name, namespace, ifindex, object.program(program));
    }

    /** As {@link #attach}, but during an upgrade the old program stays until {@link Pins#swap}: nothing is held then. */
    Optional<BpfLink> attachAtSwap(String name, NetworkNamespace namespace, int ifindex, String program) {
        return pins.linkAtSwap(name, namespace, ifindex, object.program(program));
    }

    /** Takes a program off its interface, for good. */
    void detach(String name, Optional<BpfLink> link) {
        pins.forget(name);
        link.ifPresent(BpfLink::close);
    }

    Pins pins() {
        return pins;
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

    /** The part of {@link #ports} of one port. */
    MemorySegment port(int number) {
        return ports.asSlice((long) number * Layout.Port.SIZE, Layout.Port.SIZE);
    }

    /** The part of {@link #identities} of one port. */
    MemorySegment identity(int number) {
        return identities.asSlice((long) number * Layout.Identity.SIZE, Layout.Identity.SIZE);
    }

    /** What comes in by this interface comes in by that port. */
    void nameInterface(int ifindex, int port) {
        try (var local = Arena.ofConfined()) {
            var key = local.allocateFrom(JAVA_INT, ifindex);
            var value = local.allocateFrom(JAVA_INT, port);
            BpfMap map = ifindex < Layout.LOW_INTERFACES ? interfaces : highInterfaces;
            BpfException.check(
                    map.update(key.address(), value.address(), BpfMap.ANY), "name the port of interface " + ifindex);
        }
    }

    void forgetInterface(int ifindex) {
        if (ifindex < Layout.LOW_INTERFACES) {
            nameInterface(ifindex, 0);
            return;
        }
        try (var local = Arena.ofConfined()) {
            highInterfaces.delete(local.allocateFrom(JAVA_INT, ifindex).address());
        }
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
