package dev.weft.it.bench;

import dev.weft.base.NanoClock;
import dev.weft.it.MemoryCloud;
import dev.weft.topology.TopologyException;
import dev.weft.topology.Transaction;
import dev.weft.topology.schema.Route;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.UUID;

/**
 * How long a change takes until packets feel it: from {@code apply} returned to the last packet that was treated the old
 * way. A route to one VM is blackholed and opened again while packets for it flow without a pause from one host to
 * another, bridge, router, bridge. Agents and store are whole, with ZooKeeper between them over TCP on loopback; the
 * packets travel in memory.
 */
public final class ChangeBench implements Benchmark {
    private static final int FULL_CHANGES = 300;
    private static final int WARM_UP_CHANGES = 40;
    private static final int CALIBRATE_EVERY = 25;
    private static final double NANOS_PER_MILLI = 1e6;

    private static final String NETWORK = """
            tenant: bench
            bridges: [{name: left}, {name: right, neighbours: [{address: 10.0.2.9, mac: "02:00:00:00:02:09"}]}]
            routers: [{name: router}]
            ports:
              - {name: a, bridge: left, host: h1, interface: a}
              - {name: b, bridge: right, host: h2, interface: b}
              - {name: left-up, bridge: left, peer: left-gateway}
              - {name: right-up, bridge: right, peer: right-gateway}
              - {name: left-gateway, router: router, mac: "02:00:00:00:ff:01", addresses: [10.0.1.1/24]}
              - {name: right-gateway, router: router, mac: "02:00:00:00:ff:02", addresses: [10.0.2.1/24]}
            """;

    @Override
    public String name() {
        return "change";
    }

    @Override
    public String about() {
        return "from `apply` returned to the last packet treated the old way";
    }

    @Override
    public List<String> rows() {
        return List.of("change-live", "apply", "zookeeper-watch");
    }

    @Override
    public List<Row> run(Plan plan, Progress progress) {
        try (var folder = ScratchFolder.make()) {
            progress.step("two agents in this process, ZooKeeper embedded");
            try (var cloud = MemoryCloud.start(folder.path(), "h1", "h2");
                    var watch = new WatchTrip(cloud.connectString())) {
                cloud.apply(NETWORK);
                try (var stream = PacketStream.start(cloud)) {
                    return measure(plan, progress, cloud, stream, watch);
                }
            }
        } catch (TopologyException | IOException refused) {
            return List.of(Row.couldNotRun("change-live", String.valueOf(refused.getMessage())));
        }
    }

    private static List<Row> measure(
            Plan plan, Progress progress, MemoryCloud cloud, PacketStream stream, WatchTrip watch) {
        boolean full = plan.full();
        var change = new RouteChange(cloud);
        var calibration = new Calibration();
        var live = new ArrayList<Double>();
        var applied = new ArrayList<Double>();
        var watched = new ArrayList<Double>();
        var steps = new ArrayList<Double>();
        int warmUp = full ? WARM_UP_CHANGES : 0;
        int changes = full ? FULL_CHANGES : 2;
        for (int i = 0; i < warmUp + changes; i++) {
            boolean open = i % 2 == 1;
            long begin = NanoClock.SYSTEM.nanoTime();
            change.set(open);
            long returned = NanoClock.SYSTEM.nanoTime();
            double lag = stream.nanosOtherwise(returned, open) / NANOS_PER_MILLI;
            double trip = Math.max(0, watch.nanos()) / NANOS_PER_MILLI;
            if (i >= warmUp) {
                live.add(lag);
                applied.add((returned - begin) / NANOS_PER_MILLI);
                watched.add(trip);
            }
            if (i % CALIBRATE_EVERY == 0) {
                steps.add(calibration.nanosPerStep());
                progress.step("change " + i + " of " + (warmUp + changes));
            }
        }
        String against = "zookeeper-watch, in the same rounds; " + changes
                + " changes; whole agents in one process over the memory datapath, ZooKeeper embedded";
        return List.of(
                Row.of("change-live", figures(live, "from apply returned"), against),
                Row.of(
                        "apply",
                        figures(applied, "to return"),
                        "the same changes: one transaction by a client of its own"),
                Row.of(
                        "zookeeper-watch",
                        figures(watched, "from write returned"),
                        "one bare ZooKeeper node: written by one client, watched and read by another"),
                Calibration.row(array(steps)));
    }

    private static List<Row.Figure> figures(List<Double> millis, String from) {
        double[] values = array(millis);
        return List.of(
                new Row.Figure(Figures.median(values), "ms p50 " + from, null),
                new Row.Figure(Figures.percentile(0.99, values), "ms p99", null));
    }

    private static double[] array(List<Double> values) {
        return values.stream().mapToDouble(Double::doubleValue).toArray();
    }

    /** Puts the blackhole in and takes it away. */
    private static final class RouteChange {
        private final MemoryCloud cloud;
        private final Route blackhole;

        RouteChange(MemoryCloud cloud) {
            this.cloud = cloud;
            var router = cloud.store().snapshot().routers().iterator().next();
            blackhole = Route.newBuilder()
                    .setId(UUID.randomUUID().toString())
                    .setName("blackhole")
                    .setTenantId(router.getTenantId())
                    .setRouterId(router.getId())
                    .setDestination("10.0.2.9/32")
                    .setAction(Route.Action.BLACKHOLE)
                    .build();
        }

        void set(boolean open) {
            var transaction = Transaction.builder();
            if (open) {
                transaction.delete(Route.class, UUID.fromString(blackhole.getId()));
            } else {
                transaction.put(blackhole);
            }
            cloud.store().apply(transaction.build());
        }
    }
}
