package dev.weft.datapath.link;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Consumer;

/** What has been reported of the links of one namespace. Not thread safe: touched only by its monitor's thread. */
final class WatchedNamespace extends NamespaceWatch {
    private static final int GROUPS = Netlink.GROUP_LINK | Netlink.GROUP_IPV4_ADDRESS | Netlink.GROUP_IPV6_ADDRESS;

    // Immutable after construction.
    private final NetworkNamespace namespace;
    private final Consumer<LinkEvent> listener;
    // Owned by the monitor thread.
    private final Map<Integer, Link> links = new LinkedHashMap<>();
    private final Map<Integer, List<InterfaceAddress>> addresses = new HashMap<>();

    WatchedNamespace(NetworkNamespace namespace, Consumer<LinkEvent> listener) {
        super(namespace, GROUPS);
        this.namespace = namespace;
        this.listener = listener;
    }

    @Override
    void forget() {
        var gone = List.copyOf(links.values());
        links.clear();
        addresses.clear();
        gone.forEach(link -> listener.accept(new LinkEvent.LinkGone(namespace, link)));
    }

    @Override
    void resync(Links queries) {
        var found = new LinkedHashMap<Integer, Link>();
        queries.list().forEach(link -> found.put(link.ifindex(), link));
        var foundAddresses = new HashMap<Integer, List<InterfaceAddress>>();
        queries.allAddresses()
                .forEach(address -> foundAddresses
                        .computeIfAbsent(address.ifindex(), none -> new ArrayList<>())
                        .add(address.value()));
        List.copyOf(links.keySet()).stream()
                .filter(ifindex -> !found.containsKey(ifindex))
                .forEach(this::remove);
        found.values().forEach(this::put);
        found.keySet().forEach(ifindex -> replaceAddresses(ifindex, foundAddresses.getOrDefault(ifindex, List.of())));
    }

    @Override
    void accept(Message message) {
        switch (message.type()) {
            case Link.NEW -> Link.decode(message).ifPresent(this::put);
            case Link.DELETE -> Link.decode(message).ifPresent(link -> remove(link.ifindex()));
            case InterfaceAddress.NEW -> InterfaceAddress.decode(message).ifPresent(found -> change(found, true));
            case InterfaceAddress.DELETE -> InterfaceAddress.decode(message).ifPresent(found -> change(found, false));
            default -> {} // other groups are not subscribed
        }
    }

    private void put(Link link) {
        var before = links.put(link.ifindex(), link);
        if (before == null) {
            listener.accept(new LinkEvent.LinkAppeared(namespace, link));
        } else if (!before.name().equals(link.name())) {
            listener.accept(new LinkEvent.LinkGone(namespace, before));
            listener.accept(new LinkEvent.LinkAppeared(namespace, link));
            var kept = addresses.getOrDefault(link.ifindex(), List.of());
            if (!kept.isEmpty()) {
                listener.accept(new LinkEvent.AddressesChanged(namespace, link, kept));
            }
        } else if (!before.equals(link)) {
            listener.accept(new LinkEvent.LinkChanged(namespace, before, link));
        }
    }

    private void remove(int ifindex) {
        addresses.remove(ifindex);
        var gone = links.remove(ifindex);
        if (gone != null) {
            listener.accept(new LinkEvent.LinkGone(namespace, gone));
        }
    }

    private void change(InterfaceAddress.OnLink changed, boolean added) {
        var now = new ArrayList<>(addresses.getOrDefault(changed.ifindex(), List.of()));
        now.removeIf(known -> known.sameAs(changed.value()));
        if (added) {
            now.add(changed.value());
        }
        replaceAddresses(changed.ifindex(), now);
    }

    private void replaceAddresses(int ifindex, List<InterfaceAddress> now) {
        var link = links.get(ifindex);
        if (link == null || now.equals(addresses.getOrDefault(ifindex, List.of()))) {
            return;
        }
        addresses.put(ifindex, List.copyOf(now));
        listener.accept(new LinkEvent.AddressesChanged(namespace, link, List.copyOf(now)));
    }
}
