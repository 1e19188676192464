package dev.weft.datapath.link;

import static java.lang.foreign.ValueLayout.ADDRESS;
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
 * The C library's system calls. Each returns what the kernel itself would: the result, or {@code -errno}. Safe from any
 * thread. Data pointers travel as {@code long} addresses so that a call allocates nothing; the caller has checked the
 * range and keeps the segment alive.
 */
final class Libc {
    static final int AF_UNSPEC = 0;
    static final int AF_INET = 2;
    static final int AF_INET6 = 10;
    static final int AF_NETLINK = 16;
    static final int AF_PACKET = 17;
    static final int SOCK_RAW = 3;
    static final int SOCK_NONBLOCK = 0x800;
    static final int SOCK_CLOEXEC = 0x80000;
    static final int SOL_SOCKET = 1;
    static final int SO_RCVTIMEO = 20;
    static final int SO_RCVBUFFORCE = 33;
    static final int O_RDONLY = 0;
    static final int O_CLOEXEC = 0x80000;
    static final int CLONE_NEWNET = 0x4000_0000;
    static final int MSG_TRUNC = 0x20;
    static final short POLLIN = 1;
    static final int NONBLOCK_CLOEXEC = SOCK_NONBLOCK | SOCK_CLOEXEC;

    private static final Linker LINKER = Linker.nativeLinker();
    private static final MemoryLayout CAPTURE = Linker.Option.captureStateLayout();
    private static final long ERRNO_OFFSET = CAPTURE.byteOffset(PathElement.groupElement("errno"));
    private static final ThreadLocal<MemorySegment> STATE =
            ThreadLocal.withInitial(() -> Arena.ofAuto().allocate(CAPTURE));

    private static final MethodHandle SOCKET = ints("socket", JAVA_INT, JAVA_INT, JAVA_INT);
    private static final MethodHandle BIND = ints("bind", JAVA_INT, JAVA_LONG, JAVA_INT);
    private static final MethodHandle CLOSE = ints("close", JAVA_INT);
    private static final MethodHandle SEND = longs("send", JAVA_INT, JAVA_LONG, JAVA_LONG, JAVA_INT);
    private static final MethodHandle RECV_FROM =
            longs("recvfrom", JAVA_INT, JAVA_LONG, JAVA_LONG, JAVA_INT, JAVA_LONG, JAVA_LONG);
    private static final MethodHandle RECV_MSG = longs("recvmsg", JAVA_INT, JAVA_LONG, JAVA_INT);
    private static final MethodHandle READ = longs("read", JAVA_INT, JAVA_LONG, JAVA_LONG);
    private static final MethodHandle WRITE = longs("write", JAVA_INT, JAVA_LONG, JAVA_LONG);
    private static final MethodHandle POLL = ints("poll", JAVA_LONG, JAVA_LONG, JAVA_INT);
    private static final MethodHandle SETSOCKOPT =
            ints("setsockopt", JAVA_INT, JAVA_INT, JAVA_INT, JAVA_LONG, JAVA_INT);
    private static final MethodHandle SETNS = ints("setns", JAVA_INT, JAVA_INT);
    private static final MethodHandle UNSHARE = ints("unshare", JAVA_INT);
    private static final MethodHandle EVENTFD = ints("eventfd", JAVA_INT, JAVA_INT);
    private static final MethodHandle INOTIFY_INIT = ints("inotify_init1", JAVA_INT);
    private static final MethodHandle INOTIFY_ADD = ints("inotify_add_watch", JAVA_INT, ADDRESS, JAVA_INT);
    private static final MethodHandle OPEN = LINKER.downcallHandle(
            LINKER.defaultLookup().findOrThrow("open"),
            FunctionDescriptor.of(JAVA_INT, ADDRESS, JAVA_INT),
            Linker.Option.captureCallState("errno"),
            Linker.Option.firstVariadicArg(2));
    private static final MethodHandle IOCTL = LINKER.downcallHandle(
            LINKER.defaultLookup().findOrThrow("ioctl"),
            FunctionDescriptor.of(JAVA_INT, JAVA_INT, JAVA_LONG, JAVA_LONG),
            Linker.Option.captureCallState("errno"),
            Linker.Option.firstVariadicArg(2));

    private Libc() {}

    private static MethodHandle ints(String name, MemoryLayout... arguments) {
        return bind(name, FunctionDescriptor.of(JAVA_INT, arguments));
    }

    private static MethodHandle longs(String name, MemoryLayout... arguments) {
        return bind(name, FunctionDescriptor.of(JAVA_LONG, arguments));
    }

    private static MethodHandle bind(String name, FunctionDescriptor descriptor) {
        return LINKER.downcallHandle(
                LINKER.defaultLookup().findOrThrow(name), descriptor, Linker.Option.captureCallState("errno"));
    }

