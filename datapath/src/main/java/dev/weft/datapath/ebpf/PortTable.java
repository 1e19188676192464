package dev.weft.datapath.ebpf;

import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import dev.weft.base.HotPath;
import dev.weft.base.MacAddress;
import dev.weft.datapath.DatapathException;
import dev.weft.datapath.PortListener;
import dev.weft.datapath.PortSpec;
import dev.weft.datapath.PortStatistics;
import dev.weft.datapath.bpf.BpfException;
import dev.weft.datapath.bpf.BpfLink;
import dev.weft.datapath.ebpf.Layout.Identity;
import dev.weft.datapath.ebpf.Layout.PortCounters;
import dev.weft.datapath.link.Link;
import dev.weft.datapath.link.LinkException;
import dev.weft.datapath.link.Links;
import dev.weft.datapath.link.NetworkNamespace;
import dev.weft.sim.flow.FlowKey;
import java.lang.foreign.MemorySegment;
import java.lang.invoke.VarHandle;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.TreeMap;
import java.util.UUID;
import java.util.concurrent.atomic.AtomicIntegerArray;

/** Attached interfaces by number, here and in the kernel's {@code ports}. Any thread; changed under its own lock. */
final class PortTable implements AutoCloseable {
    private static final String PROGRAM = "weft_port";

    /** An interface with the program at it. */
    private static final class Attached {
        final int number;
        /** None while the port's program waits for the swap of an upgrade. */
        final Optional<BpfLink> link;

        final int ifindex;
        final long mac;
        PortSpec spec;
        boolean up = true;
        /** It was there before this process, which has not asked for it yet. */
        boolean survivor;

        Attached(int number, PortSpec spec, Optional<BpfLink> link, Link at) {
            this.number = number;
            this.spec = spec;
            this.link = link;
            ifindex = at.ifindex();
            mac = macOf(at);
        }

        String pin() {
            return "port-" + number;
        }
    }

    // Immutable after construction.
    private final KernelTables tables;
    private final NetworkNamespace namespace;
    private final AtomicIntegerArray mtus = new AtomicIntegerArray(Layout.MAX_PORTS);
    // Guarded by this.
    private final TreeMap<Integer, Attached> attached = new TreeMap<>();
    private int lastGiven;
    private long goneHits;
    private long goneMisses;
    private volatile PortListener listener = (port, id) -> {};

    PortTable(KernelTables tables, NetworkNamespace namespace) {
        this.tables = tables;
        this.namespace = namespace;
    }

    @HotPath
    boolean isAttached(int number) {
        return mtu(number) != 0;
    }

    /** Of the interface, 0 when no such port is attached. */
    @HotPath
    int mtu(int number) {
        return number > 0 && number < Layout.MAX_PORTS ? mtus.getAcquire(number) : 0;
    }

    void setListener(PortListener portListener) {
        listener = portListener;
    }

    private static long macOf(Link link) {
        return link.mac().map(MacAddress::bits).orElse(0L);
    }

    /** Finds the ports that an earlier process attached; what is not as it was is taken away. */
    synchronized void restore() {
        try (var links = Links.in(namespace)) {
            for (int number = 1; number <= Layout.LAST_PORT; number++) {
                MemorySegment identity = tables.identity(number);
                int ifindex = identity.get(JAVA_INT, Identity.IFINDEX);
                if (ifindex != 0) {
                    restore(number, identity, links.find(ifindex));
                }
            }
        }
        share();
    }

    private void restore(int number, MemorySegment identity, Optional<Link> there) {
        String name = identity.getString(Identity.NAME);
        boolean same = there.isPresent()
                && there.get().name().equals(name)
                && macOf(there.get()) == identity.get(JAVA_LONG, Identity.MAC)
                && KernelTables.inode(namespace) == identity.get(JAVA_LONG, Identity.NAMESPACE);
        if (!same || tables.pins().find("port-" + number, there.get().ifindex()).isEmpty()) {
            tables.pins().forget("port-" + number);
            erase(number, identity.get(JAVA_INT, Identity.IFINDEX));
            return;
        }
        var id = new UUID(identity.get(JAVA_LONG, Identity.ID_HIGH), identity.get(JAVA_LONG, Identity.ID_LOW));
        MemorySegment port = tables.port(number);
        var spec = new PortSpec(
                id, name, "", port.get(JAVA_INT, Layout.Port.RATE), port.get(JAVA_INT, Layout.Port.FLOOD_RATE));
        BpfLink link = tables.attach("port-" + number, namespace, there.get().ifindex(), PROGRAM);
        var survivor = new Attached(number, spec, Optional.of(link), there.get());
        survivor.survivor = true;
        attached.put(number, survivor);
        show(port, number, there.get());
        lastGiven = number;
    }

