package dev.weft.it.bench;

import dev.weft.base.Hashing;
import dev.weft.base.NanoClock;
import dev.weft.base.ServiceId;
import dev.weft.base.ServicePrefix;
import dev.weft.it.bench.datapath.InstanceDeath;
import dev.weft.it.bench.datapath.WireRows;
import dev.weft.sim.service.ServiceEntry;
import dev.weft.sim.service.ServiceRule;
import dev.weft.sim.service.ServiceTable;
import dev.weft.sim.service.ServiceTarget;
import dev.weft.topology.TopologyException;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.agrona.concurrent.ManyToOneConcurrentArrayQueue;
import org.jspecify.annotations.Nullable;

/** What a packet that names a service costs, and how its table keeps up with changes. */
public final class ServalBench implements Benchmark {
    private static final double NANOS_PER_MICRO = 1e3;
    /** Times as many packets: what a worker runs is compiled after some 20,000. */
    private static final int WARM_UP = 20;

    private static final int CONNECTIONS = 100_000;
    private static final int[] WEIGHTS = {1, 1, 2, 3, 5, 8};

    private final WireRows wire = WireRows.serval();
    private volatile long sink;

    @Override
    public String name() {
        return "serval";
    }

    @Override
    public String about() {
        return "Late binding of services against plain routing; service tables of 1,000,000 prefixes; instances that flap and"
                + " die.";
    }

    @Override
    public List<String> rows() {
        var names = new ArrayList<>(List.of(
                "late-binding",
                "flap",
                "table-lookup",
                "table-lookup-256",
                "table-update",
                "balance",
                "instance-death"));
        names.addAll(wire.names());
        return names;
    }

    @Override
    public List<Row> run(Plan plan, Progress progress) {
        boolean smoke = !plan.full();
        int prefixes = smoke ? 20_000 : 1_000_000;
        int rounds = smoke ? 1 : 11;
        var calibration = new Calibration();
        List<Double> steps = new ArrayList<>();
        List<Row> rows = new ArrayList<>();
        steps.add(calibration.nanosPerStep());
        if (plan.wants("late-binding") || plan.wants("flap")) {
            rows.addAll(trips(plan, progress));
            steps.add(calibration.nanosPerStep());
        }
        if (plan.wants("table-lookup")) {
            rows.add(lookup("table-lookup", prefixes, 16, 250, rounds, calibration, steps, progress));
        }
        if (plan.wants("table-lookup-256")) {
            rows.add(lookup("table-lookup-256", prefixes, 256, 1_000, rounds, calibration, steps, progress));
        }
        if (plan.wants("table-update")) {
            progress.step("changing rules while looking up");
            rows.add(update(prefixes, smoke ? 20_000 : 2_000_000));
        }
        if (plan.wants("balance")) {
            rows.add(balance());
        }
        if (plan.wants("instance-death")) {
            progress.step("killing instances in a lab of two hosts");
            rows.add(death(smoke ? 1 : 5));
        }
        rows.addAll(wire.run(plan, progress, steps::add));
        rows.add(Calibration.row(steps.stream().mapToDouble(step -> step).toArray()));
        return rows;
    }

    private static Row death(int kills) {
        String obstacle = InstanceDeath.obstacle();
        if (!obstacle.isEmpty()) {
            return Row.couldNotRun("instance-death", obstacle);
        }
        try (var folder = ScratchFolder.make()) {
            return InstanceDeath.measure(folder.path(), kills);
        }
    }

    private static List<Row> trips(Plan plan, Progress progress) {
        progress.step("an agent in this process, ZooKeeper embedded");
        try (var folder = ScratchFolder.make();
                var trips = new ServiceTrips(folder.path())) {
            List<Row> rows = new ArrayList<>();
            int packets = plan.full() ? 2_000 : 20;
            progress.step("first packets of connections");
            if (plan.wants("late-binding")) {
                rows.add(lateBinding(trips, packets));
            }
            if (plan.wants("flap")) {
                progress.step("an instance that comes and goes");
                rows.add(flap(trips, plan.full() ? 5 : 1));
            }
            return rows;
        } catch (IOException | TopologyException refused) {
            return List.of(Row.couldNotRun("late-binding", String.valueOf(refused.getMessage())));
        }
    }