    private static int result(int returned, MemorySegment state) {
        return returned >= 0 ? returned : -state.get(JAVA_INT, ERRNO_OFFSET);
    }

    private static long result(long returned, MemorySegment state) {
        return returned >= 0 ? returned : -state.get(JAVA_INT, ERRNO_OFFSET);
    }

    private static AssertionError impossible(Throwable thrown) {
        return new AssertionError("a system call does not throw", thrown);
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

    static int close(int fd) {
        var state = STATE.get();
        try {
            return result((int) CLOSE.invokeExact(state, fd), state);
        } catch (Throwable thrown) {
            throw impossible(thrown);
        }
    }

    static long send(int fd, long buffer, long length, int flags) {
        var state = STATE.get();
        try {
            return result((long) SEND.invokeExact(state, fd, buffer, length, flags), state);
        } catch (Throwable thrown) {
            throw impossible(thrown);
        }
    }

    static long receiveFrom(int fd, long buffer, long length, int flags, long address, long addressLength) {
        var state = STATE.get();
        try {
            return result(
                    (long) RECV_FROM.invokeExact(state, fd, buffer, length, flags, address, addressLength), state);
        } catch (Throwable thrown) {
            throw impossible(thrown);
        }
    }

    /** @param header address of a struct msghdr */
    static long receiveMessage(int fd, long header, int flags) {
        var state = STATE.get();
        try {
            return result((long) RECV_MSG.invokeExact(state, fd, header, flags), state);
        } catch (Throwable thrown) {
            throw impossible(thrown);
        }
    }

    static long read(int fd, MemorySegment into) {
        var state = STATE.get();
        try {
            return result((long) READ.invokeExact(state, fd, into.address(), into.byteSize()), state);
        } catch (Throwable thrown) {
            throw impossible(thrown);
        }
    }

    static long write(int fd, MemorySegment from) {
        var state = STATE.get();
        try {
            return result((long) WRITE.invokeExact(state, fd, from.address(), from.byteSize()), state);
        } catch (Throwable thrown) {
            throw impossible(thrown);
        }
    }

    /** @param entries address of an array of struct pollfd */
    static int poll(long entries, int count, int timeoutMillis) {
        var state = STATE.get();
        try {
            return result((int) POLL.invokeExact(state, entries, (long) count, timeoutMillis), state);
        } catch (Throwable thrown) {
            throw impossible(thrown);
        }
    }

    static int setOption(int fd, int level, int name, MemorySegment value) {
        var state = STATE.get();
        try {
            return result(
                    (int) SETSOCKOPT.invokeExact(state, fd, level, name, value.address(), (int) value.byteSize()),
                    state);
        } catch (Throwable thrown) {
            throw impossible(thrown);
        }
    }

    static int setOption(int fd, int level, int name, int value) {
        try (var arena = Arena.ofConfined()) {
            return setOption(fd, level, name, arena.allocateFrom(JAVA_INT, value));
        }
    }

    static int setNamespace(int fd, int kind) {
        var state = STATE.get();
        try {
            return result((int) SETNS.invokeExact(state, fd, kind), state);
        } catch (Throwable thrown) {
            throw impossible(thrown);
        }
    }

    static int unshare(int kind) {
        var state = STATE.get();
        try {
            return result((int) UNSHARE.invokeExact(state, kind), state);
        } catch (Throwable thrown) {
            throw impossible(thrown);
        }
    }

    static int eventFd() {
        var state = STATE.get();
        try {
            return result((int) EVENTFD.invokeExact(state, 0, NONBLOCK_CLOEXEC), state);
        } catch (Throwable thrown) {
            throw impossible(thrown);
        }
    }

    static int inotify() {
        var state = STATE.get();
        try {
            return result((int) INOTIFY_INIT.invokeExact(state, NONBLOCK_CLOEXEC), state);
        } catch (Throwable thrown) {
            throw impossible(thrown);
        }
    }

    static int inotifyWatch(int fd, String directory, int events) {
        var state = STATE.get();
        try (var arena = Arena.ofConfined()) {
            return result((int) INOTIFY_ADD.invokeExact(state, fd, arena.allocateFrom(directory), events), state);
        } catch (Throwable thrown) {
            throw impossible(thrown);
        }
    }

    static int open(String path, int flags) {
        var state = STATE.get();
        try (var arena = Arena.ofConfined()) {
            return result((int) OPEN.invokeExact(state, arena.allocateFrom(path), flags), state);
        } catch (Throwable thrown) {
            throw impossible(thrown);
        }
    }

    static int ioctl(int fd, long request, MemorySegment argument) {
        var state = STATE.get();
        try {
            return result((int) IOCTL.invokeExact(state, fd, request, argument.address()), state);
        } catch (Throwable thrown) {
            throw impossible(thrown);
        }
    }
}
