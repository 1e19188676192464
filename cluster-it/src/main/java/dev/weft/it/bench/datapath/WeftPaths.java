package dev.weft.it.bench.datapath;

import dev.weft.agent.lab.LabHost;
import dev.weft.agent.lab.Vm;
import java.util.List;
import java.util.Map;

/** The way from VM to VM through Weft: the sender, a neighbour on its bridge, and a VM behind a router. */
final class WeftPaths {
    /** What the sender sends to, for a VM that is not on its bridge. */
    static final String ROUTER_MAC = "02:00:00:00:ff:01";

    private static final String NETWORK = """
            tenant: bench
            bridges:
              - {name: left, neighbours: [{address: 10.0.1.5, mac: "%1$s"}, {address: "fd00:1::5", mac: "%1$s"}]}
              - {name: right, neighbours: [{address: 10.0.2.9, mac: "%2$s"}, {address: "fd00:2::9", mac: "%2$s"}]}
            routers: [{name: router}]
            ports:
              - {name: sender, bridge: left, host: %3$s, namespace: %4$s, interface: %5$s}
              - {name: neighbour, bridge: left, host: %6$s, namespace: %7$s, interface: %8$s}
              - {name: routed, bridge: right, host: %6$s, namespace: %7$s, interface: %9$s}
              - {name: left-up, bridge: left, peer: left-gateway}
              - {name: right-up, bridge: right, peer: right-gateway}
              - {name: left-gateway, router: router, mac: "%10$s", addresses: [10.0.1.1/24, "fd00:1::1/64"]}
              - {name: right-gateway, router: router, mac: "02:00:00:00:ff:02", addresses: [10.0.2.1/24, "fd00:2::1/64"]}
            """;
    private static final int PORTS = 3;

    private final WeftHosts hosts;
    private final Path bridged;
    private final Path routed;

    private WeftPaths(WeftHosts hosts, Path bridged, Path routed) {
        this.hosts = hosts;
        this.bridged = bridged;
        this.routed = routed;
    }

    /** All three VMs on one host. */
    static WeftPaths sameHost(BenchLab lab, String kind, Map<String, ?> overrides) {
        LabHost host = lab.host();
        lab.in(host, "addr add " + Baselines.underlay(0) + "/32 dev lo");
        return build(lab, kind, List.of(host, host), overrides);
    }

    /** The sender on one host, the others on another, with a cable between the two. */
    static WeftPaths twoHosts(BenchLab lab, String kind, Map<String, ?> overrides) {
        return build(lab, kind, Baselines.twoHosts(lab), overrides);
    }

    private static WeftPaths build(BenchLab lab, String kind, List<LabHost> at, Map<String, ?> overrides) {
        LabHost near = at.get(0);
        LabHost far = at.get(1);
        Vm sender = lab.sender(near);
        Vm neighbour = lab.vm(far, Address.NEIGHBOUR);
        Vm routed = lab.vm(far, Address.ROUTED);
        var hosts = lab.own(new WeftHosts(lab, kind));
        hosts.start(near, Baselines.underlay(0), overrides);
        if (!far.equals(near)) {
            hosts.start(far, Baselines.underlay(1), overrides);
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
                        ROUTER_MAC),
                PORTS);
        String what = far.equals(near) ? "Weft" : "Weft, two hosts";
        var paths =
                new WeftPaths(hosts, new Path(what, sender, neighbour), new Path(what + ", routed", sender, routed));
        lab.check(paths.bridged);
        lab.check(paths.routed);
        return paths;
    }

    WeftHosts hosts() {
        return hosts;
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
