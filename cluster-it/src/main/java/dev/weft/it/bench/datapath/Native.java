package dev.weft.it.bench.datapath;

import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemoryLayout;
import java.lang.foreign.MemoryLayout.PathElement;
import java.lang.foreign.MemorySegment;
import java.lang.invoke.MethodHandle;

/**
 * The system calls that only measuring needs. Each returns what the kernel would: the result, or {@code -errno}. Safe
 * from any thread; pointers travel as addresses, and the caller keeps the memory alive.
 */
final class Native {
    static final int AF_PACKET = 17;
    static final int SOCK_RAW = 3;
    static final int SOCK_CLOEXEC = 0x80000;
    static final int SOL_PACKET = 263;
    static final int PACKET_QDISC_BYPASS = 20;
    static final int EAGAIN = 11;
    static final int ENOBUFS = 105;

    private static final int CLOCK_THREAD_CPUTIME_ID = 3;
    private static final long NANOS_PER_SECOND = 1_000_000_000L;
    private static final long CPU_SET_BYTES = 128; // CPU_SETSIZE / 8, sched.h
    private static final long SYS_BPF = System.getProperty("os.arch").equals("aarch64") ? 280 : 321;

    private static final Linker LINKER = Linker.nativeLinker();
    private static final MemoryLayout CAPTURE = Linker.Option.captureStateLayout();
    private static final long ERRNO_OFFSET = CAPTURE.byteOffset(PathElement.groupElement("errno"));
    private static final ThreadLocal<MemorySegment> STATE =
            ThreadLocal.withInitial(() -> Arena.ofAuto().allocate(CAPTURE));
    private static final ThreadLocal<MemorySegment> TIME =
            ThreadLocal.withInitial(() -> Arena.ofAuto().allocate(16, 8)); // struct timespec

    private static final MethodHandle SOCKET = bind("socket", JAVA_INT, JAVA_INT, JAVA_INT);
    private static final MethodHandle BIND = bind("bind", JAVA_INT, JAVA_LONG, JAVA_INT);
    private static final MethodHandle SET_OPTION =
            bind("setsockopt", JAVA_INT, JAVA_INT, JAVA_INT, JAVA_LONG, JAVA_INT);
    private static final MethodHandle SEND_MMSG = bind("sendmmsg", JAVA_INT, JAVA_LONG, JAVA_INT, JAVA_INT);
    private static final MethodHandle CLOSE = bind("close", JAVA_INT);
    private static final MethodHandle SET_AFFINITY = bind("sched_setaffinity", JAVA_INT, JAVA_LONG, JAVA_LONG);
    private static final MethodHandle GET_TIME = bind("clock_gettime", JAVA_INT, JAVA_LONG);
    private static final MethodHandle SYSCALL = LINKER.downcallHandle(
            LINKER.defaultLookup().findOrThrow("syscall"),
            FunctionDescriptor.of(JAVA_LONG, JAVA_LONG, JAVA_INT, JAVA_LONG, JAVA_INT),
            Linker.Option.captureCallState("errno"),
            Linker.Option.firstVariadicArg(1));

    private Native() {}

    private static MethodHandle bind(String name, MemoryLayout... arguments) {
        return LINKER.downcallHandle(
                LINKER.defaultLookup().findOrThrow(name),
                FunctionDescriptor.of(JAVA_INT, arguments),
                Linker.Option.captureCallState("errno"));
    }

    private static int result(long returned, MemorySegment state) {
        return (int) (returned >= 0 ? returned : -state.get(JAVA_INT, ERRNO_OFFSET));
    }

    private static AssertionError impossible(Throwable thrown) {
        return new AssertionError("a system call does not throw", thrown);
    }

    /** The result itself. @throws MeasureException when it is {@code -errno} */
    static int check(int result, String what) {
        if (result < 0) {
            throw new MeasureException(what + " failed with errno " + -result);
        }
        return result;
    }

    static int socket(int family, int type, int protocol) {
        var state = STATE.get();
        try {
            return result((int) SOCKET.invokeExact(state, family, type, protocol), state);
        } catch (Throwable thrown) {
            throw impossible(thrown);
        }
    }

    static int bind(int fd, MemorySegment address) {
        var state = STATE.get();
        try {
            return result((int) BIND.invokeExact(state, fd, address.address(), (int) address.byteSize()), state);
        } catch (Throwable thrown) {
            throw impossible(thrown);
        }
    }

    static int setOption(int fd, int level, int name, int value) {
        var state = STATE.get();
        try (var arena = Arena.ofConfined()) {
            var memory = arena.allocateFrom(JAVA_INT, value);
            return result((int) SET_OPTION.invokeExact(state, fd, level, name, memory.address(), 4), state);
        } catch (Throwable thrown) {
            throw impossible(thrown);
        }
    }

    /** @param messages address of an array of struct mmsghdr */
    static int sendMany(int fd, long messages, int count) {
        var state = STATE.get();
        try {
            return result((int) SEND_MMSG.invokeExact(state, fd, messages, count, 0), state);
        } catch (Throwable thrown) {
            throw impossible(thrown);
        }
    }

    static int close(int fd) {
        var state = STATE.get();
        try {
            return result((int) CLOSE.invokeExact(state, fd), state);
        } catch (Throwable thrown) {
            throw impossible(thrown);
        }
    }

    /** Binds the calling thread, which must be a platform thread of the caller's own, to one CPU. */
    static void pin(int cpu) {
        var state = STATE.get();
        try (var arena = Arena.ofConfined()) {
            var set = arena.allocate(CPU_SET_BYTES, 8);
            set.set(JAVA_LONG, cpu / 64 * 8L, 1L << cpu % 64);
            check(
                    result((int) SET_AFFINITY.invokeExact(state, 0, CPU_SET_BYTES, set.address()), state),
                    "binding a thread to CPU " + cpu);
        } catch (MeasureException refused) {
            throw refused;
        } catch (Throwable thrown) {
            throw impossible(thrown);
        }
    }

    /** User and system time of the calling thread, in nanoseconds. */
    static long threadCpuNanos() {
        var state = STATE.get();
        var time = TIME.get();
        try {
            check(
                    result((int) GET_TIME.invokeExact(state, CLOCK_THREAD_CPUTIME_ID, time.address()), state),
                    "reading the thread's CPU time");
        } catch (MeasureException refused) {
            throw refused;
        } catch (Throwable thrown) {
            throw impossible(thrown);
        }
        return time.get(JAVA_LONG, 0) * NANOS_PER_SECOND + time.get(JAVA_LONG, 8);
    }

    /** bpf(2) with a union bpf_attr. */
    static int bpf(int command, MemorySegment attributes) {
        var state = STATE.get();
        try {
            return result(
                    (long) SYSCALL.invokeExact(
                            state, SYS_BPF, command, attributes.address(), (int) attributes.byteSize()),
                    state);
        } catch (Throwable thrown) {
            throw impossible(thrown);
        }
    }
}
