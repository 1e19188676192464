package dev.weft.agent.control;

import akka.actor.typed.ActorRef;
import akka.actor.typed.Behavior;
import akka.actor.typed.javadsl.ActorContext;
import dev.weft.base.IpAddress;
import dev.weft.base.MacAddress;
import dev.weft.sim.VirtualNetwork;
import dev.weft.topology.TableKind;
import dev.weft.topology.TableKind.MacKey;
import dev.weft.topology.TableKind.NeighbourValue;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.UUID;
import java.util.function.Function;

/** An actor for each bridge and router within reach. Not thread safe: touched only by the topology actor. */
final class DeviceActors {
    private final ActorContext<TopologyActor.Command> context;
    private final Site site;
    private final Map<UUID, ActorRef<DeviceActor.Command>> bridges = new HashMap<>();
    private final Map<UUID, ActorRef<DeviceActor.Command>> routers = new HashMap<>();
    private int spawned;

    DeviceActors(ActorContext<TopologyActor.Command> context, Site site) {
        this.context = context;
        this.site = site;
    }

    /** After the site shows the network of this view. */
    void follow(LocalView view) {
        follow(
                bridges,
                view.bridges(),
                id -> DeviceActor.create(site, TableKind.MACS, id, Translations.macs(site, id)));
        follow(
                routers,
                view.routers(),
                id -> DeviceActor.create(site, TableKind.NEIGHBOURS, id, Translations.neighbours(site, id)));
        bridges.values().forEach(actor -> actor.tell(new DeviceActor.NetworkChanged()));
        routers.values().forEach(actor -> actor.tell(new DeviceActor.NetworkChanged()));
    }

    private void follow(
            Map<UUID, ActorRef<DeviceActor.Command>> actors,
            Set<UUID> wanted,
            Function<UUID, Behavior<DeviceActor.Command>> behavior) {
        for (UUID gone : List.copyOf(actors.keySet())) {
            if (!wanted.contains(gone)) {
                actors.remove(gone).tell(new DeviceActor.Stop());
            }
        }
        for (UUID device : wanted) {
            actors.computeIfAbsent(device, id -> context.spawn(behavior.apply(id), "device-" + spawned++));
        }
    }

    void portGone(UUID port) {
        bridges.values().forEach(actor -> actor.tell(new DeviceActor.PortGone(port)));
        routers.values().forEach(actor -> actor.tell(new DeviceActor.PortGone(port)));
    }

    /** The numbers are of some recent network; what is gone since is not worth a word. */
    void macLearned(int bridge, int vlan, long mac, int port) {
        VirtualNetwork network = site.network();
        if (!network.hasBridge(bridge) || !network.hasPort(port)) {
            return;
        }
        ActorRef<DeviceActor.Command> actor = bridges.get(network.bridgeId(bridge));
        if (actor != null) {
            UUID id = network.portId(port);
            actor.tell(new DeviceActor.Learn<>(new MacKey(vlan, new MacAddress(mac)), id, id));
        }
    }

    void neighbourLearned(int router, int routerPort, IpAddress address, long mac, int vmPort) {
        VirtualNetwork network = site.network();
        if (!network.hasRouter(router) || !network.hasPort(routerPort) || !network.hasPort(vmPort)) {
            return;
        }
        ActorRef<DeviceActor.Command> actor = routers.get(network.routerId(router));
        if (actor != null) {
            var value = new NeighbourValue(new MacAddress(mac), network.portId(routerPort));
            actor.tell(new DeviceActor.Learn<>(address, value, network.portId(vmPort)));
        }
    }
}
