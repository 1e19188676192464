package dev.weft.sim;

import dev.weft.base.IpAddress;
import dev.weft.base.MacAddress;
import dev.weft.topology.InterfaceAddress;
import dev.weft.topology.schema.Bridge;
import dev.weft.topology.schema.DhcpSubnet;
import dev.weft.topology.schema.Neighbour;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.UUID;
import org.jspecify.annotations.Nullable;

/** Makes one bridge of its message and its ports. */
final class BridgeCompiler {
    private final List<Port> own;
    private final @Nullable Port[] ports;
    private final Map<Integer, Known> known = new TreeMap<>();
    /** How many ports may send with a MAC. */
    private final Map<Long, Integer> claims = new HashMap<>();

    /** What is known in one VLAN. */
    private static final class Known {
        private final FrozenMap.Builder macs = new FrozenMap.Builder();
        private final FrozenMap.Builder addresses = new FrozenMap.Builder();
        private final FrozenMap.Builder neighbours = new FrozenMap.Builder();
        private final Map<IpAddress, Long> routers = new HashMap<>();
        private final List<Station> stations = new ArrayList<>();
        private @Nullable DhcpServer dhcp;
    }

    private final @Nullable ServiceNames names;

    /**
     * @param ports all of the network, by index
     * @param names that its tenant's routers are asked for; null when there are none
     */
    BridgeCompiler(List<Port> own, @Nullable Port[] ports, @Nullable ServiceNames names) {
        this.own = own;
        this.ports = ports;
        this.names = names;
    }

    /** Everything that the bridge is made of. */
    Object[] inputs(Bridge message) {
        List<Object> inputs = new ArrayList<>(2 * own.size() + 1);
        inputs.add(message);
        inputs.add(names == null ? "" : names.domain());
        for (Port port : own) {
            inputs.add(port);
            Port peer = peerOf(port);
            if (peer != null) {
                inputs.add(peer);
            }
        }
        return inputs.toArray();
    }

    dev.weft.sim.Bridge compile(
            int index, Bridge message, Object[] inputs, int inboundChain, int outboundChain, int serviceTable) {
        for (Port port : own) {
            Port peer = peerOf(port);
            if (peer != null && !peer.onBridge && port.vlans.untagged() != PortVlans.NONE) {
                addRouterPort(inVlan(port.vlans.untagged()), port, peer);
            }
        }
        for (Port port : own) {
            if (port.station != null && port.vlans.untagged() != PortVlans.NONE) {
                addStation(inVlan(port.vlans.untagged()), port, port.station);
            }
        }
        for (Neighbour seed : message.getNeighboursList()) {
            var address = IpAddress.parse(seed.getAddress());
            long mac = MacAddress.parse(seed.getMac()).bits();
            inVlan(seed.getVlan()).neighbours.putIfAbsent(address.high(), address.low(), mac);
        }
        addDhcp(message);
        return new dev.weft.sim.Bridge(
                index,
                UUID.fromString(message.getId()),
                message.getName(),
                message.getDisabled(),
                inputs,
                own.stream()
                        .filter(port -> port.bound)
                        .mapToInt(port -> port.index)
                        .toArray(),
                own.stream()
                        .filter(port -> port.peer != Port.NONE)
                        .mapToInt(port -> port.index)
                        .toArray(),
                known.entrySet().stream().map(BridgeCompiler::built).toArray(BridgeVlan[]::new),
                hosts(),
                !own.stream().allMatch(port -> port.vlans.isPlain()),
                inboundChain,
                outboundChain,
                serviceTable);
    }

    private void addDhcp(Bridge message) {
        UUID bridge = UUID.fromString(message.getId());
        Map<Integer, DhcpCompiler> servers = new TreeMap<>();
        for (DhcpSubnet subnet : message.getDhcpList()) {
            Known in = inVlan(subnet.getVlan());
            DhcpCompiler server =
                    servers.computeIfAbsent(subnet.getVlan(), vlan -> new DhcpCompiler(bridge, in.routers, names));
            server.add(subnet, in.stations);
            IpAddress address = DhcpCompiler.server(subnet);
            in.neighbours.putIfAbsent(address.high(), address.low(), server.mac());
        }
        servers.forEach((vlan, server) -> inVlan(vlan).dhcp = server.build());
    }

    private static void addRouterPort(Known in, Port port, Port peer) {
        in.macs.putIfAbsent(0, peer.mac, port.index);
        for (int i = 0; i < peer.addressCount(); i++) {
            in.addresses.putIfAbsent(peer.addressHigh(i), peer.addressLow(i), port.index);
            in.neighbours.putIfAbsent(peer.addressHigh(i), peer.addressLow(i), peer.mac);
            in.routers.putIfAbsent(new IpAddress(peer.addressHigh(i), peer.addressLow(i)), peer.mac);
        }
    }

    /** Where its MAC is goes without learning if nobody else may have it. */
    private void addStation(Known in, Port port, Station station) {
        in.stations.add(station);
        if (station.secured && claims(station.mac) == 1) {
            in.macs.putIfAbsent(0, station.mac, port.index);
        }
        for (InterfaceAddress each : station.addresses) {
            in.neighbours.putIfAbsent(each.address().high(), each.address().low(), station.mac);
        }
    }

    private int claims(long mac) {
        if (claims.isEmpty()) {
            for (Port port : own) {
                if (port.station != null) {
                    claims.merge(port.station.mac, 1, Integer::sum);
                    Arrays.stream(port.station.otherMacs()).forEach(other -> claims.merge(other, 1, Integer::sum));
                }
            }
        }
        return claims.getOrDefault(mac, 0);
    }

    private Known inVlan(int vlan) {
        return known.computeIfAbsent(vlan, id -> new Known());
    }

    private static BridgeVlan built(Map.Entry<Integer, Known> entry) {
        Known known = entry.getValue();
        return new BridgeVlan(
                entry.getKey(), known.macs.build(), known.addresses.build(), known.neighbours.build(), known.dhcp);
    }

    private BridgeHosts hosts() {
        Map<UUID, List<PortVlans>> vlans = new HashMap<>();
        for (Port port : own) {
            if (port.bound) {
                List<PortVlans> there = vlans.computeIfAbsent(port.host(), host -> new ArrayList<>());
                if (!there.contains(port.vlans)) {
                    there.add(port.vlans);
                }
            }
        }
        return new BridgeHosts(vlans);
    }

    private @Nullable Port peerOf(Port port) {
        return port.peer == Port.NONE ? null : ports[port.peer];
    }
}
