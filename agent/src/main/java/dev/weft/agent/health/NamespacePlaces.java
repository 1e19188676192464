package dev.weft.agent.health;

import dev.weft.base.Hashing;
import dev.weft.base.IpAddress;
import dev.weft.base.IpPrefix;
import dev.weft.datapath.link.InterfaceAddress;
import dev.weft.datapath.link.LinkException;
import dev.weft.datapath.link.Links;
import dev.weft.datapath.link.NamelessNamespace;
import dev.weft.datapath.link.NetworkNamespace;
import dev.weft.sim.HealthPort;
import java.io.IOException;
import java.nio.channels.DatagramChannel;
import java.nio.channels.SocketChannel;
import java.util.HashMap;
import java.util.Map;
import java.util.Set;
import java.util.UUID;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A namespace for each router, since tenants may have the same addresses, joined to this host by a veth: its end here is
 * to be the router's {@link HealthPort}. They have no names, so that nothing is left of them when this process is gone.
 * Thread safe.
 */
public final class NamespacePlaces implements Places {
    private static final Logger LOG = LoggerFactory.getLogger(NamespacePlaces.class);
    private static final String INSIDE = "eth0";
    private static final IpPrefix ANY_V4 = IpPrefix.parse("0.0.0.0/0");
    private static final IpPrefix ANY_V6 = IpPrefix.parse("::/0");

    private final int most;
    private final UUID host;
    // Guarded by this.
    private final Map<UUID, Place> places = new HashMap<>();

    private record Place(NamelessNamespace namespace, String outside) {}

    /** @param most that there may be at one time */
    public NamespacePlaces(UUID host, int most) {
        this.host = host;
        this.most = most;
    }

    @Override
    public synchronized Map<UUID, String> follow(Set<UUID> routers) {
        for (UUID gone : Set.copyOf(places.keySet())) {
            if (!routers.contains(gone)) {
                remove(places.remove(gone));
            }
        }
        for (UUID router : routers) {
            if (places.size() == most && !places.containsKey(router)) {
                LOG.warn("members are asked through {} routers at most; those of {} are taken to be up", most, router);
            } else if (!places.containsKey(router)) {
                make(router);
            }
        }
        var interfaces = new HashMap<UUID, String>();
        places.forEach((router, place) -> interfaces.put(router, place.outside()));
        return Map.copyOf(interfaces);
    }

    private void make(UUID router) {
        NamelessNamespace namespace = null;
        try {
            namespace = NamelessNamespace.make();
            var place = new Place(namespace, nameFor(router));
            build(place);
            places.put(router, place);
        } catch (LinkException refused) {
            LOG.error("members cannot be asked through router {}: {}", router, refused.getMessage());
            if (namespace != null) {
                namespace.close();
            }
        }
    }

    /** Of 15 characters: the kernel may still be taking away what an earlier process had. */
    private String nameFor(UUID router) {
        long hash = Hashing.combine(host.getLeastSignificantBits(), router.getMostSignificantBits());
        hash = Hashing.combine(hash, router.getLeastSignificantBits());
        return "wh%07x%06x".formatted(hash >>> 36, ProcessHandle.current().pid() & 0xff_ffff);
    }

    private static void build(Place place) {
        try (var here = Links.in(NetworkNamespace.own());
                var there = Links.in(place.namespace().place())) {
            here.createVeth(place.outside(), INSIDE, place.namespace().place());
            here.withoutIpv6Address(place.outside());
            there.withoutIpv6Address(INSIDE);
            there.setMac(INSIDE, HealthPort.ASKER_MAC);
            here.setUp(place.outside());
            there.setUp(INSIDE);
            address(there, HealthPort.ASKER_V4, HealthPort.LENGTH_V4);
            there.addRoute(ANY_V4, HealthPort.GATEWAY_V4, INSIDE);
            addVersionSix(there);
        }
    }

    private static void addVersionSix(Links there) {
        try {
            address(there, HealthPort.ASKER_V6, HealthPort.LENGTH_V6);
            there.addRoute(ANY_V6, HealthPort.GATEWAY_V6, INSIDE);
        } catch (LinkException absent) {
            LOG.info("this machine has no IPv6, and cannot ask members by it: {}", absent.getMessage());
        }
    }

    private static void address(Links there, IpAddress address, int length) {
        there.addAddress(INSIDE, InterfaceAddress.parse(address + "/" + length).withoutDuplicateDetection());
    }

    private static void remove(Place place) {
        try (var here = Links.in(NetworkNamespace.own())) {
            here.delete(place.outside());
        } catch (LinkException gone) {
            LOG.debug("{} was gone already", place.outside(), gone);
        }
        place.namespace().close();
    }

    @Override
    public boolean needPorts() {
        return true;
    }

    private NetworkNamespace of(UUID router) throws IOException {
        Place place = places.get(router);
        if (place == null) {
            throw new IOException("no namespace to ask members of router " + router + " from");
        }
        return place.namespace().place();
    }

    @Override
    public synchronized SocketChannel stream(UUID router, IpAddress to) throws IOException {
        return of(router).<SocketChannel, IOException>call(() -> SocketChannel.open(Places.family(to)));
    }

    @Override
    public synchronized DatagramChannel datagrams(UUID router, IpAddress to) throws IOException {
        return of(router).<DatagramChannel, IOException>call(() -> DatagramChannel.open(Places.family(to)));
    }

    @Override
    public synchronized void close() {
        places.values().forEach(NamespacePlaces::remove);
        places.clear();
    }
}
