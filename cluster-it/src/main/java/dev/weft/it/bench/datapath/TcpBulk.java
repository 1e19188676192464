package dev.weft.it.bench.datapath;

import dev.weft.agent.lab.Commands;
import dev.weft.agent.lab.WeftProcess;
import dev.weft.agent.socket.Json;
import java.time.Duration;
import java.util.Map;

/** One TCP stream along a path, as fast as it goes: iperf3, the sender on CPU 0, the receiver on CPU 1. */
final class TcpBulk {
    private static final Duration START_LIMIT = Duration.ofSeconds(10);

    private final Path path;
    private final String to;

    /** @param cpuNanosPerByte of the whole machine, whatever it did */
    record Run(double bitsPerSecond, double cpuNanosPerByte) {}

    private TcpBulk(Path path, String to) {
        this.path = path;
        this.to = to;
    }

    /** The receiving end runs until the lab is taken down. */
    static TcpBulk open(BenchLab lab, Path path) {
        WeftProcess server = lab.program(path.receiver(), "iperf3-" + lab.nextNumber(), "iperf3", "-s", "--forceflush");
        server.awaitOutput("Server listening", START_LIMIT);
        return new TcpBulk(path, Address.of(path.receiver()).v4());
    }

    Run run(int seconds) {
        long before = CpuTime.machineNanos();
        Commands.Result said = path.sender()
                .run(
                        START_LIMIT.plusSeconds(seconds),
                        "iperf3",
                        "-c",
                        to,
                        "-t",
                        Integer.toString(seconds),
                        "-J",
                        "-A",
                        "0,1");
        long cpu = CpuTime.machineNanos() - before;
        if (!said.ok()) {
            throw new MeasureException(path + " carries no TCP: " + said.output());
        }
        if (Json.read(said.output()) instanceof Map<?, ?> all
                && all.get("end") instanceof Map<?, ?> end
                && end.get("sum_received") instanceof Map<?, ?> received
                && received.get("bytes") instanceof Number bytes
                && received.get("bits_per_second") instanceof Number rate
                && bytes.doubleValue() > 0) {
            return new Run(rate.doubleValue(), cpu / bytes.doubleValue());
        }
        throw new MeasureException("iperf3 says nothing of what was received over " + path + ": " + said.output());
    }
}
