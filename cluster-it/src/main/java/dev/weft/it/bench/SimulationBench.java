package dev.weft.it.bench;

import com.sun.management.ThreadMXBean;
import dev.weft.base.NanoClock;
import java.lang.management.ManagementFactory;
import java.util.List;

/**
 * What one new flow costs: from the frame in memory, through parser and simulator, to the outcome. Every frame is one
 * the flow cache did not know; no frame comes twice in a row, and 16,383 others come before it does again.
 */
public final class SimulationBench implements Benchmark {
    private static final int PACKETS = 1_000_000;

    private volatile int sink;

    @Override
    public String name() {
        return "simulation";
    }

    @Override
    public String about() {
        return "Time and memory of simulating one packet: one bridge, one router, bridge to router to bridge.";
    }

    @Override
    public List<String> rows() {
        return List.of("l2-ns", "routed-ns", "three-hop-ns", "allocation");
    }

    @Override
    public List<Row> run(Plan plan, Progress progress) {
        boolean smoke = !plan.full();
        int rounds = smoke ? 1 : 15;
        int packets = smoke ? SimulationWorkload.FRAMES : 20 * SimulationWorkload.FRAMES;
        progress.step("building: 256 machines, 1,000 routes, 3 x " + SimulationWorkload.FRAMES + " frames");
        var workload = new SimulationWorkload();
        var calibration = new Calibration();
        progress.step("warming up");
        for (int i = 0; i < (smoke ? 1 : 5); i++) {
            nanos(workload.l2, packets);
            nanos(workload.routed, packets);
            nanos(workload.threeHop, packets);
            calibration.nanosPerStep();
        }
        double[] l2 = new double[rounds];
        double[] routed = new double[rounds];
        double[] threeHop = new double[rounds];
        double[] steps = new double[rounds];
        for (int i = 0; i < rounds; i++) {
            progress.step("round " + (i + 1) + " of " + rounds);
            l2[i] = nanos(workload.l2, packets);
            routed[i] = nanos(workload.routed, packets);
            threeHop[i] = nanos(workload.threeHop, packets);
            steps[i] = calibration.nanosPerStep();
        }
        progress.step("counting bytes over " + PACKETS + " packets");
        double bytes = bytesPerPacket(workload);
        return List.of(
                row("l2-ns", l2, null, "known unicast, one bridge"),
                row("routed-ns", routed, Row.Bar.atMost(1000), "router port to router port, 1,000 routes"),
                row("three-hop-ns", threeHop, Row.Bar.atMost(2000), "bridge, router with 1,000 routes, bridge"),
                Row.of(
                        "allocation",
                        bytes,
                        "bytes/packet",
                        Row.Bar.atMost(0),
                        "the JVM's counter of this thread, 1,000,000 new flows of all three kinds"),
                Calibration.row(steps));
    }

    private static Row row(String name, double[] nanos, Row.@org.jspecify.annotations.Nullable Bar bar, String what) {
        return Row.of(
                name,
                List.of(
                        new Row.Figure(Figures.median(nanos), "ns/packet median", bar),
                        new Row.Figure(Figures.best(nanos), "ns/packet best", null)),
                what);
    }

    private double nanos(FrameWalk walk, int packets) {
        long begin = NanoClock.SYSTEM.nanoTime();
        sink += walk.run(packets);
        return (double) (NanoClock.SYSTEM.nanoTime() - begin) / packets;
    }

    /** The least of three runs: what the JVM charges a thread for once, when it recompiles, is no cost of a packet. */
    private double bytesPerPacket(SimulationWorkload workload) {
        var threads = (ThreadMXBean) ManagementFactory.getThreadMXBean();
        long counting = threads.getCurrentThreadAllocatedBytes();
        counting = threads.getCurrentThreadAllocatedBytes() - counting;
        long least = Long.MAX_VALUE;
        for (int run = 0; run < 3 && least > 0; run++) {
            long before = threads.getCurrentThreadAllocatedBytes();
            sink += workload.l2.run(PACKETS / 3);
            sink += workload.routed.run(PACKETS / 3);
            sink += workload.threeHop.run(PACKETS - 2 * (PACKETS / 3));
            least = Math.min(least, Math.max(0, threads.getCurrentThreadAllocatedBytes() - before - counting));
        }
        return (double) least / PACKETS;
    }
}