    synchronized int attach(PortSpec spec) {
        refuseElsewhere(spec);
        Link link = find(spec);
        Optional<Attached> same = survivorFor(spec, link);
        if (same.isPresent()) {
            Attached kept = same.get();
            kept.survivor = false;
            kept.spec = spec;
            limit(tables.port(kept.number), spec);
            return kept.number;
        }
        refuseDouble(spec);
        int number = nextNumber();
        KernelTables.clear(tables.portCounters, number);
        write(number, spec, link);
        Optional<BpfLink> hold;
        try {
            tables.nameInterface(link.ifindex(), number);
            hold = tables.attachAtSwap("port-" + number, namespace, link.ifindex(), PROGRAM);
        } catch (BpfException refused) {
            erase(number, link.ifindex());
            throw new DatapathException(
                    "interface " + spec.interfaceName() + " cannot be attached: " + refused.getMessage(), refused);
        }
        attached.put(number, new Attached(number, spec, hold, link));
        identify(number, spec, link);
        share();
        return number;
    }

    /** The survivor that is this very port; others of the same port or interface make room. */
    private Optional<Attached> survivorFor(PortSpec spec, Link link) {
        for (Attached one : List.copyOf(attached.values())) {
            boolean sameInterface = one.ifindex == link.ifindex() && one.mac == macOf(link);
            boolean samePort = one.spec.id().equals(spec.id());
            if (one.survivor && sameInterface && samePort) {
                return Optional.of(one);
            }
            if (one.survivor && (sameInterface || samePort)) {
                detach(one.number);
            }
        }
        return Optional.empty();
    }

    private void identify(int number, PortSpec spec, Link link) {
        MemorySegment identity = tables.identity(number);
        identity.set(JAVA_LONG, Identity.ID_HIGH, spec.id().getMostSignificantBits());
        identity.set(JAVA_LONG, Identity.ID_LOW, spec.id().getLeastSignificantBits());
        identity.set(JAVA_LONG, Identity.MAC, macOf(link));
        identity.set(JAVA_LONG, Identity.NAMESPACE, KernelTables.inode(namespace));
        identity.setString(Identity.NAME, link.name());
        identity.set(JAVA_INT, Identity.IFINDEX, link.ifindex());
    }

    /** Detaches what this process has not asked for. */
    synchronized void dropSurvivors() {
        for (Attached one : List.copyOf(attached.values())) {
            if (one.survivor) {
                detach(one.number);
            }
        }
    }

    private void refuseElsewhere(PortSpec spec) {
        var wanted = NetworkNamespace.parse(spec.namespace());
        if (!spec.namespace().isEmpty() && !wanted.identity().equals(namespace.identity())) {
            throw new DatapathException("interface " + spec.interfaceName() + " in " + wanted
                    + " (expected one in the datapath's " + namespace + "): move the host's end of the pair there");
        }
    }

    private void refuseDouble(PortSpec spec) {
        for (Attached one : attached.values()) {
            if (one.spec.interfaceName().equals(spec.interfaceName()) && one.up) {
                throw new DatapathException("interface " + spec.interfaceName() + " is attached already, as port "
                        + one.number + "; detach it first");
            }
        }
    }

    private Link find(PortSpec spec) {
        try (var links = Links.in(namespace)) {
            return links.find(spec.interfaceName())
                    .orElseThrow(() -> new DatapathException("interface " + spec.interfaceName() + " is not in "
                            + namespace + "; create it first, or correct the binding"));
        } catch (LinkException unreachable) {
            throw new DatapathException(
                    "interface " + spec.interfaceName() + " cannot be looked up: " + unreachable.getMessage(),
                    unreachable);
        }
    }

    private int nextNumber() {
        for (int tries = 0; tries < Layout.LAST_PORT; tries++) {
            lastGiven = lastGiven % Layout.LAST_PORT + 1;
            if (!attached.containsKey(lastGiven)) {
                return lastGiven;
            }
        }
        throw new DatapathException("all " + Layout.LAST_PORT + " port numbers are in use; detach a port first");
    }

    private void write(int number, PortSpec spec, Link link) {
        MemorySegment port = tables.port(number);
        limit(port, spec);
        show(port, number, link);
        port.set(JAVA_INT, Layout.Port.IFINDEX, link.ifindex());
    }

