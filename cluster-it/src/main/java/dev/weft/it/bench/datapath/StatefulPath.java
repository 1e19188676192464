package dev.weft.it.bench.datapath;

import dev.weft.agent.lab.LabHost;
import dev.weft.agent.lab.Vm;
import dev.weft.datapath.Datapath;
import java.util.Map;

/**
 * The way through a router with a stateful firewall and source translation, on one host with one worker: the sender may
 * begin connections to whatever is behind the routed VM, 10.8.0.0/16, and only their answers come back.
 */
final class StatefulPath {
    /** What the sender's packets come from, behind the router. */
    static final String PUBLIC = "10.0.2.100";

    /** Connections and flows that there is room for. */
    static final int CONNECTIONS = 1 << 20;

    /** As many flows as that: there and back, of two kinds of TCP packets each. */
    private static final int FLOWS = 1 << 21;

    /** So that a worker may be kept from its processor by others for a while, and no packet is lost by it. */
    private static final int QUEUE_BYTES = 64 << 20;

    private static final int PORTS = 2;

    private static final String NETWORK = """
            tenant: bench
            bridges:
              - {name: left, neighbours: [{address: 10.0.1.5, mac: "%1$s"}]}
              - {name: right, neighbours: [{address: 10.0.2.9, mac: "%2$s"}]}
            routers: [{name: router, forward_chain: firewall}]
            ports:
              - {name: sender, bridge: left, host: %3$s, namespace: %4$s, interface: %5$s}
              - {name: routed, bridge: right, host: %3$s, namespace: %4$s, interface: %6$s}
              - {name: left-up, bridge: left, peer: left-gateway}
              - {name: right-up, bridge: right, peer: right-gateway}
              - {name: left-gateway, router: router, mac: "%7$s", addresses: [10.0.1.1/24]}
              - {name: right-gateway, router: router, mac: "%8$s", addresses: [10.0.2.1/24]}
            routes: [{router: router, destination: 10.8.0.0/16, port: right-gateway, gateway: 10.0.2.9}]
            nats:
              - {name: out, router: router, type: source, port: right-gateway, source: 10.0.1.0/24, addresses: [%9$s]}
            """;
    private static final String FIREWALL = """
            chains:
              - name: firewall
                rules:
                  - {match: {connection: [forward, answer, related]}, action: accept}
                  - {match: {connection: [new], in_ports: [left-gateway]}, action: accept}
                  - {action: drop}
            """;
    private static final String CLOSED = "chains: [{name: firewall, rules: [{action: drop}]}]\n";

    private final WeftHosts hosts;
    private final Path path;

    private StatefulPath(WeftHosts hosts, Path path) {
        this.hosts = hosts;
        this.path = path;
    }

    static StatefulPath build(BenchLab lab, String kind) {
        LabHost host = lab.host();
        lab.in(host, "addr add " + Baselines.underlay(0) + "/32 dev lo");
        Vm sender = lab.sender(host);
        Vm routed = lab.vm(host, Address.ROUTED);
        var hosts = lab.own(new WeftHosts(lab, kind));
        hosts.setUpcallQueueBytes(QUEUE_BYTES);
        hosts.start(
                host,
                Baselines.underlay(0),
                Map.of(
                        "limits.flows",
                        FLOWS,
                        "limits.upcalls-per-second",
                        10_000_000,
                        "limits.connections",
                        CONNECTIONS,
                        "limits.connections-per-port",
                        CONNECTIONS));
        hosts.apply(
                NETWORK.formatted(
                                Address.SENDER.mac(),
                                Address.ROUTED.mac(),
                                host.name(),
                                host.namespace(),
                                sender.hostInterface(),
                                routed.hostInterface(),
                                WeftPaths.ROUTER_MAC,
                                WeftPaths.FAR_ROUTER_MAC,
                                PUBLIC)
                        + FIREWALL,
                PORTS);
        return new StatefulPath(hosts, new Path("Weft, firewall and source NAT", sender, routed));
    }

    Path path() {
        return path;
    }

    /** From the sender and, answered at the routed VM's interface, back to it: what is lost either way is lost. */
    Path andBack() {
        return new Path(path.name(), path.sender(), path.sender());
    }

    Datapath datapath() {
        return hosts.datapath(path.sender().host());
    }

    /** Ends all connections by a firewall that lets none pass, for a moment. */
    void endConnections() {
        hosts.apply("tenant: bench\n" + CLOSED, PORTS);
        WeftHosts.await(
                "end of the last round's flows", () -> datapath().statistics().flows() < SetupRows.FLOWS_LEFT);
        hosts.apply("tenant: bench\n" + FIREWALL, PORTS);
    }
}