    /** In turn, so that both meet the same machine. */
    private static Row lateBinding(ServiceTrips trips, int packets) {
        for (int i = 0; i < WARM_UP * packets; i++) {
            trips.nanos(trips.syn());
            trips.nanos(trips.udp());
        }
        double[] bound = new double[packets];
        double[] routed = new double[packets];
        for (int i = 0; i < packets; i++) {
            bound[i] = trips.nanos(trips.syn()) / NANOS_PER_MICRO;
            routed[i] = trips.nanos(trips.udp()) / NANOS_PER_MICRO;
        }
        double binding = Figures.median(bound);
        double routing = Figures.median(routed);
        return Row.of(
                "late-binding",
                List.of(
                        new Row.Figure(binding / routing, "times the routed", Row.Bar.atMost(1.2)),
                        new Row.Figure(binding, "us p50 resolved", null),
                        new Row.Figure(routing, "us p50 routed", null)),
                "first packets, plainly routed by one of two ways, through a whole agent over the memory datapath; "
                        + packets + " of each in turn");
    }

    private static Row flap(ServiceTrips trips, int seconds) throws IOException {
        double before = synMicros(trips, seconds);
        long first = trips.transaction();
        Thread flapping = trips.flap(TimeUnit.SECONDS.toNanos(seconds));
        double during = synMicros(trips, seconds);
        join(flapping);
        double writes = (trips.transaction() - first - 1) / (double) seconds;
        return Row.of(
                "flap",
                List.of(
                        new Row.Figure(writes, "writes/s to ZooKeeper", Row.Bar.atMost(10)),
                        new Row.Figure(during / before, "times others' latency", Row.Bar.atMost(1.2)),
                        new Row.Figure(during, "us p50 meanwhile", null),
                        new Row.Figure(before, "us p50 before", null)),
                "one instance registered and unregistered as fast as 1,000 times a second; others' first packets");
    }

    private static double synMicros(ServiceTrips trips, int seconds) {
        List<Double> micros = new ArrayList<>();
        long end = NanoClock.SYSTEM.nanoTime() + TimeUnit.SECONDS.toNanos(seconds);
        while (end - NanoClock.SYSTEM.nanoTime() > 0) {
            micros.add(trips.nanos(trips.syn()) / NANOS_PER_MICRO);
        }
        return Figures.median(micros.stream().mapToDouble(each -> each).toArray());
    }

    private Row lookup(
            String name,
            int prefixes,
            int lengths,
            double bar,
            int rounds,
            Calibration calibration,
            List<Double> steps,
            Progress progress) {
        progress.step("building a table of " + prefixes + " prefixes of " + lengths + " lengths");
        var workload = new ServiceWorkload(prefixes, lengths, 42);
        for (int i = 0; i < 5; i++) {
            sink += workload.lookUpAll();
        }
        double[] nanos = new double[rounds];
        for (int i = 0; i < rounds; i++) {
            progress.step("round " + (i + 1) + " of " + rounds);
            long begin = NanoClock.SYSTEM.nanoTime();
            sink += workload.lookUpAll();
            nanos[i] = (double) (NanoClock.SYSTEM.nanoTime() - begin) / ServiceWorkload.IDS;
            steps.add(calibration.nanosPerStep());
        }
        return Row.of(
                name,
                List.of(
                        new Row.Figure(Figures.median(nanos), "ns/lookup median", Row.Bar.atMost(bar)),
                        new Row.Figure(Figures.best(nanos), "ns/lookup best", null)),
                prefixes + " prefixes of " + lengths + " lengths, " + ServiceWorkload.IDS + " ids in turn");
    }

    /** One change of a rule on its way to the worker. */
    private record Change(ServicePrefix prefix, ServiceRule rule, boolean gone) {}

