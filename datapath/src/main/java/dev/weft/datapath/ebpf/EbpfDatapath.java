package dev.weft.datapath.ebpf;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static java.lang.foreign.ValueLayout.JAVA_INT;

import dev.weft.base.IpAddress;
import dev.weft.datapath.Datapath;
import dev.weft.datapath.DatapathConfig;
import dev.weft.datapath.DatapathException;
import dev.weft.datapath.DatapathStatistics;
import dev.weft.datapath.FlowDump;
import dev.weft.datapath.PortListener;
import dev.weft.datapath.PortSpec;
import dev.weft.datapath.PortStatistics;
import dev.weft.datapath.TunnelKeyRules;
import dev.weft.datapath.WorkerPort;
import dev.weft.datapath.bpf.BpfException;
import dev.weft.datapath.bpf.BpfMap;
import dev.weft.datapath.link.LinkEvent;
import dev.weft.datapath.link.LinkMonitor;
import dev.weft.datapath.link.NetworkNamespace;
import dev.weft.datapath.soft.FrameDrop;
import dev.weft.sim.packet.Malformed;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.SortedMap;
import java.util.TreeMap;

/**
 * The kernel's flow cache: programs at the ingress of each port, of the underlay and of our own devices. Any thread, but
 * for the workers' seats.
 */
public final class EbpfDatapath implements Datapath {
    public static final String KIND = "ebpf";

    private static final Duration LOOK_AGAIN = Duration.ofSeconds(1);

    // Immutable after construction.
    private final Deque<AutoCloseable> open = new ArrayDeque<>();
    private final Arena arena = Arena.ofShared();
    private final DatapathConfig config;
    private final KernelTables tables;
    private final PortTable ports;
    private final RemoteTable remotes;
    private final FlowCount flowCount;
    private final FlowReader reader;
    private final Underlay underlay;
    private final EbpfWorker[] workers;
    // Guarded by this.
    private final Set<IpAddress> peers = new HashSet<>();

    /** @throws DatapathException when this machine cannot: the text names what is missing */
    public EbpfDatapath(DatapathConfig config) {
        this.config = config;
        var namespace = NetworkNamespace.parse(config.namespace());
        try {
            tables = own(KernelTables.load(config));
            ports = new PortTable(tables, namespace);
            remotes = new RemoteTable(tables.remotes, config.underlay(), this::lookAtUnderlay);
            flowCount = new FlowCount(config.flowCapacity());
            var runs = new StepRuns(tables.steps);
            reader = new FlowReader(tables, runs, remotes);
            var pair = own(new InjectionPair(tables, namespace, config.tunnelPort()));
            var host = new EbpfWorker.Host(
                    tables, ports, new MaskLists(tables), remotes, runs, flowCount, config.workers());
            workers = new EbpfWorker[config.workers()];
            for (int i = 0; i < workers.length; i++) {
                var injector = new Injector(namespace, pair.ifindex(), pair.farMac(), arena);
                workers[i] = own(new EbpfWorker(host, i, injector, config.clock(), arena));
            }
            underlay = own(new Underlay(tables, remotes, namespace, config));
            ports.share();
            var monitor = own(LinkMonitor.start(this::onLink, LOOK_AGAIN));
            monitor.watch(namespace);
        } catch (RuntimeException refused) {
            closeAll();
            throw refused;
        }
    }

    private <T extends AutoCloseable> T own(T thing) {
        open.push(thing);
        return thing;
    }

    private void lookAtUnderlay() {
        underlay.look();
    }

    private void onLink(LinkEvent event) {
        switch (event) {
            case LinkEvent.LinkAppeared appeared -> ports.changed(appeared.link());
            case LinkEvent.LinkChanged changed -> ports.changed(changed.link());
            case LinkEvent.LinkGone gone -> ports.gone(gone.link());
            case LinkEvent.AddressesChanged addresses -> {}
        }
        underlay.look();
    }

