package dev.weft.datapath.ebpf;

import dev.weft.base.IpAddress;
import dev.weft.datapath.Capture;
import dev.weft.datapath.Datapath;
import dev.weft.datapath.DatapathConfig;
import dev.weft.datapath.DatapathException;
import dev.weft.datapath.DatapathStatistics;
import dev.weft.datapath.Feature;
import dev.weft.datapath.FlowDump;
import dev.weft.datapath.PortListener;
import dev.weft.datapath.PortSpec;
import dev.weft.datapath.PortStatistics;
import dev.weft.datapath.WorkerPort;
import dev.weft.datapath.bpf.KernelFeatures;
import dev.weft.datapath.link.LinkEvent;
import dev.weft.datapath.link.LinkMonitor;
import dev.weft.datapath.link.NetworkNamespace;
import dev.weft.datapath.soft.FrameDrop;
import dev.weft.sim.packet.Malformed;
import java.lang.foreign.Arena;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.UUID;
import java.util.function.Consumer;

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
    private final NetworkNamespace namespace;
    private final KernelTables tables;
    private final PortTable ports;
    private final RemoteTable remotes;
    private final TunnelKeys keys;
    private final FlowCount flowCount;
    private final FlowReader reader;
    private final Survivors survivors;
    private final Captures captures;
    private final Underlay underlay;
    private final EbpfWorker[] workers;
    private final long incarnation;
    // Guarded by this.
    private boolean closed;

    /** @throws DatapathException when this machine cannot: the text names what is missing */
    public EbpfDatapath(DatapathConfig config) {
        this.config = config;
        namespace = NetworkNamespace.parse(config.namespace());
        try {
            tables = own(KernelTables.load(config, Pins.of(config.host())));
            incarnation = tables.incarnation();
            ports = own(new PortTable(tables, namespace));
            remotes = new RemoteTable(tables.remotes, config.underlay(), this::lookAtUnderlay);
            keys = new TunnelKeys(tables);
            flowCount = new FlowCount(Math.min(config.flowCapacity(), tables.flows.maxEntries()));
            var masks = new MaskLists(tables);
            var runs = new StepRuns(tables.steps);
            reader = new FlowReader(tables, masks, runs, remotes);
            var pair = own(new InjectionPair(tables, namespace, config.tunnelPort()));
            if (tables.found()) {
                remotes.restore();
                ports.restore();
            } else {
                ports.share();
            }
            survivors = own(new Survivors(tables, masks, runs, reader, flowCount, config.workers()));
            var host = new EbpfWorker.Host(tables, ports, masks, remotes, runs, flowCount, survivors, config.workers());
            workers = new EbpfWorker[config.workers()];
            for (int i = 0; i < workers.length; i++) {
                var injector = new Injector(namespace, pair.ifindex(), tables.orders, i, arena);
                workers[i] = own(new EbpfWorker(host, i, injector, config.clock(), arena));
            }
            captures = own(new Captures(tables, config.clock()));
            underlay = own(new Underlay(tables, remotes, namespace, config));
            var monitor = own(LinkMonitor.start(this::onLink, LOOK_AGAIN));
            monitor.watch(namespace);
            monitor.watchPaths(namespace, change -> underlay.look());
        } catch (RuntimeException refused) {
            closeAll();
            throw refused;
        }
    }

    /** What this kind needs, looked up now. */
    public static List<Feature> features() {
        var all = new ArrayList<Feature>();
        boolean built = KernelTables.isBuiltIn();
        all.add(new Feature(
                KIND,
                "kernel programs",
                built,
                built ? KernelTables.OBJECT : "this build has none: build it with clang and libbpf-dev"));
        KernelFeatures.probe()
                .features()
                .forEach(each -> all.add(new Feature(KIND, each.name(), each.present(), each.detail())));
        return all;
    }

    /**
     * Takes away what a datapath of this host left, and names it; devices only where they are in the process's own
     * namespace: those of another go with it.
     */
    public static List<String> remove(UUID host) {
        Optional<Pins> there = Pins.existing(host);
        if (there.isEmpty()) {
            return List.of();
        }
        Pins pins = there.get();
        var gone = new ArrayList<String>();
        if (pins.longSetting(Layout.Settings.NAMESPACE) == KernelTables.inode(NetworkNamespace.own())) {
            pins.setting(Layout.Settings.TUNNEL_PORT).ifPresent(port -> removeDevices(NetworkNamespace.own(), port));
        }
        pins.list().forEach(name -> gone.add("pin " + name));
        pins.remove();
        return gone;
    }

    private static void removeDevices(NetworkNamespace namespace, int tunnelPort) {
        InjectionPair.remove(namespace, tunnelPort);
        Underlay.remove(namespace, tunnelPort);
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
    public boolean survives() {
        return tables.pins().keepsAnything();
    }

    @Override
    public long incarnation() {
        return incarnation;
    }

    @Override
    public void bindTunnelKey(int key, int portOrToWorker) {
        keys.bind(key, portOrToWorker);
    }

    @Override
    public void unbindTunnelKey(int key) {
        keys.unbind(key);
    }

    @Override
    public void setPeers(Set<IpAddress> underlayAddresses) {
        keys.setPeers(underlayAddresses);
    }

    @Override
    public int dropUnadopted() {
        tables.pins().swap();
        keys.dropSurvivors();
        ports.dropSurvivors();
        return survivors.drop();
    }

    @Override
    public Capture capture(int port, int framesPerSecond, Capture.Sink sink) {
        if (!ports.isAttached(port)) {
            throw new DatapathException("port " + port + " is not attached (expected one of " + ports.numbers() + ")");
        }
        return captures.open(port, framesPerSecond, sink);
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
    public void forEachFlow(Consumer<FlowDump> each) {
        reader.forEach(each);
    }

    @Override
    public void close() {
        if (survives()) {
            closeOnce();
        } else {
            remove();
        }
    }

    @Override
    public void remove() {
        ports.numbers().forEach(ports::detach);
        closeOnce();
        removeDevices(namespace, config.tunnelPort());
        tables.pins().remove();
    }

    private synchronized void closeOnce() {
        if (!closed) {
            closed = true;
            closeAll();
        }
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
