package dev.weft.agent.demo;

import java.nio.file.Path;
import java.util.List;
import java.util.Map;

/** The VMs of two tenants with the same addresses and MACs, on purpose, and the network that each describes. */
final class TwoTenants {
    static final List<String> NAMES = List.of("red", "blue");

    private TwoTenants() {}

    /** Namespaces and cables, then the store and the agents; returns when the agents are ready. */
    static void build(DemoNetwork network) {
        network.addHosts();
        for (String tenant : NAMES) {
            left(network, tenant + "-a", 0, 5);
            network.addVm(
                    tenant + "-b",
                    1,
                    "02:00:00:00:02:09",
                    List.of("10.0.2.9/24", "fd00:2::9/64"),
                    List.of("10.0.2.1", "fd00:2::1"));
            left(network, tenant + "-c", 2, 7);
        }
        network.start();
    }

    private static void left(DemoNetwork network, String name, int host, int number) {
        network.addVm(
                name,
                host,
                "02:00:00:00:01:0" + number,
                List.of("10.0.1." + number + "/24", "fd00:1::" + number + "/64"),
                List.of("10.0.1.1", "fd00:1::1"));
    }

    /** Writes the tenant's description with this lab's interface names. */
    static Path describe(DemoNetwork network, String tenant) {
        return network.write(
                "tenant.yaml",
                tenant + ".yaml",
                Map.of(
                        "TENANT",
                        tenant,
                        "1",
                        network.vm(tenant + "-a").hostInterface(),
                        "2",
                        network.vm(tenant + "-b").hostInterface(),
                        "3",
                        network.vm(tenant + "-c").hostInterface()));
    }
}
