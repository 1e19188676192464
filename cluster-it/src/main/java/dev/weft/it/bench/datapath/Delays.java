package dev.weft.it.bench.datapath;

import static java.lang.foreign.ValueLayout.JAVA_LONG;

import dev.weft.agent.lab.Vm;
import dev.weft.base.NanoClock;
import dev.weft.datapath.bpf.BpfMap;
import dev.weft.datapath.bpf.BpfMapType;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.Arrays;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;

/**
 * How long numbered frames take from one VM's interface to another's: the sender notes when it hands each one to the
 * kernel, a program at the receiver's interface when it is there. Both read the same monotonic clock, and no thread has
 * to wake up to see a frame arrive.
 */
final class Delays implements AutoCloseable {
    private static final long SETTLE_NANOS = TimeUnit.MILLISECONDS.toNanos(500);

    private final Generator generator;
    private final BpfMap times;
    private final TcProgram stamp;
    private final Arena arena = Arena.ofShared();
    private final MemorySegment arrivedAt;
    private final long[] sentAt;

    /**
     * One run.
     *
     * @param nanos of those that arrived, ascending
     */
    record Run(long sent, double[] nanos) {
        long lost() {
            return sent - nanos.length;
        }
    }

    private Delays(Generator generator, BpfMap times, TcProgram stamp, int capacity) {
        this.generator = generator;
        this.times = times;
        this.stamp = stamp;
        arrivedAt = times.map(arena);
        sentAt = new long[capacity];
    }

    /** @param capacity frames of one run at most */
    static Delays open(Path path, int capacity) {
        return open(path, path.receiver(), capacity);
    }

    /** @param at the VM where frames are awaited: the receiver, or the sender for what comes back */
    static Delays open(Path path, Vm at, int capacity) {
        var times = BpfMap.create(BpfMapType.ARRAY, "weft_bench", 4, 8, capacity, BpfMap.MMAPABLE);
        try {
            var stamp = TcProgram.stampArrivals(at.namespace(), Vm.INTERFACE, times);
            return new Delays(Generator.open(path.sender().namespace(), Vm.INTERFACE), times, stamp, capacity);
        } catch (RuntimeException refused) {
            times.close();
            throw refused;
        }
    }

    /**
     * Sends for so long at this pace and waits until all have arrived, or no more come.
     *
     * @param frames numbered, none of them sent yet
     */
    Run run(Frames frames, long nanos, Generator.Pace pace) {
        arrivedAt.fill((byte) 0);
        long first = frames.number();
        long sent = generator.start(frames, nanos, pace, this::sending).join().packets();
        if (first != 0 || sent > sentAt.length) {
            throw new IllegalStateException("frames " + first + ".." + (first + sent) + " (expected within 0.."
                    + sentAt.length + "): take new frames for each run, and fewer");
        }
        long begin = NanoClock.SYSTEM.nanoTime();
        double[] delays = delays((int) sent);
        while (delays.length < sent && NanoClock.SYSTEM.nanoTime() - begin < SETTLE_NANOS) {
            LockSupport.parkNanos(TimeUnit.MILLISECONDS.toNanos(10));
            delays = delays((int) sent);
        }
        return new Run(sent, delays);
    }

    /** Of the last run's frames, those that came after one that was sent later (RFC 4737, 3.3). */
    long reordered(int sent) {
        long reordered = 0;
        long earliestLater = Long.MAX_VALUE;
        for (int i = sent - 1; i >= 0; i--) {
            long at = arrivedAt.getAtIndex(JAVA_LONG, i);
            if (at > earliestLater) {
                reordered++;
            } else if (at != 0) {
                earliestLater = at;
            }
        }
        return reordered;
    }

    /** When the last of the last run's frames to arrive did, monotonic; 0 when none did. */
    long lastArrival(int sent) {
        long last = 0;
        for (int i = 0; i < sent; i++) {
            last = Math.max(last, arrivedAt.getAtIndex(JAVA_LONG, i));
        }
        return last;
    }

    private void sending(long number, int count, long nanos) {
        int end = (int) Math.min(number + count, sentAt.length);
        Arrays.fill(sentAt, (int) Math.min(number, end), end, nanos);
    }

    private double[] delays(int sent) {
        double[] delays = new double[sent];
        int arrived = 0;
        for (int i = 0; i < sent; i++) {
            long at = arrivedAt.getAtIndex(JAVA_LONG, i);
            if (at != 0) {
                delays[arrived++] = at - sentAt[i];
            }
        }
        double[] all = Arrays.copyOf(delays, arrived);
        Arrays.sort(all);
        return all;
    }

    @Override
    public void close() {
        stamp.close();
        generator.close();
        arena.close();
        times.close();
    }
}