    @Override
    public String kind() {
        return KIND;
    }

    @Override
    public int workers() {
        return workers.length;
    }

    @Override
    public WorkerPort worker(int index) {
        return workers[index];
    }

    @Override
    public int attach(PortSpec spec) {
        return ports.attach(spec);
    }

    @Override
    public void detach(int port) {
        ports.detach(port);
    }

    @Override
    public List<PortStatistics> ports() {
        return ports.statistics();
    }

    @Override
    public void setPortListener(PortListener listener) {
        ports.setListener(listener);
    }

    @Override
    public void bindTunnelKey(int key, int portOrToWorker) {
        TunnelKeyRules.check(key, portOrToWorker);
        try (var local = Arena.ofConfined()) {
            var name = local.allocateFrom(JAVA_INT, key);
            var target = local.allocateFrom(JAVA_INT, portOrToWorker);
            BpfException.check(
                    tables.tunnelKeys.update(name.address(), target.address(), BpfMap.ANY), "bind tunnel key " + key);
        }
    }

    @Override
    public void unbindTunnelKey(int key) {
        try (var local = Arena.ofConfined()) {
            tables.tunnelKeys.delete(local.allocateFrom(JAVA_INT, key).address());
        }
    }

    @Override
    public synchronized void setPeers(Set<IpAddress> underlayAddresses) {
        try (var local = Arena.ofConfined()) {
            var yes = local.allocateFrom(JAVA_BYTE, (byte) 1);
            for (IpAddress gone : Set.copyOf(peers)) {
                if (!underlayAddresses.contains(gone)) {
                    tables.peers.delete(octets(local, gone).address());
                    peers.remove(gone);
                }
            }
            for (IpAddress peer : underlayAddresses) {
                if (peers.add(peer)) {
                    BpfException.check(
                            tables.peers.update(octets(local, peer).address(), yes.address(), BpfMap.ANY),
                            "know peer " + peer);
                }
            }
        }
    }

    private static MemorySegment octets(Arena arena, IpAddress address) {
        byte[] octets = ByteBuffer.allocate(16)
                .putLong(address.high())
                .putLong(address.low())
                .array();
        return arena.allocateFrom(JAVA_BYTE, octets);
    }

    @Override
    public DatapathStatistics statistics() {
        return new DatapathStatistics(
                ports.hits(),
                ports.misses(),
                counter(Layout.COUNT_TUNNEL_UPCALLS),
                counter(Layout.COUNT_STATE_FRAMES),
                counter(Layout.COUNT_DELIVERED),
                flowCount.get(),
                drops());
    }

    private long counter(int index) {
        return KernelTables.sum(tables.counters, index, 0);
    }

    private SortedMap<String, Long> drops() {
        var byReason = new TreeMap<String, Long>();
        for (FrameDrop drop : FrameDrop.values()) {
            long count = KernelTables.sum(tables.drops, drop.ordinal(), 0);
            for (EbpfWorker worker : workers) {
                count += worker.drops().of(drop);
            }
            byReason.put(drop.text(), count);
        }
        for (Malformed lie : Malformed.values()) {
            byReason.put(lie.label(), KernelTables.sum(tables.malformed, lie.code(), 0));
        }
        return byReason;
    }

    @Override
    public List<FlowDump> flows() {
        return reader.read();
    }

    @Override
    public void close() {
        ports.numbers().forEach(ports::detach);
        closeAll();
    }

    private void closeAll() {
        RuntimeException first = null;
        while (!open.isEmpty()) {
            try {
                open.pop().close();
            } catch (RuntimeException failure) {
                first = first == null ? failure : first;
            } catch (Exception impossible) { // AutoCloseable says Exception; none of these throws a checked one.
                throw new IllegalStateException(impossible);
            }
        }
        if (arena.scope().isAlive()) {
            arena.close();
        }
        if (first != null) {
            throw first;
        }
    }
}
