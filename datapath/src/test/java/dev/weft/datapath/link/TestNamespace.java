package dev.weft.datapath.link;

import dev.weft.datapath.kernel.Errno;
import dev.weft.datapath.kernel.Libc;
import java.nio.file.Path;
import org.junit.jupiter.api.Assumptions;

/**
 * A network namespace without a name: it is there as long as this holds it, and nothing of it stays behind. Other
 * programs reach it as {@link #outsidePath}.
 */
public final class TestNamespace implements AutoCloseable {
    private final int fd;

    private TestNamespace(int fd) {
        this.fd = fd;
    }

    /** Skips the calling test, with the reason, where namespaces may not be made. */
    public static TestNamespace create() {
        try {
            return new TestNamespace(NetworkNamespace.own().call(() -> {
                LinkException.check(Libc.unshare(Libc.CLONE_NEWNET), "make a network namespace");
                return new NetworkNamespace(Path.of("/proc/thread-self/ns/net")).open();
            }));
        } catch (LinkException refused) {
            Assumptions.assumeFalse(refused.is(Errno.EPERM), refused.getMessage());
            throw refused;
        }
    }

    public NetworkNamespace namespace() {
        return new NetworkNamespace(Path.of("/proc/self/fd/" + fd));
    }

    /** For ip(8) and nsenter(1) run by a test. */
    public Path outsidePath() {
        return Path.of("/proc/" + ProcessHandle.current().pid() + "/fd/" + fd);
    }

    @Override
    public void close() {
        Libc.close(fd);
    }
}
