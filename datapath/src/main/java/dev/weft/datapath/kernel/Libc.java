package dev.weft.datapath.kernel;

import static dev.weft.datapath.kernel.NativeCalls.impossible;
import static dev.weft.datapath.kernel.NativeCalls.ints;
import static dev.weft.datapath.kernel.NativeCalls.longs;
import static dev.weft.datapath.kernel.NativeCalls.result;
import static dev.weft.datapath.kernel.NativeCalls.state;
import static dev.weft.datapath.kernel.NativeCalls.variadic;
import static java.lang.foreign.ValueLayout.ADDRESS;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.invoke.MethodHandle;

/**
 * The C library's system calls. Each returns what the kernel itself would: the result, or {@code -errno}. Safe from any
 * thread. Data pointers travel as {@code long} addresses so that a call allocates nothing; the caller has checked the
 * range and keeps the segment alive.
 */
public final class Libc {
    public static final int AF_UNSPEC = 0;
    public static final int AF_INET = 2;
    public static final int AF_INET6 = 10;
    public static final int AF_NETLINK = 16;
    public static final int AF_PACKET = 17;
    public static final int SOCK_RAW = 3;
    public static final int SOCK_NONBLOCK = 0x800;
    public static final int SOCK_CLOEXEC = 0x80000;
    public static final int SOL_SOCKET = 1;
    public static final int SO_RCVTIMEO = 20;
    public static final int SO_RCVBUFFORCE = 33;
    public static final int O_RDONLY = 0;
    public static final int O_CLOEXEC = 0x80000;
    public static final int CLONE_NEWNET = 0x4000_0000;
    public static final int MSG_TRUNC = 0x20;
    public static final short POLLIN = 1;
    public static final int NONBLOCK_CLOEXEC = SOCK_NONBLOCK | SOCK_CLOEXEC;

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
    private static final MethodHandle OPEN = variadic("open", 2, JAVA_INT, ADDRESS, JAVA_INT);
    private static final MethodHandle IOCTL = variadic("ioctl", 2, JAVA_INT, JAVA_INT, JAVA_LONG, JAVA_LONG);
    private static final MethodHandle FCNTL = variadic("fcntl", 2, JAVA_INT, JAVA_INT, JAVA_INT, JAVA_LONG);
    private static final MethodHandle SYSCALL =
            variadic("syscall", 1, JAVA_LONG, JAVA_LONG, JAVA_LONG, JAVA_LONG, JAVA_LONG);
    private static final MethodHandle SEND_MANY = ints("sendmmsg", JAVA_INT, JAVA_LONG, JAVA_INT, JAVA_INT);

    private static final int DUPLICATE_CLOSE_ON_EXEC = 1030; // F_DUPFD_CLOEXEC

    private Libc() {}

    public static int socket(int family, int type, int protocol) {
        var state = state();
        try {
            return result((int) SOCKET.invokeExact(state, family, type, protocol), state);
        } catch (Throwable thrown) {
            throw impossible(thrown);
        }
    }

    public static int bind(int fd, MemorySegment address) {
        var state = state();
        try {
            return result((int) BIND.invokeExact(state, fd, address.address(), (int) address.byteSize()), state);
        } catch (Throwable thrown) {
            throw impossible(thrown);
        }
    }

    public static int close(int fd) {
        var state = state();
        try {
            return result((int) CLOSE.invokeExact(state, fd), state);
        } catch (Throwable thrown) {
            throw impossible(thrown);
        }
    }

    /** Another descriptor of the same open file, closed on its own. */
    public static int duplicate(int fd) {
        var state = state();
        try {
            return result((int) FCNTL.invokeExact(state, fd, DUPLICATE_CLOSE_ON_EXEC, 0L), state);
        } catch (Throwable thrown) {
            throw impossible(thrown);
        }
    }

    public static long send(int fd, long buffer, long length, int flags) {
        var state = state();
        try {
            return result((long) SEND.invokeExact(state, fd, buffer, length, flags), state);
        } catch (Throwable thrown) {
            throw impossible(thrown);
        }
    }

    public static long receiveFrom(int fd, long buffer, long length, int flags, long address, long addressLength) {
        var state = state();
        try {
            return result(
                    (long) RECV_FROM.invokeExact(state, fd, buffer, length, flags, address, addressLength), state);
        } catch (Throwable thrown) {
            throw impossible(thrown);
        }
    }

