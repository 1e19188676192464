package dev.weft.it.bench.datapath;

import dev.weft.agent.lab.Commands;
import dev.weft.agent.lab.WeftProcess;
import dev.weft.agent.socket.Json;
import java.time.Duration;
import java.util.Map;

/**
 * One TCP stream along a path, as fast as it goes: iperf3, the sender on CPU 0, the receiver on CPU 1, both before
 * whatever else the machine does.
 */
final class TcpBulk {
    private static final double NANOS_PER_SECOND = 1e9;
    private static final Duration START_LIMIT = Duration.ofSeconds(10);

    private final Path path;
    private final String to;

    /**
     * One run.
     *
     * @param cpuNanosPerByte user and system time of both ends, softirqs that ran in them included
     * @param machineNanosPerByte of the whole machine, whatever else it did
     */
    record Run(double bitsPerSecond, double cpuNanosPerByte, double machineNanosPerByte) {}

    private TcpBulk(Path path, String to) {
        this.path = path;
        this.to = to;
    }

    /** The receiving end runs until the lab is taken down. */
    static TcpBulk open(BenchLab lab, Path path) {
        WeftProcess server = lab.program(
                path.receiver(), "iperf3-" + lab.nextNumber(), "nice", "-n", "-20", "iperf3", "-s", "--forceflush");
        server.awaitOutput("Server listening", START_LIMIT);
        return new TcpBulk(path, Address.of(path.receiver()).v4());
    }

    Run run(int seconds) {
        long before = CpuTime.machineNanos();
        Commands.Result said = path.sender()
                .run(
                        START_LIMIT.plusSeconds(seconds),
                        "nice",
                        "-n",
                        "-20",
                        "iperf3",
                        "-c",
                        to,
                        "-t",
                        Integer.toString(seconds),
                        "-J",
                        "-A",
                        "0,1");
        double machine = CpuTime.machineNanos() - before;
        if (!said.ok()) {
            throw new MeasureException(path + " carries no TCP: " + said.output());
        }
        if (Json.read(said.output()) instanceof Map<?, ?> all && all.get("end") instanceof Map<?, ?> end) {
            double bytes = number(end, "sum_received", "bytes");
            double busy = (number(end, "cpu_utilization_percent", "host_total")
                            + number(end, "cpu_utilization_percent", "remote_total"))
                    / 100
                    * number(end, "sum_sent", "seconds");
            if (bytes > 0) {
                return new Run(
                        number(end, "sum_received", "bits_per_second"),
                        busy * NANOS_PER_SECOND / bytes,
                        machine / bytes);
            }
        }
        throw new MeasureException("iperf3 says nothing of what was received over " + path + ": " + said.output());
    }

    private static double number(Map<?, ?> end, String group, String name) {
        return end.get(group) instanceof Map<?, ?> values && values.get(name) instanceof Number number
                ? number.doubleValue()
                : 0;
    }
}
