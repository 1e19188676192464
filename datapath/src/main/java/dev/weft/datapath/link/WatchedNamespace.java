package dev.weft.datapath.link;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.function.Consumer;

/**
 * What has been reported of one namespace, and the sockets that tell more. Not thread safe: touched only by its
 * monitor's thread. Attached while the namespace is there; a namespace of another identity under the same name is
 * another namespace, so all links go before the new ones appear.
 */
final class WatchedNamespace {
    private static final int DATAGRAMS_PER_TURN = 64;

    // Immutable after construction.
    private final NetworkNamespace namespace;
    private final Consumer<LinkEvent> listener;
    // Owned by the monitor thread.
    private Optional<Attachment> attachment = Optional.empty();
    private final Map<Integer, Link> links = new LinkedHashMap<>();
    private final Map<Integer, List<InterfaceAddress>> addresses = new HashMap<>();

    private record Attachment(NetworkNamespace.Identity identity, Netlink notifications, Links queries) {}

    WatchedNamespace(NetworkNamespace namespace, Consumer<LinkEvent> listener) {
        this.namespace = namespace;
        this.listener = listener;
    }

    NetworkNamespace namespace() {
        return namespace;
    }

    /** To poll for input; empty while detached. */
    OptionalInt fileDescriptor() {
        return attachment.isPresent()
                ? OptionalInt.of(attachment.get().notifications().fileDescriptor())
                : OptionalInt.empty();
    }

    /**
     * Attaches to or detaches from what is there now.
     *
     * @throws LinkException when something is there that cannot be watched (yet): detached, try again
     */
    void reconcile() {
        var present = namespace.identity();
        if (present.equals(attachment.map(Attachment::identity))) {
            return;
        }
        detach();
        if (present.isPresent()) {
            attach(present.get());
        }
    }

    private void attach(NetworkNamespace.Identity identity) {
        int groups = Netlink.GROUP_LINK | Netlink.GROUP_IPV4_ADDRESS | Netlink.GROUP_IPV6_ADDRESS;
        var notifications = Netlink.subscribed(namespace, groups);
        try {
            attachment = Optional.of(new Attachment(identity, notifications, Links.in(namespace)));
        } catch (LinkException refused) {
            notifications.close();
            throw refused;
        }
        // The name may have been given to another namespace between looking and opening.
        if (!namespace.identity().equals(Optional.of(identity))) {
            detach();
            throw new LinkException(namespace + " changed while it was being entered");
        }
        orDetach(this::resync);
    }

    /** Everything reported is gone; the sockets are closed, so that they do not keep a deleted namespace alive. */
    void detach() {
        close();
        var gone = List.copyOf(links.values());
        links.clear();
        addresses.clear();
        gone.forEach(link -> listener.accept(new LinkEvent.LinkGone(namespace, link)));
    }

    /** Without a word to the listener. */
    void close() {
        attachment.ifPresent(held -> {
            held.notifications().close();
            held.queries().close();
        });
        attachment = Optional.empty();
    }

    /** Reports what has arrived; bounded, so that a busy namespace does not starve the others. */
    void read() {
        orDetach(this::readSome);
    }

    private void readSome() {
        var notifications = attachment.orElseThrow().notifications();
        for (int i = 0; i < DATAGRAMS_PER_TURN; i++) {
            switch (notifications.receive(this::accept)) {
                case NOTHING -> {
                    return;
                }
                case MESSAGES -> {}
                case LOST -> resync();
            }
        }
    }

    private void orDetach(Runnable step) {
        try {
            step.run();
        } catch (LinkException failed) {
            detach();
            throw failed;
        }
    }

    /** Reads the whole state and reports the difference. */
    private void resync() {
        var queries = attachment.orElseThrow().queries();
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