    /** @param header address of a struct msghdr */
    public static long receiveMessage(int fd, long header, int flags) {
        var state = state();
        try {
            return result((long) RECV_MSG.invokeExact(state, fd, header, flags), state);
        } catch (Throwable thrown) {
            throw impossible(thrown);
        }
    }

    public static long read(int fd, MemorySegment into) {
        var state = state();
        try {
            return result((long) READ.invokeExact(state, fd, into.address(), into.byteSize()), state);
        } catch (Throwable thrown) {
            throw impossible(thrown);
        }
    }

    public static long write(int fd, MemorySegment from) {
        var state = state();
        try {
            return result((long) WRITE.invokeExact(state, fd, from.address(), from.byteSize()), state);
        } catch (Throwable thrown) {
            throw impossible(thrown);
        }
    }

    /** @param entries address of an array of struct pollfd */
    public static int poll(long entries, int count, int timeoutMillis) {
        var state = state();
        try {
            return result((int) POLL.invokeExact(state, entries, (long) count, timeoutMillis), state);
        } catch (Throwable thrown) {
            throw impossible(thrown);
        }
    }

    public static int setOption(int fd, int level, int name, MemorySegment value) {
        var state = state();
        try {
            return result(
                    (int) SETSOCKOPT.invokeExact(state, fd, level, name, value.address(), (int) value.byteSize()),
                    state);
        } catch (Throwable thrown) {
            throw impossible(thrown);
        }
    }

    public static int setOption(int fd, int level, int name, int value) {
        try (var arena = Arena.ofConfined()) {
            return setOption(fd, level, name, arena.allocateFrom(JAVA_INT, value));
        }
    }

    public static int setNamespace(int fd, int kind) {
        var state = state();
        try {
            return result((int) SETNS.invokeExact(state, fd, kind), state);
        } catch (Throwable thrown) {
            throw impossible(thrown);
        }
    }

    public static int unshare(int kind) {
        var state = state();
        try {
            return result((int) UNSHARE.invokeExact(state, kind), state);
        } catch (Throwable thrown) {
            throw impossible(thrown);
        }
    }

    public static int eventFd() {
        var state = state();
        try {
            return result((int) EVENTFD.invokeExact(state, 0, NONBLOCK_CLOEXEC), state);
        } catch (Throwable thrown) {
            throw impossible(thrown);
        }
    }

    public static int inotify() {
        var state = state();
        try {
            return result((int) INOTIFY_INIT.invokeExact(state, NONBLOCK_CLOEXEC), state);
        } catch (Throwable thrown) {
            throw impossible(thrown);
        }
    }

    public static int inotifyWatch(int fd, String directory, int events) {
        var state = state();
        try (var arena = Arena.ofConfined()) {
            return result((int) INOTIFY_ADD.invokeExact(state, fd, arena.allocateFrom(directory), events), state);
        } catch (Throwable thrown) {
            throw impossible(thrown);
        }
    }

    public static int open(String path, int flags) {
        var state = state();
        try (var arena = Arena.ofConfined()) {
            return result((int) OPEN.invokeExact(state, arena.allocateFrom(path), flags), state);
        } catch (Throwable thrown) {
            throw impossible(thrown);
        }
    }

    public static int ioctl(int fd, long request, MemorySegment argument) {
        var state = state();
        try {
            return result((int) IOCTL.invokeExact(state, fd, request, argument.address()), state);
        } catch (Throwable thrown) {
            throw impossible(thrown);
        }
    }

    /** A system call of three arguments by its number on this architecture. */
    public static long call(long number, long first, long second, long third) {
        var state = state();
        try {
            return result((long) SYSCALL.invokeExact(state, number, first, second, third), state);
        } catch (Throwable thrown) {
            throw impossible(thrown);
        }
    }

    /**
     * Sends several messages by one call.
     *
     * @param messages address of an array of struct mmsghdr
     * @return how many were sent
     */
    public static int sendMany(int fd, long messages, int count, int flags) {
        var state = state();
        try {
            return result((int) SEND_MANY.invokeExact(state, fd, messages, count, flags), state);
        } catch (Throwable thrown) {
            throw impossible(thrown);
        }
    }
}
