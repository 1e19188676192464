package dev.weft.it.bench.datapath;

import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_SHORT;

import dev.weft.base.NanoClock;
import dev.weft.base.WeftException;
import dev.weft.datapath.kernel.CpuAffinity;
import dev.weft.datapath.kernel.Errno;
import dev.weft.datapath.kernel.Libc;
import dev.weft.datapath.link.NetworkNamespace;
import java.lang.foreign.Arena;
import java.lang.management.ManagementFactory;
import java.lang.management.ThreadMXBean;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.locks.LockSupport;
import java.util.function.Supplier;

/**
 * Sends frames out of an interface of a VM as fast as one CPU can: a packet socket past the queueing discipline, {@link
 * Frames#BATCH} frames a call. Not thread safe.
 */
final class Generator implements AutoCloseable {
    /** Generators send on this CPU. */
    static final int CPU = 0;

    private static final int SOL_PACKET = 263;
    private static final int PACKET_QDISC_BYPASS = 20;
    private static final NanoClock CLOCK = NanoClock.SYSTEM;
    private static final ThreadMXBean THREADS = ManagementFactory.getThreadMXBean();

    private final int socket;

    /**
     * What was sent and what it cost.
     *
     * @param cpuNanos user and system time of the sending thread; of a packet socket past the queueing discipline each
     *     frame's softirq runs in it before the next frame is sent
     */
    record Sent(long packets, long cpuNanos, long wallNanos) {}

    /**
     * How fast to send.
     *
     * @param perSecond packets, evenly
     * @param parks whether the CPU is left to others between two batches of at most 1 ms; else it waits for each packet's
     *     moment
     */
    record Pace(long perSecond, boolean parks) {
        static final Pace UNLIMITED = new Pace(Long.MAX_VALUE, false);

        private static final long PARK_NANOS = 1_000_000;

        private long allowed(long elapsedNanos) {
            return perSecond == Long.MAX_VALUE ? perSecond : (long) (perSecond * (elapsedNanos / 1e9)) + 1;
        }

        private void await() {
            if (parks) {
                LockSupport.parkNanos(PARK_NANOS);
            } else {
                Thread.onSpinWait();
            }
        }
    }

    private Generator(int socket) {
        this.socket = socket;
    }

    static Generator open(String namespace, String interfaceName) {
        int index = Interfaces.index(namespace, interfaceName);
        return new Generator(NetworkNamespace.named(namespace).call(() -> openSocket(index)));
    }

    private static int openSocket(int ifindex) {
        // Protocol 0: nothing is received.
        int fd = MeasureException.check(
                Libc.socket(Libc.AF_PACKET, Libc.SOCK_RAW | Libc.SOCK_CLOEXEC, 0), "open a packet socket");
        try (var arena = Arena.ofConfined()) {
            var address = arena.allocate(20, 4); // struct sockaddr_ll: family(16) protocol(16) index(32) ..
            address.set(JAVA_SHORT, 0, (short) Libc.AF_PACKET);
            address.set(JAVA_INT, 4, ifindex);
            MeasureException.check(Libc.bind(fd, address), "bind a packet socket to interface " + ifindex);
            MeasureException.check(
                    Libc.setOption(fd, SOL_PACKET, PACKET_QDISC_BYPASS, 1),
                    "let a packet socket pass by the queueing discipline");
            return fd;
        } catch (MeasureException refused) {
            Libc.close(fd);
            throw refused;
        }
    }

    /** Hears of each batch right before it is sent: the number of its first frame, how many, and the monotonic time. */
    @FunctionalInterface
    interface Log {
        void sending(long number, int count, long nanos);
    }

    static final Log SILENT = (number, count, nanos) -> {};

    /** Sends for so long, on a thread of its own bound to {@link #CPU}, and returns when it is done. */
    Sent send(Frames frames, long nanos, Pace pace) {
        return start(frames, nanos, pace, SILENT).join();
    }

    /** Sends so many frames. */
    Sent send(Frames frames, int count, Pace pace) {
        return start(() -> sendHere(frames, Long.MAX_VALUE, count, pace, SILENT))
                .join();
    }

    /** As {@link #send}, without waiting. One at a time. */
    Sending start(Frames frames, long nanos, Pace pace, Log log) {
        return start(() -> sendHere(frames, nanos, Long.MAX_VALUE, pace, log));
    }

    private static Sending start(Supplier<Sent> sender) {
        var sent = new CompletableFuture<Sent>();
        Thread.ofPlatform().daemon().name("bench-generator").start(() -> {
            try {
                sent.complete(sender.get());
            } catch (Throwable thrown) {
                sent.completeExceptionally(thrown);
            }
        });
        return new Sending(sent);
    }

    /** A sending under way. */
    record Sending(CompletableFuture<Sent> sent) {
        Sent join() {
            try {
                return sent.join();
            } catch (CompletionException failed) {
                if (failed.getCause() instanceof WeftException refused) {
                    throw refused;
                }
                throw failed;
            }
        }
    }

    private Sent sendHere(Frames frames, long nanos, long most, Pace pace, Log log) {
        MeasureException.check(CpuAffinity.pin(CPU), "bind a thread to processor " + CPU);
        long packets = 0;
        long cpuBefore = THREADS.getCurrentThreadCpuTime();
        long begin = CLOCK.nanoTime();
        long elapsed = 0;
        while (elapsed < nanos && packets < most) {
            long allowed = Math.min(pace.allowed(elapsed), most) - packets;
            if (allowed > 0) {
                int count = (int) Math.min(allowed, Frames.BATCH);
                long messages = frames.nextBatch(count);
                log.sending(frames.number(), count, CLOCK.nanoTime());
                packets += sendBatch(frames, messages, count);
            } else {
                pace.await();
            }
            elapsed = CLOCK.nanoTime() - begin;
        }
        return new Sent(packets, THREADS.getCurrentThreadCpuTime() - cpuBefore, elapsed);
    }

    private int sendBatch(Frames frames, long messages, int count) {
        int sent = Libc.sendMany(socket, messages, count, 0);
        if (Errno.ENOBUFS.is(sent) || Errno.EAGAIN.is(sent)) {
            return 0; // a queue behind the interface is full for now
        }
        frames.advance(MeasureException.check(sent, "send frames"));
        return sent;
    }

    @Override
    public void close() {
        Libc.close(socket);
    }
}
