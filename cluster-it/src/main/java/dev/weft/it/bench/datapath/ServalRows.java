package dev.weft.it.bench.datapath;

import dev.weft.it.bench.Row;

/** What Serval costs once a connection is established: its data packets name addresses and flow ids, and no service. */
final class ServalRows {
    private static final String SERVICES = """
            tenants: [{name: bench}]
            service_blocks: [{name: bench, owner: bench, prefix: 0x00004000/24}]
            ---
            tenant: bench
            service_tables: [{name: web, entries: [{prefix: 0x00004001, rules: [{address: %s}]}]}]
            routers: [{name: router, service_table: web}]
            """.formatted(Address.ROUTED.v4());

    private ServalRows() {}

    /** IPv4 protocol 144 through a router that resolves services, against UDP through one that does not. */
    static Row establishedCost(Ground ground) {
        WeftPaths serval = WeftPaths.sameHost(ground.lab(), ground.kind(), WeftPaths.Shape.PLAIN);
        serval.applyAll(SERVICES);
        Path reference = ground.weft().routed();
        Path subject = new Path(
                "Weft, Serval data", serval.routed().sender(), serval.routed().receiver());
        try (var sal = Frames.fixed(Workload.salData(Workload.FLOWS));
                var udp = Frames.fixed(Workload.routedV4(Workload.FLOWS))) {
            return CostRows.compare(
                    "established-cost",
                    ground,
                    new CostRows.Side(subject, sal),
                    new CostRows.Side(reference, udp),
                    "64 octets, " + Workload.FLOWS + " flows, IPv4",
                    Row.Bar.atMost(1.15));
        }
    }
}
