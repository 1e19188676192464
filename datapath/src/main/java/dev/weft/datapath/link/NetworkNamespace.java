package dev.weft.datapath.link;

import dev.weft.datapath.kernel.Errno;
import dev.weft.datapath.kernel.Libc;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.Optional;

/**
 * Where a network namespace is found. It need not exist (yet): a name may come, go and come back as another namespace,
 * so two values are equal when they look in the same place, and {@link #identity()} tells what is there now.
 *
 * @param path of the namespace's file: a bind mount under /run/netns or /proc/PID/ns/net
 */
public record NetworkNamespace(Path path) {
    /** Where ip-netns(8) and container runtimes keep names. */
    public static final Path DIRECTORY = Path.of("/run/netns");

    // The process's main thread never enters another namespace; /proc/thread-self would depend on the caller.
    private static final NetworkNamespace OWN = new NetworkNamespace(Path.of("/proc/self/ns/net"));

    // The calling thread's, whatever that is just now.
    private static final NetworkNamespace CURRENT = new NetworkNamespace(Path.of("/proc/thread-self/ns/net"));

    public NetworkNamespace {
        if (!path.isAbsolute() || path.getFileName() == null) {
            throw new IllegalArgumentException("network namespace path '" + path
                    + "' (expected an absolute path; for one of " + DIRECTORY + " its bare name)");
        }
    }

    /** Which namespace it is to the kernel: device and inode of its nsfs file, unique while it lives. */
    public record Identity(long device, long inode) {}

    /** What runs inside a namespace. */
    @FunctionalInterface
    public interface Body<T, X extends Exception> {
        T call() throws X;
    }

    /** The one this process runs in. */
    public static NetworkNamespace own() {
        return OWN;
    }

    /** One that ip-netns(8) knows by this name. */
    public static NetworkNamespace named(String name) {
        if (name.isEmpty() || name.contains("/") || name.equals(".") || name.equals("..")) {
            throw new IllegalArgumentException(
                    "network namespace name '" + name + "' (expected a file name in " + DIRECTORY + ")");
        }
        return new NetworkNamespace(DIRECTORY.resolve(name));
    }

    /** Empty for the process's own, an absolute path, or a name under /run/netns. */
    public static NetworkNamespace parse(String text) {
        if (text.isEmpty()) {
            return own();
        }
        return text.startsWith("/") ? new NetworkNamespace(Path.of(text)) : named(text);
    }

    /** What is there now; empty when nothing is. */
    public Optional<Identity> identity() {
        try {
            var attributes = Files.readAttributes(path, "unix:dev,ino");
            return Optional.of(new Identity((long) attributes.get("dev"), (long) attributes.get("ino")));
        } catch (NoSuchFileException absent) {
            return Optional.empty();
        } catch (IOException unreadable) {
            var refusal = new LinkException(this + " cannot be looked at: " + unreadable.getMessage());
            refusal.initCause(unreadable);
            throw refusal;
        }
    }

    public boolean exists() {
        return identity().isPresent();
    }

    /**
     * Runs the body on a platform thread of its own inside the namespace and waits for it. Sockets it opens stay there
     * for life and may be used from any thread afterwards. An interrupt is kept for the caller until the body is done.
     *
     * @throws LinkException when there is no such namespace or it may not be entered
     * @throws X what the body throws
     */
    public <T, X extends Exception> T call(Body<T, X> body) throws X {
        var visit = new Visit<>(this, body);
        var thread =
                Thread.ofPlatform().daemon().name("netns-" + path.getFileName()).unstarted(visit);
        thread.start();
        boolean interrupted = false;
        while (true) {
            try {
                thread.join();
                break;
            } catch (InterruptedException later) {
                interrupted = true;
            }
        }
        if (interrupted) {
            Thread.currentThread().interrupt();
        }
        return visit.outcome();
    }

    /** {@link #call} without a result. */
    public void run(Runnable body) {
        this.<Boolean, RuntimeException>call(() -> {
            body.run();
            return true;
        });
    }

    /** A descriptor of the namespace, which keeps it alive; the caller closes it. */
    int open() {
        int fd = Libc.open(path.toString(), Libc.O_RDONLY | Libc.O_CLOEXEC);
        if (Errno.ENOENT.is(fd)) {
            throw LinkException.of(-fd, this + " does not exist (no file " + path + ")");
        }
        return LinkException.check(fd, "open " + this);
    }

    @Override
    public String toString() {
        return equals(OWN)
                ? "own network namespace"
                : "network namespace " + (DIRECTORY.equals(path.getParent()) ? path.getFileName() : path);
    }

    /** One stay inside: fields are written by the visiting thread and read after it has been joined. */
    private static final class Visit<T, X extends Exception> implements Runnable {
        private final NetworkNamespace namespace;
        private final Body<T, X> body;
        private Optional<T> result = Optional.empty();
        private Optional<Throwable> failure = Optional.empty();

        Visit(NetworkNamespace namespace, Body<T, X> body) {
            this.namespace = namespace;
            this.body = body;
        }

        @Override
        public void run() {
            try {
                enter();
                result = Optional.of(body.call());
            } catch (Throwable thrown) {
                failure = Optional.of(thrown); // rethrown to the caller by outcome()
            }
        }

        private void enter() {
            // A new thread is where its maker was. Staying needs no right, so an unprivileged process can still look.
            if (namespace.equals(OWN) && namespace.identity().equals(CURRENT.identity())) {
                return;
            }
            int fd = namespace.open();
            int entered = Libc.setNamespace(fd, Libc.CLONE_NEWNET);
            Libc.close(fd);
            LinkException.check(entered, "enter " + namespace);
        }

        @SuppressWarnings("unchecked")
        T outcome() throws X {
            if (failure.isPresent()) {
                switch (failure.get()) {
                    case RuntimeException unchecked -> throw unchecked;
                    case Error error -> throw error;
                    case Throwable declared -> throw (X) declared; // the compiler let the body throw X only
                }
            }
            return result.orElseThrow();
        }
    }
}
