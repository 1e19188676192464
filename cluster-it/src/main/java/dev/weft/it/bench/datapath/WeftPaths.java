package dev.weft.it.bench.datapath;

import dev.weft.agent.lab.LabHost;
import dev.weft.agent.lab.Vm;
import dev.weft.datapath.Datapath;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;
import java.util.stream.IntStream;

/** The way from VM to VM through Weft: the sender, a neighbour on its bridge, and a VM behind a router. */
final class WeftPaths {
    /** What the sender sends to, for a VM that is not on its bridge. */
    static final String ROUTER_MAC = "02:00:00:00:ff:01";

    /** The router's on the other side. */
    static final String FAR_ROUTER_MAC = "02:00:00:00:ff:02";

    /**
     * What differs from one network to the other.
     *
     * @param byPorts what the sender sends is held against a rule that every bit of both UDP ports decides, so that a flow
     *     is one pair of ports and each new pair an upcall
     * @param upcallQueueBytes memory for waiting upcalls; 0: as usual
     * @param overrides of the agents' configuration
     */
    record Shape(boolean byPorts, int upcallQueueBytes, Map<String, ?> overrides) {
        /** So that a worker may be kept from its processor by others for a while, and no packet is lost by it. */
        private static final int QUEUE_BYTES = 64 << 20;

        static final Shape PLAIN = new Shape(false, 0, Map.of());

        /** A flow for each 5-tuple, and so much room that no limit is met. */
        static Shape eachTupleAFlow(int flows) {
            return eachTupleAFlow(flows, 10_000_000);
        }

        /** @param upcalls a second of one port */
        static Shape eachTupleAFlow(int flows, int upcalls) {
            return new Shape(true, QUEUE_BYTES, Map.of("limits.flows", flows, "limits.upcalls-per-second", upcalls));
        }
    }

    private static final String NETWORK = """
            tenant: bench
            bridges:
              - {name: left, neighbours: [{address: 10.0.1.5, mac: "%1$s"}, {address: "fd00:1::5", mac: "%1$s"}]}
              - {name: right, neighbours: [{address: 10.0.2.9, mac: "%2$s"}, {address: "fd00:2::9", mac: "%2$s"}]}
            routers: [{name: router}]
            ports:
              - {name: sender, bridge: left, host: %3$s, namespace: %4$s, interface: %5$s%11$s}
              - {name: neighbour, bridge: left, host: %6$s, namespace: %7$s, interface: %8$s}
              - {name: routed, bridge: right, host: %6$s, namespace: %7$s, interface: %9$s}
              - {name: left-up, bridge: left, peer: left-gateway}
              - {name: right-up, bridge: right, peer: right-gateway}
              - {name: left-gateway, router: router, mac: "%10$s", addresses: [10.0.1.1/24, "fd00:1::1/64"]}
              - {name: right-gateway, router: router, mac: "%12$s", addresses: [10.0.2.1/24, "fd00:2::1/64"]}
            """;
    private static final int LAST_PORT = 65_535;
    private static final int PORTS = 3;
    private static final int MAX_WEIGHT = 255;

    private final WeftHosts hosts;
    private final Path bridged;
    private final Path routed;
    private int weight;

    private WeftPaths(WeftHosts hosts, Path bridged, Path routed) {
        this.hosts = hosts;
        this.bridged = bridged;
        this.routed = routed;
    }

    /** All three VMs on one host. */
    static WeftPaths sameHost(BenchLab lab, String kind, Shape shape) {
        LabHost host = lab.host();
        lab.in(host, "addr add " + Baselines.underlay(0) + "/32 dev lo");
        return build(lab, kind, List.of(host, host), shape);
    }

    /** The sender on one host, the others on another, with a cable between the two. */
    static WeftPaths twoHosts(BenchLab lab, String kind, Shape shape) {
        return build(lab, kind, Baselines.twoHosts(lab), shape);
    }

    private static WeftPaths build(BenchLab lab, String kind, List<LabHost> at, Shape shape) {
        LabHost near = at.get(0);
        LabHost far = at.get(1);
        Vm sender = lab.sender(near);
        Vm neighbour = lab.vm(far, Address.NEIGHBOUR);
        Vm routed = lab.vm(far, Address.ROUTED);
        var hosts = lab.own(new WeftHosts(lab, kind));
        hosts.setUpcallQueueBytes(shape.upcallQueueBytes());
        hosts.start(near, Baselines.underlay(0), shape.overrides());
        if (!far.equals(near)) {
            hosts.start(far, Baselines.underlay(1), shape.overrides());
        }
        hosts.apply(
                NETWORK.formatted(
                                Address.SENDER.mac(),
                                Address.ROUTED.mac(),
                                near.name(),
                                near.namespace(),
                                sender.hostInterface(),
                                far.name(),
                                far.namespace(),
                                neighbour.hostInterface(),
                                routed.hostInterface(),
                                ROUTER_MAC,
                                shape.byPorts() ? ", inbound_chain: by-ports" : "",
                                FAR_ROUTER_MAC)
                        + (shape.byPorts() ? chain() : ""),
                PORTS);
        String what = far.equals(near) ? "Weft" : "Weft, two hosts";
        var paths =
                new WeftPaths(hosts, new Path(what, sender, neighbour), new Path(what + ", routed", sender, routed));
        lab.check(paths.bridged);
        lab.check(paths.routed);
        return paths;
    }

    /** Accepts all; by which rule takes all bits of both ports to tell. */
    static String chain() {
        String odd = IntStream.rangeClosed(0, LAST_PORT)
                .filter(port -> port % 2 == 1)
                .mapToObj(Integer::toString)
                .collect(Collectors.joining(", "));
        return """
                chains:
                  - name: by-ports
                    rules:
                      - {match: {protocol: [udp], source_port: [%1$s]}, jump: by-destination, name: odd}
                      - {jump: by-destination, name: even}
                  - name: by-destination
                    rules:
                      - {match: {protocol: [udp], destination_port: [%1$s]}, action: accept, name: odd}
                      - {action: accept, name: even}
                """.formatted(odd);
    }

    WeftHosts hosts() {
        return hosts;
    }

    /** Makes the network what the text adds to it, on every host. */
    void apply(String text) {
        applyAll("tenant: bench\n" + text);
    }

    /** As {@link #apply}, of whole documents. */
    void applyAll(String documents) {
        hosts.apply(documents, PORTS);
    }

    /** A route through the routed VM; those of IPv6 prefixes need quotes. */
    void routeThroughRouted(String prefix) {
        apply("routes: [{router: router, destination: %s, port: right-gateway, gateway: %s}]"
                .formatted(prefix, Address.ROUTED.v4()));
    }

    /** Changes routes to the routed VM in nothing but a weight that has no effect, which ends all flows to it. */
    void endRoutedFlows() {
        weight = weight % MAX_WEIGHT + 1;
        apply("""
                routes:
                  - {router: router, destination: 10.0.2.8/29, port: right-gateway, weight: %1$d}
                  - {router: router, destination: "fd00:2::8/125", port: right-gateway, weight: %1$d}
                """.formatted(weight));
    }

    Datapath senderDatapath() {
        return hosts.datapath(bridged.sender().host());
    }

    Datapath receiverDatapath() {
        return hosts.datapath(bridged.receiver().host());
    }

    /** From the sender to its neighbour. */
    Path bridged() {
        return bridged;
    }

    /** From the sender to the VM behind the router. */
    Path routed() {
        return routed;
    }
}
