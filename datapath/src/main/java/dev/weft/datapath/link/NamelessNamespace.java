package dev.weft.datapath.link;

import dev.weft.datapath.kernel.Libc;
import java.nio.file.Path;

/**
 * A network namespace of this process's own making, with an interface {@code lo} and nothing else. It has no name: it
 * ends, and every link in it, when it is closed or its process is gone, and the last socket in it is closed.
 */
public final class NamelessNamespace implements AutoCloseable {
    private static final String CURRENT = "/proc/thread-self/ns/net";

    private final int fd;

    private NamelessNamespace(int fd) {
        this.fd = fd;
    }

    /** @throws LinkException when this process may not make one (CAP_SYS_ADMIN) */
    public static NamelessNamespace make() {
        // A thread of its own: it is in the new namespace for the rest of its life.
        return NetworkNamespace.own().<NamelessNamespace, RuntimeException>call(() -> {
            LinkException.check(Libc.unshare(Libc.CLONE_NEWNET), "make a network namespace");
            return new NamelessNamespace(LinkException.check(
                    Libc.open(CURRENT, Libc.O_RDONLY | Libc.O_CLOEXEC), "open a new network namespace"));
        });
    }

    /** Where it is found, by this process alone and until it is closed. */
    public NetworkNamespace place() {
        return new NetworkNamespace(Path.of("/proc/self/fd/" + fd));
    }

    @Override
    public void close() {
        Libc.close(fd);
    }
}