    /**
     * A thread sends changes as the control side does; the worker applies what has come between two lookups, and sees
     * each change with the lookup that follows.
     */
    private Row update(int prefixes, int changes) {
        var workload = new ServiceWorkload(prefixes, 16, 43);
        var queue = new ManyToOneConcurrentArrayQueue<Change>(4_096);
        Change[] prepared = prepare(workload, Math.min(changes, 1 << 18));
        var control = Thread.ofPlatform().name("bench-control").start(() -> {
            for (int i = 0; i < changes; i++) {
                while (!queue.offer(prepared[i % prepared.length])) {
                    Thread.onSpinWait();
                }
            }
        });
        int applied = 0;
        int unseen = 0;
        long lookups = 0;
        long begin = NanoClock.SYSTEM.nanoTime();
        while (applied < changes) {
            var change = queue.poll();
            if (change != null) {
                apply(workload.table, change);
                unseen += isSeen(workload.table, change) ? 0 : 1;
                applied++;
            }
            workload.lookUp((int) lookups++);
        }
        double seconds = (NanoClock.SYSTEM.nanoTime() - begin) / 1e9;
        join(control);
        return Row.of(
                "table-update",
                List.of(
                        new Row.Figure(changes / seconds, "changes/s", Row.Bar.atLeast(100_000)),
                        new Row.Figure(lookups / seconds, "lookups/s meanwhile", null),
                        new Row.Figure(unseen, "changes not seen by the next lookup", Row.Bar.atMost(0))),
                "one worker, " + prefixes + " prefixes, rules that come, change and go");
    }

    /** Of each prefix in turn: a rule with a higher priority comes, changes, and goes. */
    private static Change[] prepare(ServiceWorkload workload, int count) {
        var changes = new Change[count - count % 3];
        for (int i = 0; i < changes.length; i += 3) {
            var prefix = workload.prefixes[(int) Long.remainderUnsigned(Hashing.mix(i), workload.prefixes.length)];
            var target = ServiceTarget.forward(-1 - i);
            changes[i] = new Change(prefix, new ServiceRule(target, 10, 1), false);
            changes[i + 1] = new Change(prefix, new ServiceRule(target, 11, 2), false);
            changes[i + 2] = new Change(prefix, new ServiceRule(target, 11, 2), true);
        }
        return changes;
    }

    private static void apply(ServiceTable table, Change change) {
        if (change.gone) {
            table.remove(change.prefix, change.rule.target());
        } else {
            table.put(change.prefix, change.rule);
        }
    }

    private static boolean isSeen(ServiceTable table, Change change) {
        ServiceId id = change.prefix.id();
        @Nullable ServiceEntry entry = table.find(id);
        return entry != null && entry.choose(0).rule().equals(change.rule) != change.gone;
    }

    private static Row balance() {
        var table = new ServiceTable();
        var service = ServicePrefix.parse("0x00004001");
        int total = 0;
        for (int i = 0; i < WEIGHTS.length; i++) {
            table.put(service, new ServiceRule(ServiceTarget.forward(i), 1, WEIGHTS[i]));
            total += WEIGHTS[i];
        }
        var shares = new int[WEIGHTS.length];
        for (int connection = 0; connection < CONNECTIONS; connection++) {
            // As clients are: a few addresses, flow ids that count up.
            long hash = Hashing.combine(Hashing.combine(0x0a09_0001L + connection % 50, connection / 50 + 2), 0);
            if (table.find(service.id()) instanceof ServiceEntry entry) {
                shares[entry.choose(hash).rule().target().address()]++;
            }
        }
        double worst = 0;
        for (int i = 0; i < WEIGHTS.length; i++) {
            worst = Math.max(worst, Math.abs(100.0 * shares[i] / CONNECTIONS - 100.0 * WEIGHTS[i] / total));
        }
        return Row.of(
                "balance",
                worst,
                "percentage points off at most",
                Row.Bar.atMost(1),
                CONNECTIONS + " connections over instances of weights 1, 1, 2, 3, 5 and 8");
    }

    private static void join(Thread thread) {
        try {
            thread.join();
        } catch (InterruptedException interrupted) {
            Thread.currentThread().interrupt();
        }
    }
}
