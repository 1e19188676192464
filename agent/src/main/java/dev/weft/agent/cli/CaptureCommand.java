package dev.weft.agent.cli;

import dev.weft.agent.socket.ControlClient;
import dev.weft.base.NanoClock;
import dev.weft.sim.trace.PacketExpression;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.UncheckedIOException;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.time.ZoneId;
import java.time.format.DateTimeFormatter;
import java.util.Base64;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** {@code weft datapath capture}: the frames of a port, live. */
@Command(
        name = "capture",
        description = "Shows the frames of a port as they come from its VM and as they go to it.",
        footer = "%nExamples:%n  weft datapath capture acme/vm1 tcp port 80%n"
                + "  weft datapath capture acme/vm1 -w vm1.pcap --seconds 10")
final class CaptureCommand implements Callable<Integer> {
    private static final DateTimeFormatter TIME =
            DateTimeFormatter.ofPattern("HH:mm:ss.SSSSSS").withZone(ZoneId.systemDefault());

    @Mixin
    private SocketOptions socket = new SocketOptions();

    @Parameters(index = "0", paramLabel = "PORT", description = "TENANT/NAME, NAME or an id.")
    private String port = "";

    @Parameters(
            index = "1..*",
            arity = "0..*",
            paramLabel = "WORD",
            description = "Only such packets: udp, dst 10.0.2.0/24, port 53, not arp, ...")
    private List<String> filter = List.of();

    @Option(
            names = {"-w", "--write"},
            paramLabel = "FILE",
            description = "Writes a pcap file instead of lines.")
    private Optional<Path> file = Optional.empty();

    @Option(
            names = {"-c", "--count"},
            paramLabel = "N",
            defaultValue = "1000",
            description = "Ends after so many frames. Default: 1000.")
    private int count = 1000;

    @Option(
            names = "--seconds",
            paramLabel = "N",
            defaultValue = "60",
            description = "Ends after so many seconds. Default: 60.")
    private int seconds = 60;

    @Spec
    private CommandSpec spec = CommandSpec.create();

    @Override
    public Integer call() {
        try (ControlClient agent = socket.open()) {
            Map<String, Object> started =
                    agent.call("capture-start", Map.of("port", port, "filter", String.join(" ", filter)));
            var id = Map.of("id", String.valueOf(started.get("id")));
            try (var pcap = file.isPresent() ? PcapFile.create(file.get()) : null) {
                int taken = copy(agent, id, pcap);
                Object missed = agent.call("capture-stop", id).get("missed");
                spec.commandLine().getErr().println(taken + " frames, " + missed + " missed");
            } catch (IOException e) {
                throw new UncheckedIOException(file + " cannot be written", e);
            }
        }
        return ExitCode.OK;
    }

    private int copy(ControlClient agent, Map<String, String> id, @Nullable PcapFile pcap) throws IOException {
        long end = NanoClock.SYSTEM.nanoTime() + Duration.ofSeconds(seconds).toNanos();
        int taken = 0;
        while (taken < count && end - NanoClock.SYSTEM.nanoTime() > 0) {
            Object frames = agent.call("capture-read", id).getOrDefault("frames", List.of());
            for (Object each : (List<?>) frames) {
                if (taken == count) {
                    break;
                }
                show((Map<?, ?>) each, pcap);
                taken++;
            }
        }
        return taken;
    }

    private void show(Map<?, ?> frame, @Nullable PcapFile pcap) throws IOException {
        var at = Instant.ofEpochSecond(number(frame, "seconds"), number(frame, "nanos"));
        byte[] octets = Base64.getDecoder().decode(String.valueOf(frame.get("octets")));
        if (pcap != null) {
            pcap.add(at, octets);
            return;
        }
        PrintWriter out = spec.commandLine().getOut();
        String way = Boolean.TRUE.equals(frame.get("from-vm")) ? "from" : "to  ";
        out.println(TIME.format(at) + " " + way + " " + PacketExpression.summary(octets));
        out.flush();
    }

    private static long number(Map<?, ?> frame, String name) {
        return frame.get(name) instanceof Number number ? number.longValue() : 0;
    }
}
