package dev.weft.agent.trace;

import dev.weft.base.IpAddress;
import dev.weft.base.MacAddress;
import dev.weft.sim.VirtualNetwork;
import dev.weft.sim.trace.MacResolver;
import dev.weft.topology.TopologySnapshot;
import dev.weft.topology.schema.Neighbour;
import dev.weft.topology.schema.Port;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.UUID;

/**
 * What the VM behind a port would find by ARP or ND, as far as the topology tells: the neighbours a bridge is seeded
 * with, the VMs that its ports describe, router ports on that bridge and what they translate, and the router for everything
 * that is on no link of theirs.
 */
public final class SnapshotMacs implements MacResolver {
    private final VirtualNetwork network;
    private final List<Neighbour> neighbours;
    private final List<Port> gateways;

    /** @param ingress the port the packet enters at */
    public SnapshotMacs(TopologySnapshot snapshot, VirtualNetwork network, Port ingress) {
        this.network = network;
        this.neighbours = ingress.getBridgeId().isEmpty() ? List.of() : neighboursOn(snapshot, ingress.getBridgeId());
        this.gateways = ingress.getRouterId().isEmpty() ? routersOn(snapshot, ingress.getBridgeId()) : List.of(ingress);
    }

    private static List<Neighbour> neighboursOn(TopologySnapshot snapshot, String bridge) {
        var neighbours = new ArrayList<Neighbour>();
        snapshot.bridge(UUID.fromString(bridge)).ifPresent(seeded -> neighbours.addAll(seeded.getNeighboursList()));
        for (Port port : snapshot.ports()) {
            if (port.getBridgeId().equals(bridge) && !port.getMac().isEmpty()) {
                port.getAddressesList()
                        .forEach(address -> neighbours.add(Neighbour.newBuilder()
                                .setAddress(addressOf(address).toString())
                                .setMac(port.getMac())
                                .build()));
            }
        }
        return neighbours;
    }

    private static List<Port> routersOn(TopologySnapshot snapshot, String bridge) {
        return snapshot.ports().stream()
                .filter(port ->
                        port.getBridgeId().equals(bridge) && !port.getPeerId().isEmpty())
                .map(port -> snapshot.port(UUID.fromString(port.getPeerId())))
                .flatMap(Optional::stream)
                .filter(peer -> !peer.getRouterId().isEmpty())
                .toList();
    }

    @Override
    public long srcMac(IpAddress src) {
        return seeded(src);
    }

    @Override
    public long dstMac(IpAddress src, IpAddress dst) {
        long seeded = seeded(dst);
        if (seeded != UNKNOWN) {
            return seeded;
        }
        for (Port gateway : gateways) {
            if (answersFor(gateway, dst)) {
                return macOf(gateway);
            }
        }
        boolean onLink =
                gateways.stream().anyMatch(gateway -> network.isOnLink(indexOf(gateway), dst.high(), dst.low()));
        return onLink
                ? UNKNOWN
                : gateways.stream()
                        .filter(gateway -> gateway.getAddressesList().stream()
                                .anyMatch(address -> addressOf(address).isV4() == dst.isV4()))
                        .findFirst()
                        .map(this::macOf)
                        .orElse(UNKNOWN);
    }

    /** Its own addresses, and the public ones of its router in its subnets. */
    private boolean answersFor(Port gateway, IpAddress address) {
        return gateway.getAddressesList().stream()
                        .anyMatch(own -> addressOf(own).equals(address))
                || network.isTranslated(indexOf(gateway), address.high(), address.low());
    }

    private long seeded(IpAddress address) {
        String text = address.toString();
        return neighbours.stream()
                .filter(neighbour -> neighbour.getAddress().equals(text))
                .findFirst()
                .map(neighbour -> MacAddress.parse(neighbour.getMac()).bits())
                .orElse(UNKNOWN);
    }

    private long macOf(Port port) {
        return network.portMac(indexOf(port));
    }

    private int indexOf(Port port) {
        return network.portIndex(UUID.fromString(port.getId()));
    }

    private static IpAddress addressOf(String interfaceAddress) {
        return IpAddress.parse(interfaceAddress.substring(0, interfaceAddress.indexOf('/')));
    }
}
