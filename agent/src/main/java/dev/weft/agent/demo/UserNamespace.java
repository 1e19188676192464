package dev.weft.agent.demo;

import dev.weft.agent.lab.LabException;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;

/** Where this process is not root: the same command once more, as root of a user namespace of its own. */
final class UserNamespace {
    /** Set for the inner run, so that a refusal there is final. */
    private static final String INSIDE = "WEFT_USER_NAMESPACE";

    private static final int PATIENCE_SECONDS = 2;

    private UserNamespace() {}

    /**
     * Runs this very command line inside and returns whether it succeeded.
     *
     * @throws LabException when the kernel or the system's settings refuse, with the obstacle that led here
     */
    static boolean rerun(String obstacle) {
        if (System.getenv(INSIDE) != null) {
            throw new LabException("the demo cannot run in a user namespace either: " + obstacle + "; run it as root");
        }
        if (!allowed()) {
            throw new LabException("the demo needs network namespaces: " + obstacle
                    + "; user namespaces are refused on this system too (unshare --user --net); run it as root");
        }
        // A private /run, where ip keeps its names; the process namespace ends everything with the demo.
        var command = new ArrayList<>(List.of(
                "unshare",
                "--user",
                "--map-root-user",
                "--mount",
                "--net",
                "--pid",
                "--fork",
                "--kill-child",
                "--mount-proc",
                "sh",
                "-c",
                "mount -t tmpfs tmpfs /run && exec \"$@\"",
                "weft"));
        ProcessHandle.Info self = ProcessHandle.current().info();
        command.add(self.command().orElseThrow());
        command.addAll(List.of(self.arguments().orElse(new String[0])));
        try {
            var builder = new ProcessBuilder(command).inheritIO();
            builder.environment().put(INSIDE, "1");
            Process inside = builder.start();
            // The inner namespace of processes, and with it everything, ends when its first process is killed.
            Runtime.getRuntime().addShutdownHook(new Thread(() -> end(inside), "demo-inside-end"));
            return inside.waitFor() == 0;
        } catch (IOException e) {
            throw new LabException("cannot start 'unshare': " + e.getMessage() + " (package util-linux)", e);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new LabException("interrupted", e);
        }
    }

    /** Ctrl-C has reached it too and it cleans up by itself; another signal has not. */
    private static void end(Process inside) {
        try {
            if (!inside.waitFor(PATIENCE_SECONDS, TimeUnit.SECONDS)) {
                inside.destroyForcibly().waitFor();
            }
        } catch (InterruptedException e) {
            inside.destroyForcibly();
            Thread.currentThread().interrupt();
        }
    }

    private static boolean allowed() {
        try {
            return new ProcessBuilder("unshare", "--user", "--map-root-user", "--mount", "--net", "true")
                            .redirectErrorStream(true)
                            .redirectOutput(ProcessBuilder.Redirect.DISCARD)
                            .start()
                            .waitFor()
                    == 0;
        } catch (IOException absent) {
            throw new LabException("cannot start 'unshare': " + absent.getMessage() + " (package util-linux)", absent);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new LabException("interrupted", e);
        }
    }
}