    private static void limit(MemorySegment port, PortSpec spec) {
        port.set(JAVA_INT, Layout.Port.RATE, spec.upcallsPerSecond());
        port.set(JAVA_INT, Layout.Port.FLOOD_RATE, spec.floodsPerSecond());
    }

    private void show(MemorySegment port, int number, Link link) {
        port.set(JAVA_INT, Layout.Port.MTU, link.mtu());
        port.set(JAVA_INT, Layout.Port.FLAGS, flags(link));
        VarHandle.releaseFence();
        mtus.setRelease(number, Math.max(1, link.mtu()));
    }

    private static int flags(Link link) {
        boolean peer = link.kind().equals("veth") && link.peerNamespaceId().isPresent();
        return (link.up() ? Layout.Port.UP : 0)
                | (peer ? Layout.Port.PEER : 0)
                | (link.kind().equals("tun") ? Layout.Port.TAP : 0);
    }

    /** The interface changed: its MTU, its state, where its other end is. */
    synchronized void changed(Link link) {
        for (Attached one : attached.values()) {
            if (one.ifindex == link.ifindex() && one.up) {
                show(tables.port(one.number), one.number, link);
            }
        }
    }

    /** The interface is gone: the port stays, silent, until it is detached. */
    void gone(Link link) {
        silence(link.ifindex()).ifPresent(lost -> listener.onPortLost(lost.number, lost.spec.id()));
    }

    private synchronized Optional<Attached> silence(int ifindex) {
        for (Attached one : attached.values()) {
            if (one.ifindex == ifindex && one.up) {
                one.up = false;
                tables.port(one.number).set(JAVA_INT, Layout.Port.FLAGS, 0);
                tables.forgetInterface(ifindex);
                return Optional.of(one);
            }
        }
        return Optional.empty();
    }

    synchronized void detach(int number) {
        Attached one = attached.remove(number);
        if (one == null) {
            return;
        }
        if (one.up) {
            tables.forgetInterface(one.ifindex);
        }
        mtus.setRelease(number, 0);
        tables.port(number).set(JAVA_INT, Layout.Port.IFINDEX, 0);
        tables.port(number).set(JAVA_INT, Layout.Port.CAPTURE, 0);
        tables.identity(number).set(JAVA_INT, Identity.IFINDEX, 0);
        tables.detach(one.pin(), one.link);
        goneHits += counter(one.number, PortCounters.HITS);
        goneMisses += counter(one.number, PortCounters.MISSES);
        share();
    }

    private void erase(int number, int ifindex) {
        mtus.setRelease(number, 0);
        tables.identity(number).set(JAVA_INT, Identity.IFINDEX, 0);
        tables.port(number).set(JAVA_INT, Layout.Port.IFINDEX, 0);
        tables.forgetInterface(ifindex);
    }

    /** Each port has its share of a worker's ring, and so have the tunnel's misses and the state frames. */
    synchronized void share() {
        tables.setting(Layout.Settings.SHARE_CHUNKS, Math.max(1, tables.queueChunks() / (attached.size() + 2)));
    }

    synchronized List<PortStatistics> statistics() {
        var all = new ArrayList<PortStatistics>();
        for (Attached one : attached.values()) {
            all.add(new PortStatistics(
                    one.number,
                    one.spec,
                    one.up,
                    counter(one.number, PortCounters.RECEIVED_PACKETS),
                    counter(one.number, PortCounters.RECEIVED_BYTES),
                    counter(one.number, PortCounters.SENT_PACKETS),
                    counter(one.number, PortCounters.SENT_BYTES),
                    counter(one.number, PortCounters.UPCALLS),
                    counter(one.number, PortCounters.OVER_BUDGET)));
        }
        return all;
    }

    private long counter(int number, int offset) {
        return KernelTables.sum(tables.portCounters, number, offset);
    }

    /** Of all ingresses, the tunnel and detached ports included. */
    synchronized long hits() {
        return goneHits + sum(PortCounters.HITS);
    }

    synchronized long misses() {
        return goneMisses + sum(PortCounters.MISSES);
    }

    private long sum(int offset) {
        long sum = counter(FlowKey.TUNNEL_PORT, offset);
        for (int number : attached.keySet()) {
            sum += counter(number, offset);
        }
        return sum;
    }

    synchronized List<Integer> numbers() {
        return List.copyOf(attached.keySet());
    }

    /** Lets the programs go that are not kept elsewhere. */
    @Override
    public synchronized void close() {
        attached.values().forEach(one -> one.link.ifPresent(BpfLink::close));
        attached.clear();
    }
}
