package dev.weft.agent.cli;

import java.io.IOException;
import java.io.PrintWriter;
import java.io.Writer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.stream.Stream;

/**
 * What the launcher has a fresh build do once, while the JVM takes notes for its start cache: a store, an agent on the
 * memory datapath and a few commands, all in this process. Only the classes that get loaded
 * matter, so a command that fails here fails nothing.
 */
public final class Rehearsal {
    private static final int PATIENCE_SECONDS = 15;
    private static final String PACKET = "udp 10.0.1.5:1000 > 10.0.2.9:53 ttl 64";
    private static final String NETWORK = """
            tenant: rehearsal
            bridges: [{name: left}, {name: right}]
            routers: [{name: r}]
            ports:
              - {name: vm, bridge: left, host: rehearsal, interface: vm}
              - {name: left-r, bridge: left, peer: r-left}
              - {name: right-r, bridge: right, peer: r-right}
              - {name: r-left, router: r, addresses: [10.0.1.1/24, "fd00:1::1/64"]}
              - {name: r-right, router: r, addresses: [10.0.2.1/24]}
            """;

    private final PrintWriter nowhere = new PrintWriter(Writer.nullWriter());
    private final PrintWriter errors = new PrintWriter(System.err, true);

    private Rehearsal() {}

    /** @param args {@code offline} or {@code cluster}, and a new folder, which the caller removes */
    public static void main(String[] args) throws IOException {
        var rehearsal = new Rehearsal();
        Path folder = Path.of(args[1]);
        Path network = Files.writeString(folder.resolve("network.yaml"), NETWORK);
        rehearsal.offline(network);
        if (args[0].equals("cluster")) {
            rehearsal.cluster(folder, network);
        }
        System.exit(0);
    }

    private void offline(Path network) {
        weft("--help");
        weft("trace", "-f", network.toString(), "--port", "vm", PACKET);
    }

    private void cluster(Path folder, Path network) {
        String store = readyValue(
                "store",
                serve("store", "--port", "0", "--data", folder.resolve("store").toString()));
        if (store.isEmpty()) {
            return;
        }
        String socket = folder.resolve("agent.sock").toString();
        serve(
                List.of("agent", "--name", "rehearsal", "--underlay", "192.0.2.1", "--store", store),
                List.of("--datapath", "memory", "--state-dir", folder.toString(), "--socket", socket));
        weft("apply", "--store", store, "--wait", "-f", network.toString());
        weft("get", "--store", store, "ports");
        weft("hosts", "--store", store, "-o", "json");
        weft("status", "--socket", socket);
        weft("flows", "--socket", socket);
        weft("trace", "--socket", socket, "--port", "vm", PACKET);
    }

    private void weft(String... arguments) {
        Weft.run(nowhere, errors, arguments);
    }

    private String serve(List<String> first, List<String> more) {
        return serve(Stream.concat(first.stream(), more.stream()).toArray(String[]::new));
    }

    /** Starts a command that serves. Returns the line by which it says that it is ready, or nothing. */
    private String serve(String... arguments) {
        var ready = new CompletableFuture<String>();
        var out = new PrintWriter(new ReadyLine(ready));
        Thread thread = Thread.ofPlatform().daemon().name(arguments[0]).start(() -> {
            Weft.run(out, errors, arguments);
            ready.complete("");
        });
        try {
            return ready.get(PATIENCE_SECONDS, TimeUnit.SECONDS);
        } catch (TimeoutException | ExecutionException late) {
            errors.println(thread.getName() + " did not get ready: " + late);
            return "";
        } catch (InterruptedException stop) {
            Thread.currentThread().interrupt();
            return "";
        }
    }

    /** The value of {@code name=value} in a line. */
    private static String readyValue(String name, String line) {
        return Stream.of(line.split(" "))
                .filter(word -> word.startsWith(name + "="))
                .map(word -> word.substring(name.length() + 1).strip())
                .findFirst()
                .orElse("");
    }

    /** Keeps what is written until it holds a whole line that begins with {@code ready}. */
    private static final class ReadyLine extends Writer {
        private final StringBuilder text = new StringBuilder();
        private final CompletableFuture<String> ready;

        ReadyLine(CompletableFuture<String> ready) {
            this.ready = ready;
        }

        @Override
        public void write(char[] from, int offset, int length) {
            text.append(from, offset, length);
            text.toString()
                    .lines()
                    .filter(line -> line.startsWith("ready ") && text.indexOf("\n") > 0)
                    .findFirst()
                    .ifPresent(ready::complete);
        }

        @Override
        public void flush() {}

        @Override
        public void close() {}
    }
}
