package dev.weft.agent.demo;

import dev.weft.agent.lab.Lab;
import dev.weft.agent.lab.Underlay;
import dev.weft.base.NanoClock;
import java.io.IOException;
import java.io.PrintStream;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicBoolean;

/**
 * One run of the demo: the place it needs, the story, and cleaning up whatever happens. Ctrl-C cleans up in a shutdown
 * hook; after SIGKILL, {@link #clean()} does.
 */
public final class DemoRun {
    private static final String PREFIX = "weftdemo";
    private static final Path LOCK = Path.of("/run/weft-demo.lock");

    private final PrintStream out;
    private final Options options;

    /** What a demo may be about. */
    public enum Subject {
        /** Two tenants and their networks. */
        NETWORK(Demo::new),
        /** Services: by packets that name them, and by addresses. */
        SERVAL((network, checks, clock) -> new ServalDemo(network, checks, clock, false));

        private final Story.Teller teller;

        Subject(Story.Teller teller) {
            this.teller = teller;
        }
    }

    /**
     * @param datapath a kind by name, or auto
     * @param folder for logs and state; empty: a new one
     * @param keep leaves everything up
     */
    public record Options(Subject subject, String datapath, Underlay underlay, Optional<Path> folder, boolean keep) {}

    public DemoRun(PrintStream out, Options options) {
        this.out = out;
        this.options = options;
    }

    /** Returns whether every check held. @throws LabException when it cannot run here, with the reason */
    public boolean run() {
        String obstacle = Lab.obstacle();
        if (!obstacle.isEmpty()) {
            return UserNamespace.rerun(obstacle);
        }
        try (OneAtATime _ = OneAtATime.take(LOCK)) {
            return tell();
        }
    }

    private boolean tell() {
        List<String> leftovers = removeLeftovers();
        if (!leftovers.isEmpty()) {
            out.println("removed what an earlier demo left: " + String.join(", ", leftovers));
        }
        long begin = NanoClock.SYSTEM.nanoTime();
        var network = new DemoNetwork(PREFIX, folder(), options.datapath(), options.underlay());
        var closed = new AtomicBoolean();
        Runnable close = () -> {
            if (closed.compareAndSet(false, true)) {
                network.close();
            }
        };
        var hook = new Thread(close, "demo-clean-up");
        Runtime.getRuntime().addShutdownHook(hook);
        boolean held = false;
        try {
            Story demo = options.subject().teller.of(network, new Checks(out), NanoClock.SYSTEM);
            held = demo.tell();
            if (options.keep()) {
                closed.set(true);
                out.println("kept; try next:");
                demo.whatToTryNext().forEach(line -> out.println("  " + line));
                out.println("  ./weft demo --clean");
            }
        } catch (RuntimeException broken) {
            if (!closed.get()) {
                throw broken;
            }
            out.println("interrupted"); // Its machines were taken away from under the story.
        } finally {
            close.run();
            out.printf("%.1f s; logs in %s%n", (NanoClock.SYSTEM.nanoTime() - begin) / 1e9, network.folder());
        }
        return held;
    }

    /** Takes away what a killed or kept demo left; says what. */
    public static String clean() {
        try (OneAtATime _ = OneAtATime.take(LOCK)) {
            List<String> gone = removeLeftovers();
            return gone.isEmpty() ? "nothing to clean" : "removed " + String.join(", ", gone);
        }
    }

    private static List<String> removeLeftovers() {
        var gone = new ArrayList<>(Lab.removeLeftovers(PREFIX));
        gone.addAll(DemoNetwork.removeDatapaths(PREFIX));
        return gone;
    }

    private Path folder() {
        try {
            if (options.folder().isPresent()) {
                return Files.createDirectories(options.folder().get().toAbsolutePath());
            }
            return Files.createTempDirectory("weft-demo-");
        } catch (IOException e) {
            throw new UncheckedIOException("no folder for the demo", e);
        }
    }
}
