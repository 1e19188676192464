package dev.weft.datapath.link;

import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;
import static java.lang.foreign.ValueLayout.JAVA_SHORT;

import dev.weft.base.NanoClock;
import dev.weft.datapath.kernel.Libc;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.function.Consumer;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Reports the links of any number of namespaces, whether these exist yet or not: first what is there, then each change.
 * An interface known as (namespace, name) is thus seen to appear, vanish and come back, be it alone or with its
 * namespace. Of namespaces that carry tunnels it also reports neighbours and routes.
 *
 * <p>One daemon thread polls all sockets and calls the listeners; these return soon and may call {@link #watch} and
 * {@link #unwatch}, as may any thread. Where the kernel dropped messages the whole state is read again. Names in a directory are followed by inotify(7) as a hint; what is there is
 * looked at again after each retry interval anyway.
 */
public final class LinkMonitor implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(LinkMonitor.class);
    private static final long SOON_NANOS = Duration.ofMillis(5).toNanos();
    // A name is created before the namespace is mounted on it, so the first refusals mean nothing.
    private static final int REFUSALS_WORTH_A_WORD = 8;
    // IN_MOVED_FROM | IN_MOVED_TO | IN_CREATE | IN_DELETE of sys/inotify.h.
    private static final int NAME_EVENTS = 0x40 | 0x80 | 0x100 | 0x200;
    private static final int POLL_ENTRY_LENGTH = 8; // struct pollfd: fd(32) events(16) returned(16)

    // Immutable after construction.
    private final Consumer<LinkEvent> listener;
    private final long retryNanos;
    private final NanoClock clock;
    private final int wakeFd;
    private final int inotifyFd;
    private final Thread thread;
    // Shared: written by anyone, emptied by the monitor thread.
    private final Queue<Runnable> commands = new ConcurrentLinkedQueue<>();
    private volatile boolean closing;
    // Guarded by this: nobody writes to a number that may be another file's by now.
    private boolean wakeable = true;
    // Owned by the monitor thread.
    private final Map<NetworkNamespace, NamespaceWatch> watched = new LinkedHashMap<>();
    private final Map<NetworkNamespace, NamespaceWatch> watchedPaths = new LinkedHashMap<>();
    private long nextLook;
    private int refusals;

    private LinkMonitor(Consumer<LinkEvent> listener, Duration retryInterval, NanoClock clock) {
        this.listener = listener;
        this.retryNanos = retryInterval.toNanos();
        this.clock = clock;
        this.wakeFd = LinkException.check(Libc.eventFd(), "make an eventfd");
        this.inotifyFd = LinkException.check(Libc.inotify(), "make an inotify descriptor");
        this.nextLook = clock.nanoTime() + retryNanos;
        this.thread = Thread.ofPlatform().daemon().name("link-monitor").unstarted(this::loop);
    }

    /** @param retryInterval after which namespaces are looked at again without any hint */
    public static LinkMonitor start(Consumer<LinkEvent> listener, Duration retryInterval) {
        if (retryInterval.compareTo(Duration.ofMillis(10)) < 0) {
            throw new IllegalArgumentException("retry interval " + retryInterval + " (expected at least PT0.01S)");
        }
        var monitor = new LinkMonitor(listener, retryInterval, NanoClock.SYSTEM);
        monitor.thread.start();
        return monitor;
    }

    /** Begins to report the namespace; again is no change. */
    public void watch(NetworkNamespace namespace) {
        submit(() -> watched.computeIfAbsent(
                namespace, absent -> new WatchedNamespace(absent, event -> report(listener, event))));
    }

    /**
     * Begins to report how the namespace reaches others: its neighbours and routes. Again is no change.
     *
     * @param pathListener called as the link listener is
     */
    public void watchPaths(NetworkNamespace namespace, Consumer<PathEvent> pathListener) {
        submit(() -> watchedPaths.computeIfAbsent(
                namespace, absent -> new WatchedPaths(absent, event -> report(pathListener, event))));
    }

    /** Ends reporting without further events. */
    public void unwatch(NetworkNamespace namespace) {
        submit(() -> {
            Optional.ofNullable(watched.remove(namespace)).ifPresent(NamespaceWatch::close);
            Optional.ofNullable(watchedPaths.remove(namespace)).ifPresent(NamespaceWatch::close);
        });
    }

    private List<NamespaceWatch> all() {
        var all = new ArrayList<>(watched.values());
        all.addAll(watchedPaths.values());
        return all;
    }

    private void submit(Runnable command) {
        commands.add(command);
        wake();
    }

    private synchronized void wake() {
        if (!wakeable) {
            return;
        }
        try (var arena = Arena.ofConfined()) {
            // Refused only when the counter is full, and then the thread is being woken already.
            Libc.write(wakeFd, arena.allocateFrom(JAVA_LONG, 1));
        }
    }

    private void loop() {
        try {
            while (!closing) {
                turn();
            }
        } finally {
            all().forEach(NamespaceWatch::close);
            Libc.close(inotifyFd);
            synchronized (this) {
                wakeable = false;
                Libc.close(wakeFd);
            }
        }
    }

    private void turn() {
        boolean commanded = false;
        for (var command = commands.poll(); command != null; command = commands.poll()) {
            command.run();
            commanded = true;
        }
        if (commanded || nextLook - clock.nanoTime() <= 0) {
            look();
        }
        var attached = new ArrayList<NamespaceWatch>();
        for (var one : all()) {
            if (one.fileDescriptor().isPresent()) {
                attached.add(one);
            }
        }
        try (var arena = Arena.ofConfined()) {
            var entries = arena.allocate((long) POLL_ENTRY_LENGTH * (attached.size() + 2), 8);
            expect(entries, 0, wakeFd);
            expect(entries, 1, inotifyFd);
            for (int i = 0; i < attached.size(); i++) {
                expect(entries, i + 2, attached.get(i).fileDescriptor().getAsInt());
            }
            long millis = Math.max(0, (nextLook - clock.nanoTime()) / 1_000_000 + 1);
            int ready = Libc.poll(entries.address(), attached.size() + 2, (int) Math.min(millis, Integer.MAX_VALUE));
            if (ready > 0) {
                serve(entries, attached);
            }
        }
    }

    private void serve(MemorySegment entries, ArrayList<NamespaceWatch> attached) {
        if (isReady(entries, 0)) {
            drain(wakeFd);
        }
        if (isReady(entries, 1)) {
            drain(inotifyFd);
            refusals = 0;
            nextLook = clock.nanoTime();
        }
        for (int i = 0; i < attached.size(); i++) {
            if (isReady(entries, i + 2)) {
                attempt(attached.get(i), attached.get(i)::read);
            }
        }
    }

    /** Compares what is there with what is attached, for all. */
    private void look() {
        nextLook = clock.nanoTime() + retryNanos;
        boolean settled = true;
        for (var one : all()) {
            followName(one.namespace().path().getParent());
            settled &= attempt(one, one::reconcile);
        }
        refusals = settled ? 0 : refusals + 1;
    }

    private boolean attempt(NamespaceWatch one, Runnable step) {
        try {
            step.run();
            return true;
        } catch (LinkException refused) {
            if (refusals == REFUSALS_WORTH_A_WORD) {
                LOG.warn("{} cannot be watched, will be tried again", one.namespace(), refused);
            }
            long delay = SOON_NANOS << Math.min(refusals, 20);
            nextLook = clock.nanoTime() + Math.min(retryNanos, delay);
            return false;
        }
    }

    /** A hint only: a directory that is not there, or cannot be followed (/proc), is looked at by the clock. */
    private void followName(Path directory) {
        if (!directory.startsWith("/proc")) {
            Libc.inotifyWatch(inotifyFd, directory.toString(), NAME_EVENTS);
        }
    }

    private static <E> void report(Consumer<E> to, E event) {
        try {
            to.accept(event);
        } catch (RuntimeException fault) {
            // One faulty listener call must not end the reports that follow.
            LOG.error("a listener failed on {}", event, fault);
        }
    }

    private static void expect(MemorySegment entries, int index, int fd) {
        entries.set(JAVA_INT, (long) index * POLL_ENTRY_LENGTH, fd);
        entries.set(JAVA_SHORT, (long) index * POLL_ENTRY_LENGTH + 4, Libc.POLLIN);
    }

    private static boolean isReady(MemorySegment entries, int index) {
        return entries.get(JAVA_SHORT, (long) index * POLL_ENTRY_LENGTH + 6) != 0;
    }

    private static void drain(int fd) {
        try (var arena = Arena.ofConfined()) {
            var scratch = arena.allocate(4096, 8);
            while (Libc.read(fd, scratch) > 0) {
                // an eventfd answers once, inotify until its queue is empty
            }
        }
    }

    /** Ends the thread and waits for it; from the listener it only asks it to end. No event follows. */
    @Override
    public void close() {
        if (closing) {
            return;
        }
        closing = true;
        wake();
        if (Thread.currentThread() == thread) {
            return;
        }
        boolean interrupted = false;
        while (thread.isAlive()) {
            try {
                thread.join();
            } catch (InterruptedException later) {
                interrupted = true;
            }
        }
        if (interrupted) {
            Thread.currentThread().interrupt();
        }
    }
}
