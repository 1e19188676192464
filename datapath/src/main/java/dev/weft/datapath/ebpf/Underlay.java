package dev.weft.datapath.ebpf;

import dev.weft.base.IpAddress;
import dev.weft.base.MacAddress;
import dev.weft.datapath.DatapathConfig;
import dev.weft.datapath.DatapathException;
import dev.weft.datapath.bpf.BpfException;
import dev.weft.datapath.bpf.BpfLink;
import dev.weft.datapath.link.Link;
import dev.weft.datapath.link.LinkException;
import dev.weft.datapath.link.Links;
import dev.weft.datapath.link.NetworkNamespace;
import dev.weft.datapath.link.UnderlayPath;
import java.util.HashMap;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The way between hosts: programs at the underlay's interface and at a vxlan device of ours, and for each remote host
 * the outer headers towards it, as the kernel's routes and neighbours have them now. Where these are not known (yet), or
 * a frame is not one to be wrapped by a program, the vxlan device does it.
 *
 * <p>One daemon thread follows routes, neighbours and links: told of a change it looks at once, else now and then.
 */
final class Underlay implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(Underlay.class);
    private static final String TUNNEL_PIN = "tunnel";
    private static final String UNDERLAY_PIN = "underlay";
    private static final long LOOK_MILLIS = 1000;
    private static final int LOOKS_PER_CHECK = 15;
    /** What fits is decided packet by packet, before it comes to the device. */
    private static final int DEVICE_MTU = 65_400;

    private static final int OVERHEAD_V4 = 50;
    private static final int OVERHEAD_V6 = 70;

    /** The outer headers towards a remote host, but for what differs from packet to packet. */
    private record Way(IpAddress source, int ifindex, MacAddress to, MacAddress from, int mtu) {}

    // Immutable after construction.
    private final KernelTables tables;
    private final RemoteTable remotes;
    private final NetworkNamespace namespace;
    private final IpAddress address;
    private final String device;
    private final Links links;
    private final Thread thread;
    private final Semaphore wanted = new Semaphore(1);
    private Optional<BpfLink> tunnelProgram = Optional.empty();
    // Owned by the thread.
    private final Map<Integer, Way> ways = new HashMap<>();
    private Optional<BpfLink> underlayProgram = Optional.empty();
    private int underlayIfindex;
    private int looks;
    // Shared.
    private volatile boolean closing;

    Underlay(KernelTables tables, RemoteTable remotes, NetworkNamespace namespace, DatapathConfig config) {
        this.tables = tables;
        this.remotes = remotes;
        this.namespace = namespace;
        address = config.underlay();
        device = deviceName(config.tunnelPort());
        links = Links.in(namespace);
        try {
            tunnelProgram = makeDevice(config.tunnelPort());
            follow();
        } catch (LinkException | BpfException refused) {
            letGo();
            throw new DatapathException("the tunnel cannot be set up: " + refused.getMessage(), refused);
        }
        thread = Thread.ofPlatform().daemon().name("underlay").unstarted(this::run);
        thread.start();
    }

    private Optional<BpfLink> makeDevice(int port) {
        if (links.find(device).isEmpty()) {
            links.createVxlan(device, port, DEVICE_MTU);
            links.withoutIpv6Address(device);
            links.setUp(device);
        }
        Link made = links.get(device);
        tables.setting(Layout.Settings.VXLAN_IFINDEX, made.ifindex());
        return tables.attachAtSwap(TUNNEL_PIN, namespace, made.ifindex(), "weft_tunnel");
    }

    static String deviceName(int tunnelPort) {
        return "weft-v" + tunnelPort;
    }

    /** Something may have changed: look soon. From any thread. */
    void look() {
        if (wanted.availablePermits() == 0) {
            wanted.release();
        }
    }

    private void run() {
        while (!closing) {
            try {
                follow();
            } catch (LinkException | BpfException refused) {
                LOG.warn("the underlay cannot be looked at, will be tried again: {}", refused.getMessage());
            }
            try {
                if (wanted.tryAcquire(LOOK_MILLIS, TimeUnit.MILLISECONDS)) {
                    wanted.drainPermits();
                }
            } catch (InterruptedException end) {
                return;
            }
        }
    }

    private void follow() {
        looks++;
        followInterface();
        var all = remotes.all();
        Map<IpAddress, MacAddress> neighbours = new HashMap<>();
        if (!all.isEmpty()) {
            links.neighbours().forEach(each -> {
                if (each.usable()) {
                    each.mac().ifPresent(mac -> neighbours.put(each.address(), mac));
                }
            });
        }
        for (int i = 0; i < all.size(); i++) {
            Optional<Way> way = way(all.get(i), neighbours);
            if (way.isPresent() && !way.get().equals(ways.get(i))) {
                var now = way.get();
                remotes.direct(i, all.get(i), now.source, now.ifindex, now.to, now.from, now.mtu);
                ways.put(i, now);
            } else if (way.isEmpty() && ways.remove(i) != null) {
                remotes.throughDevice(i, all.get(i));
            }
        }
    }

    /** Tunnel packets to other interfaces' addresses reach us through the device: only the usual way is short. */
    private void followInterface() {
        int ifindex = links.linkWith(address).map(Link::ifindex).orElse(0);
        if (ifindex == underlayIfindex) {
            return;
        }
        if (underlayIfindex != 0) {
            tables.detach(UNDERLAY_PIN, underlayProgram);
        }
        underlayIfindex = ifindex;
        if (ifindex != 0) {
            underlayProgram = tables.attachAtSwap(UNDERLAY_PIN, namespace, ifindex, "weft_underlay");
        }
    }

    private Optional<Way> way(IpAddress remote, Map<IpAddress, MacAddress> neighbours) {
        Optional<UnderlayPath> path = links.pathTo(remote);
        if (path.isEmpty() || path.get().local() || path.get().link().mac().isEmpty()) {
            return Optional.empty();
        }
        IpAddress next = path.get().gateway().orElse(remote);
        Link link = path.get().link();
        MacAddress to = neighbours.get(next);
        if (to == null || looks % LOOKS_PER_CHECK == 0) {
            // Frames that we address ourselves do not make the kernel check that the neighbour is still there.
            links.useNeighbour(next, link.ifindex());
        }
        if (to == null) {
            return Optional.empty();
        }
        int overhead = address.isV4() ? OVERHEAD_V4 : OVERHEAD_V6;
        return Optional.of(new Way(
                address, link.ifindex(), to, link.mac().get(), path.get().mtu() - overhead));
    }

    /** Ends the thread; what it made stays until {@link #remove}. */
    @Override
    public void close() {
        closing = true;
        thread.interrupt();
        try {
            thread.join(TimeUnit.SECONDS.toMillis(5));
        } catch (InterruptedException stopped) {
            Thread.currentThread().interrupt();
        }
        letGo();
    }

    private void letGo() {
        underlayProgram.ifPresent(BpfLink::close);
        tunnelProgram.ifPresent(BpfLink::close);
        links.close();
    }

    /** The device of a tunnel port, if it is there. */
    static void remove(NetworkNamespace namespace, int tunnelPort) {
        try (var links = Links.in(namespace)) {
            links.find(deviceName(tunnelPort)).ifPresent(own -> links.delete(own.name()));
        } catch (LinkException gone) {
            LOG.debug("the vxlan device is gone with its namespace: {}", gone.getMessage());
        }
    }
}
