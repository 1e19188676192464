package dev.weft.it;

import dev.weft.agent.lab.Vm;

/** Network files that several tests apply. */
final class Networks {
    private Networks() {}

    /**
     * Bridge, router, bridge; VM {@code left} on the one, VM {@code right} on the other.
     *
     * @param more VMs on the bridge of {@code right}
     */
    static String twoBridges(String tenant, Vm left, Vm right, Vm... more) {
        var ports = new StringBuilder();
        for (Vm vm : more) {
            ports.append(port("right", vm));
        }
        return """
                tenant: %s
                bridges: [{name: left}, {name: right}]
                routers: [{name: router}]
                ports:
                  - {name: left-up, bridge: left, peer: left-gateway}
                  - {name: right-up, bridge: right, peer: right-gateway}
                  - {name: left-gateway, router: router, addresses: [10.0.1.1/24, "fd00:1::1/64"]}
                  - {name: right-gateway, router: router, addresses: [10.0.2.1/24, "fd00:2::1/64"]}
                %s%s%s""".formatted(tenant, port("left", left), port("right", right), ports);
    }

    private static String port(String bridge, Vm vm) {
        return "  - {name: %s, bridge: %s, host: %s, interface: %s}\n"
                .formatted(vm.name(), bridge, vm.host().name(), vm.hostInterface());
    }
}
