package dev.weft.agent.control;

import dev.weft.datapath.link.Link;
import dev.weft.datapath.link.LinkEvent;
import dev.weft.datapath.link.LinkEvent.LinkAppeared;
import dev.weft.datapath.link.LinkEvent.LinkChanged;
import dev.weft.datapath.link.LinkEvent.LinkGone;
import dev.weft.datapath.link.LinkMonitor;
import dev.weft.datapath.link.NetworkNamespace;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Consumer;

/** The interfaces of this machine, in any of its namespaces, by netlink. Thread safe. */
public final class LinkInterfaces implements Interfaces {
    private static final Duration LOOK_AGAIN = Duration.ofSeconds(1);

    // Guarded by this.
    private final Map<Place, List<Consumer<Presence>>> listeners = new HashMap<>();
    private final Map<NetworkNamespace, Integer> watchers = new HashMap<>();
    private final Map<Place, Presence> present = new HashMap<>();
    // Shared.
    private final LinkMonitor monitor = LinkMonitor.start(this::onEvent, LOOK_AGAIN);

    private record Place(NetworkNamespace namespace, String name) {}

    @Override
    public Subscription watch(String namespace, String name, Consumer<Presence> listener) {
        var place = new Place(NetworkNamespace.parse(namespace), name);
        synchronized (this) {
            listeners.computeIfAbsent(place, p -> new ArrayList<>()).add(listener);
            if (watchers.merge(place.namespace(), 1, Integer::sum) == 1) {
                monitor.watch(place.namespace());
            }
            // Within the lock, as all calls are: what a listener hears last is how it is.
            Presence known = present.get(place);
            if (known != null) {
                listener.accept(known);
            }
        }
        return () -> unwatch(place, listener);
    }

    private synchronized void unwatch(Place place, Consumer<Presence> listener) {
        List<Consumer<Presence>> left = listeners.get(place);
        if (left == null || !left.remove(listener)) {
            return;
        }
        if (left.isEmpty()) {
            listeners.remove(place);
        }
        if (watchers.merge(place.namespace(), -1, Integer::sum) == 0) {
            watchers.remove(place.namespace());
            present.keySet().removeIf(p -> p.namespace().equals(place.namespace()));
            monitor.unwatch(place.namespace());
        }
    }

    private void onEvent(LinkEvent event) {
        switch (event) {
            case LinkAppeared appeared ->
                tell(appeared.namespace(), appeared.link().name(), presence(appeared.link()));
            case LinkGone gone -> tell(gone.namespace(), gone.link().name(), Presence.ABSENT);
            case LinkChanged changed -> tell(changed.namespace(), changed.link().name(), presence(changed.link()));
            case LinkEvent.AddressesChanged changed -> {
                // A VM's interface has no address here that matters.
            }
        }
    }

    private static Presence presence(Link link) {
        if (!link.up()) {
            return Presence.DOWN;
        }
        return link.running() ? Presence.UP : Presence.NO_CARRIER;
    }

    private synchronized void tell(NetworkNamespace namespace, String name, Presence how) {
        if (!watchers.containsKey(namespace)) {
            return;
        }
        var place = new Place(namespace, name);
        Presence before = how == Presence.ABSENT ? present.remove(place) : present.put(place, how);
        if (before == how) {
            return; // its MTU, for one
        }
        List.copyOf(listeners.getOrDefault(place, List.of())).forEach(listener -> listener.accept(how));
    }

    @Override
    public void close() {
        monitor.close();
    }
}
