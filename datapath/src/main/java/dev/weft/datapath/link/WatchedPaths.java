package dev.weft.datapath.link;

import dev.weft.base.IpAddress;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Consumer;

/**
 * How a watched namespace reaches others: its neighbours and routes. Not thread safe: touched only by its monitor's
 * thread. Keeps as many neighbours as the kernel does (net.ipv4.neigh.default.gc_thresh3) and no routes.
 */
final class WatchedPaths extends NamespaceWatch {
    private static final int GROUPS =
            Netlink.GROUP_LINK | Netlink.GROUP_NEIGHBOUR | Netlink.GROUP_IPV4_ROUTE | Netlink.GROUP_IPV6_ROUTE;

    private record Place(int ifindex, IpAddress address) {}

    // Immutable after construction.
    private final Consumer<PathEvent> listener;
    // Owned by the monitor thread.
    private final Map<Place, KernelNeighbour> neighbours = new HashMap<>();
    private final Map<Integer, Link> links = new HashMap<>();

    WatchedPaths(NetworkNamespace namespace, Consumer<PathEvent> listener) {
        super(namespace, GROUPS);
        this.listener = listener;
    }

    @Override
    void resync(Links queries) {
        links.clear();
        queries.list().forEach(link -> links.put(link.ifindex(), link));
        var found = new HashMap<Place, KernelNeighbour>();
        queries.neighbours().forEach(neighbour -> found.put(placeOf(neighbour), neighbour));
        List.copyOf(neighbours.values()).stream()
                .filter(known -> !found.containsKey(placeOf(known)))
                .forEach(this::remove);
        found.values().forEach(this::put);
        listener.accept(new PathEvent.AllChanged(namespace()));
    }

    @Override
    void accept(Message message) {
        switch (message.type()) {
            case KernelNeighbour.NEW -> KernelNeighbour.decode(message).ifPresent(this::put);
            case KernelNeighbour.DELETE -> KernelNeighbour.decode(message).ifPresent(this::remove);
            case KernelRoute.NEW, KernelRoute.DELETE ->
                KernelRoute.decode(message)
                        .ifPresent(route -> listener.accept(
                                new PathEvent.RouteChanged(namespace(), route, message.type() == KernelRoute.NEW)));
            case Link.NEW -> Link.decode(message).ifPresent(this::put);
            case Link.DELETE ->
                Link.decode(message).ifPresent(link -> {
                    links.remove(link.ifindex());
                    listener.accept(new PathEvent.AllChanged(namespace()));
                });
            default -> {} // other groups are not subscribed
        }
    }

    private void put(Link link) {
        if (!link.equals(links.put(link.ifindex(), link))) {
            listener.accept(new PathEvent.AllChanged(namespace()));
        }
    }

    /** The kernel tells each step of its verification; what matters is the MAC, and whether there is one. */
    private void put(KernelNeighbour neighbour) {
        var before = neighbours.put(placeOf(neighbour), neighbour);
        if (before == null
                || before.usable() != neighbour.usable()
                || !before.mac().equals(neighbour.mac())) {
            listener.accept(new PathEvent.NeighbourChanged(namespace(), neighbour));
        }
    }

    private void remove(KernelNeighbour neighbour) {
        var gone = neighbours.remove(placeOf(neighbour));
        if (gone != null) {
            listener.accept(new PathEvent.NeighbourGone(namespace(), gone));
        }
    }

    @Override
    void forget() {
        if (links.isEmpty()) {
            return; // nothing was ever told: every namespace has a link
        }
        links.clear();
        List.copyOf(neighbours.values()).forEach(this::remove);
        listener.accept(new PathEvent.AllChanged(namespace()));
    }

    private static Place placeOf(KernelNeighbour neighbour) {
        return new Place(neighbour.ifindex(), neighbour.address());
    }
}
