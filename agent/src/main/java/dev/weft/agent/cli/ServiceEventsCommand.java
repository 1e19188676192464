package dev.weft.agent.cli;

import dev.weft.agent.socket.Json;
import dev.weft.base.NanoClock;
import java.io.PrintWriter;
import java.util.Map;
import java.util.concurrent.Callable;
import java.util.concurrent.TimeUnit;
import java.util.stream.Collectors;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/** {@code weft service events}: what a controller of services wants to know, one line for each event. */
@Command(
        name = "events",
        description = "Shows instances and services that packets wait for, as events; with --follow, all that happens"
                + " from then on. JSON is one object on each line.")
final class ServiceEventsCommand implements Callable<Integer> {
    private static final int MILLIS = 1000;

    @Mixin
    private SocketOptions socket = new SocketOptions();

    @Mixin
    private Output output = new Output();

    @Option(names = "--follow", description = "Goes on until it is stopped.")
    private boolean follow;

    @Option(names = "--seconds", paramLabel = "N", description = "With --follow: ends after so many seconds.")
    private int seconds;

    @Option(
            names = "--statistics",
            paramLabel = "MILLIS",
            description = "Rules and ports of this host with their counters, as an event each so often.")
    private int statistics;

    @Spec
    private CommandSpec spec = CommandSpec.create();

    @Override
    public Integer call() {
        long end = NanoClock.SYSTEM.nanoTime() + TimeUnit.SECONDS.toNanos(seconds);
        try (var stream = new EventStream(socket.open(), statistics)) {
            do {
                stream.next().forEach(this::show);
            } while (follow && (seconds == 0 || end - NanoClock.SYSTEM.nanoTime() > 0));
        }
        return ExitCode.OK;
    }

    private void show(Map<?, ?> event) {
        PrintWriter out = spec.commandLine().getOut();
        out.println(output.isJson() ? Json.write(event) : text(event));
        out.flush();
    }

    private static String text(Map<?, ?> event) {
        return event.get("at") + " " + event.get("event") + " "
                + event.entrySet().stream()
                        .filter(field ->
                                !field.getKey().equals("at") && !field.getKey().equals("event"))
                        .map(field -> field.getKey() + " " + field.getValue())
                        .collect(Collectors.joining(" "));
    }
}
