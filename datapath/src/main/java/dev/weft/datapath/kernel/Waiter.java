package dev.weft.datapath.kernel;

import static dev.weft.datapath.kernel.NativeCalls.impossible;
import static dev.weft.datapath.kernel.NativeCalls.ints;
import static dev.weft.datapath.kernel.NativeCalls.result;
import static dev.weft.datapath.kernel.NativeCalls.state;
import static dev.weft.datapath.kernel.NativeCalls.variadic;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import dev.weft.base.HotPath;
import dev.weft.base.WeftException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.invoke.MethodHandle;
import java.util.concurrent.atomic.AtomicInteger;

/**
 * Sleep of one thread until a descriptor is readable, another thread wakes it, or time is over: epoll(7) and
 * eventfd(2). {@link #await} belongs to one thread, {@link #wakeUp} to everybody; a wake-up is never lost, one that
 * comes while its thread is busy ends that thread's next sleep, and only one that finds it asleep costs a system call.
 */
public final class Waiter implements AutoCloseable {
    private static final int ADD = 1; // EPOLL_CTL_ADD
    private static final int REMOVE = 2;
    private static final int IN = 1; // EPOLLIN
    private static final int EDGE = 1 << 31; // EPOLLET: each write to the eventfd is told once, so nobody empties it
    private static final int CLOSE_ON_EXEC = 0x80000;
    private static final int MAX_EVENTS = 16;
    // struct epoll_event: events(32) data(64), 12 bytes on x86-64 and 16 elsewhere.
    private static final int EVENT_SIZE = 16;
    // By its number (one for all architectures): older C libraries lack the wrapper, epoll_wait only knows
    // milliseconds.
    private static final long EPOLL_PWAIT2 = 441;
    private static final int BUSY = 0;
    private static final int ASLEEP = 1;
    private static final int WOKEN = 2;

    private static final MethodHandle EPOLL_CREATE = ints("epoll_create1", JAVA_INT);
    private static final MethodHandle EPOLL_CONTROL = ints("epoll_ctl", JAVA_INT, JAVA_INT, JAVA_INT, JAVA_LONG);
    private static final MethodHandle EPOLL_WAIT = variadic(
            "syscall", 1, JAVA_LONG, JAVA_LONG, JAVA_LONG, JAVA_LONG, JAVA_LONG, JAVA_LONG, JAVA_LONG, JAVA_LONG);

    // Immutable after construction.
    private final Arena arena = Arena.ofShared();
    private final MemorySegment events = arena.allocate((long) EVENT_SIZE * MAX_EVENTS, 8);
    private final MemorySegment timeout = arena.allocate(16, 8); // struct timespec: seconds(64) nanoseconds(64)
    private final MemorySegment one = arena.allocateFrom(JAVA_LONG, 1);
    private final int epoll;
    private final int wakeFd;
    // Shared: BUSY and ASLEEP are written by the waiting thread, WOKEN by anyone.
    private final AtomicInteger mood = new AtomicInteger(BUSY);
    // Guarded by one: nobody writes to a number that may be another file's by now.
    private boolean closed;

    private Waiter(int epoll, int wakeFd) {
        this.epoll = epoll;
        this.wakeFd = wakeFd;
    }

    public static Waiter open() {
        int epoll = check(createEpoll(), "make an epoll descriptor");
        int wakeFd = Libc.eventFd();
        if (wakeFd < 0) {
            Libc.close(epoll);
        }
        var waiter = new Waiter(epoll, check(wakeFd, "make an eventfd"));
        check(waiter.control(ADD, wakeFd, IN | EDGE), "wait for an eventfd");
        return waiter;
    }

    /** From now on {@link #await} ends while this descriptor is readable. */
    public void add(int fd) {
        check(control(ADD, fd, IN), "wait for descriptor " + fd);
    }

    public void remove(int fd) {
        check(control(REMOVE, fd, IN), "no longer wait for descriptor " + fd);
    }

    /**
     * Sleeps until a descriptor is readable, {@link #wakeUp} is called or the time is over; at once when woken since the
     * last sleep. May also end for no reason.
     *
     * @return whether a descriptor or a wake-up ended it
     */
    @HotPath
    public boolean await(long nanos) {
        if (!mood.compareAndSet(BUSY, ASLEEP)) {
            mood.set(BUSY);
            return true;
        }
        timeout.set(JAVA_LONG, 0, nanos / 1_000_000_000);
        timeout.set(JAVA_LONG, 8, nanos % 1_000_000_000);
        var state = state();
        long ready;
        try {
            ready = result(
                    (long) EPOLL_WAIT.invokeExact(
                            state,
                            EPOLL_PWAIT2,
                            (long) epoll,
                            events.address(),
                            (long) MAX_EVENTS,
                            timeout.address(),
                            0L,
                            8L),
                    state);
        } catch (Throwable thrown) {
            throw impossible(thrown);
        }
        boolean woken = mood.getAndSet(BUSY) == WOKEN;
        return woken || ready > 0;
    }

    /** Ends the sleep of the waiting thread, or its next one. */
    public void wakeUp() {
        if (mood.getAndSet(WOKEN) != ASLEEP) {
            return;
        }
        synchronized (one) {
            if (!closed) {
                Libc.write(wakeFd, one); // refused only when the counter is full, and then it is awake
            }
        }
    }

    private int control(int operation, int fd, int interest) {
        try (var local = Arena.ofConfined()) {
            var event = local.allocate(EVENT_SIZE, 8);
            event.set(JAVA_INT, 0, interest);
            var state = state();
            return result((int) EPOLL_CONTROL.invokeExact(state, epoll, operation, fd, event.address()), state);
        } catch (Throwable thrown) {
            throw impossible(thrown);
        }
    }

    private static int createEpoll() {
        var state = state();
        try {
            return result((int) EPOLL_CREATE.invokeExact(state, CLOSE_ON_EXEC), state);
        } catch (Throwable thrown) {
            throw impossible(thrown);
        }
    }

    private static int check(int result, String tried) {
        if (result < 0) {
            throw new WeftException(tried + ": " + Errno.describe(-result, ""));
        }
        return result;
    }

    /** Not while the waiting thread is inside {@link #await}: wake it and join it first. */
    @Override
    public void close() {
        synchronized (one) {
            if (closed) {
                return;
            }
            closed = true;
            Libc.close(wakeFd);
            Libc.close(epoll);
            arena.close();
        }
    }
}
