package dev.weft.agent.control;

import akka.actor.typed.javadsl.ActorContext;
import dev.weft.base.IpAddress;
import dev.weft.base.MacAddress;
import dev.weft.sim.VirtualNetwork;
import dev.weft.topology.TableKind;
import dev.weft.topology.TableKind.MacKey;
import dev.weft.topology.TableKind.NeighbourValue;
import java.util.UUID;
import java.util.function.Function;

/** An actor for each bridge and router within reach. Not thread safe: touched only by the topology actor. */
final class DeviceActors {
    private final Site site;
    private final Children<DeviceActor.Command> bridges;
    private final Children<DeviceActor.Command> routers;

    DeviceActors(ActorContext<TopologyActor.Command> context, Site site) {
        this.site = site;
        bridges = new Children<>(context, "bridge", new DeviceActor.Stop());
        routers = new Children<>(context, "router", new DeviceActor.Stop());
    }

    /** After the site shows the network of this view. */
    void follow(LocalView view) {
        bridges.retain(view.bridges());
        routers.retain(view.routers());
        for (UUID id : view.bridges()) {
            bridges.start(
                    id,
                    () -> DeviceActor.create(
                            site, TableKind.MACS, id, Translations.macs(site, id), Function.identity()));
        }
        for (UUID id : view.routers()) {
            routers.start(
                    id,
                    () -> DeviceActor.create(
                            site,
                            TableKind.NEIGHBOURS,
                            id,
                            Translations.neighbours(site, id),
                            NeighbourValue::macPort));
        }
        bridges.tellAll(new DeviceActor.NetworkChanged());
        routers.tellAll(new DeviceActor.NetworkChanged());
    }

    void portGone(UUID port) {
        bridges.tellAll(new DeviceActor.PortGone(port));
        routers.tellAll(new DeviceActor.PortGone(port));
    }

    /** The numbers are of some recent network; what is gone since is not worth a word. */
    void macLearned(int bridge, int vlan, long mac, int port) {
        VirtualNetwork network = site.network();
        if (!network.hasBridge(bridge) || !network.hasPort(port)) {
            return;
        }
        UUID id = network.portId(port);
        bridges.tell(network.bridgeId(bridge), new DeviceActor.Learn<>(new MacKey(vlan, new MacAddress(mac)), id, id));
    }

    void macForgotten(int bridge, int vlan, long mac, int port) {
        VirtualNetwork network = site.network();
        if (network.hasBridge(bridge) && network.hasPort(port)) {
            var key = new MacKey(vlan, new MacAddress(mac));
            bridges.tell(network.bridgeId(bridge), new DeviceActor.Forget<>(key, network.portId(port)));
        }
    }

    void neighbourLearned(int router, int routerPort, IpAddress address, long mac, int vmPort) {
        VirtualNetwork network = site.network();
        if (!network.hasRouter(router) || !network.hasPort(routerPort) || !network.hasPort(vmPort)) {
            return;
        }
        var value = new NeighbourValue(new MacAddress(mac), network.portId(routerPort), network.portId(vmPort));
        routers.tell(network.routerId(router), new DeviceActor.Learn<>(address, value, network.portId(vmPort)));
    }
}
