package dev.weft.agent.control;

import dev.weft.agent.worker.Command;
import dev.weft.base.IpAddress;
import dev.weft.datapath.Datapath;
import dev.weft.sim.VirtualNetwork;
import dev.weft.topology.TopologySnapshot;
import dev.weft.topology.schema.Host;
import dev.weft.topology.schema.Port;
import java.util.HashMap;
import java.util.HashSet;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.UUID;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * Where everything is that is not here: which host has which port under which tunnel key, and which hosts a bridge's
 * floods go to. Joins what hosts say of themselves (the topology) with what they publish (the tables), and tells the
 * workers what changed. Not thread safe: touched only by its actor.
 */
final class FabricMirror {
    // Immutable after construction.
    private final UUID self;
    private final Datapath datapath;
    private final Consumer<Command> workers;
    // Owned by the actor.
    private VirtualNetwork network = VirtualNetwork.EMPTY;
    private TopologySnapshot topology = TopologySnapshot.EMPTY;
    private Map<UUID, IpAddress> underlays = Map.of();
    private Set<IpAddress> peers = Set.of();
    private final Map<Location, Integer> portKeys = new HashMap<>();
    /** The host that spoke last of a port. */
    private final Map<UUID, UUID> lastWord = new HashMap<>();

    private final Map<FloodId, Integer> floodKeys = new HashMap<>();
    private final Map<UUID, Command.RemotePort> toldPorts = new HashMap<>();
    private final Map<FloodId, Command.FloodTarget> toldFloods = new HashMap<>();

    /** A port, and a host that says it has it. */
    record Location(UUID port, UUID host) {}

    record FloodId(UUID bridge, int vlan, UUID host) {}

    FabricMirror(UUID self, Datapath datapath, Consumer<Command> workers) {
        this.self = self;
        this.datapath = datapath;
        this.workers = workers;
    }

    /** The workers were told of this network before. */
    void topology(VirtualNetwork now, TopologySnapshot snapshot) {
        network = now;
        topology = snapshot;
        var addresses = new HashMap<UUID, IpAddress>();
        for (Host host : snapshot.hosts()) {
            addresses.put(UUID.fromString(host.getId()), IpAddress.parse(host.getUnderlay()));
        }
        underlays = addresses;
        refreshPeers();
        var known = new HashSet<UUID>(toldPorts.keySet());
        portKeys.keySet().forEach(location -> known.add(location.port()));
        known.forEach(this::refreshPort);
        union(floodKeys.keySet(), toldFloods.keySet()).forEach(this::refreshFlood);
    }

    /** Of a registered host; null of one that is not. */
    @Nullable
    IpAddress underlay(UUID host) {
        return underlays.get(host);
    }

    void portKey(Location location, int key) {
        portKeys.put(location, key);
        lastWord.put(location.port(), location.host());
        refreshPort(location.port());
    }

    void portGone(Location location) {
        portKeys.remove(location);
        boolean wasLast = lastWord.remove(location.port(), location.host());
        if (wasLast && network.isHealthPort(network.portIndex(location.port()))) {
            anyHostOf(location.port()).ifPresent(host -> lastWord.put(location.port(), host));
        }
        refreshPort(location.port());
    }

    private Optional<UUID> anyHostOf(UUID port) {
        return portKeys.keySet().stream()
                .filter(location -> location.port().equals(port))
                .map(Location::host)
                .findFirst();
    }

    void floodKey(FloodId id, int key) {
        floodKeys.put(id, key);
        refreshFlood(id);
    }

    void floodGone(FloodId id) {
        floodKeys.remove(id);
        refreshFlood(id);
    }

    /** Every registered host may send to us, alive or not: whether it is is known here later than there. */
    private void refreshPeers() {
        var now = new HashSet<IpAddress>();
        underlays.forEach((host, address) -> {
            if (!host.equals(self)) {
                now.add(address);
            }
        });
        if (!now.equals(peers)) {
            peers = now;
            datapath.setPeers(Set.copyOf(now));
        }
    }

    private void refreshPort(UUID port) {
        Command.RemotePort told = toldPorts.get(port);
        Command.RemotePort wanted = remotePort(port);
        if (wanted == null) {
            if (told != null) {
                toldPorts.remove(port);
                workers.accept(new Command.NoRemotePort(told.port()));
            }
        } else if (!wanted.equals(told)) {
            toldPorts.put(port, wanted);
            workers.accept(wanted);
        }
    }

    /**
     * Several hosts may say that they have a port while it moves; the topology says which of them is right, and of a port
     * that is at whichever host asks for the health of members, the last word.
     */
    private Command.@Nullable RemotePort remotePort(UUID port) {
        int index = network.portIndex(port);
        UUID host = network.isHealthPort(index)
                ? lastWord.getOrDefault(port, self)
                : topology.port(port)
                        .map(Port::getHostId)
                        .filter(id -> !id.isEmpty())
                        .map(UUID::fromString)
                        .orElse(self);
        Integer key = portKeys.get(new Location(port, host));
        IpAddress underlay = underlays.get(host);
        return key == null || index < 0 || underlay == null || host.equals(self)
                ? null
                : new Command.RemotePort(index, underlay.high(), underlay.low(), key);
    }

    private void refreshFlood(FloodId id) {
        Command.FloodTarget told = toldFloods.get(id);
        Command.FloodTarget wanted = floodTarget(id);
        if (wanted == null) {
            if (told != null) {
                toldFloods.remove(id);
                workers.accept(new Command.NoFloodTarget(told.bridge(), told.vlan(), told.host()));
            }
        } else if (!wanted.equals(told)) {
            toldFloods.put(id, wanted);
            workers.accept(wanted);
        }
    }

    private Command.@Nullable FloodTarget floodTarget(FloodId id) {
        Integer key = floodKeys.get(id);
        int index = network.bridgeIndex(id.bridge());
        IpAddress underlay = underlays.get(id.host());
        return key == null || index < 0 || underlay == null || id.host().equals(self)
                ? null
                : new Command.FloodTarget(index, id.vlan(), id.host(), underlay.high(), underlay.low(), key);
    }

    FabricBoard.Counts counts() {
        return new FabricBoard.Counts(peers.size(), toldPorts.size(), toldFloods.size());
    }

    private static <T> Set<T> union(Set<T> one, Set<T> other) {
        var all = new HashSet<>(one);
        all.addAll(other);
        return all;
    }
}
