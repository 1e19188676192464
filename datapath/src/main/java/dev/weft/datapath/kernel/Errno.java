package dev.weft.datapath.kernel;

/** The errors of errno(3) Weft meets, with what a person can do about them. Numbers are asm-generic/errno.h. */
public enum Errno {
    EPERM(
            1,
            "not permitted",
            "needs CAP_NET_ADMIN (CAP_NET_RAW for packet sockets, CAP_SYS_ADMIN to enter a"
                    + " namespace): run as root or in a user namespace of your own"),
    ENOENT(2, "no such file or entry", "check the name"),
    ESRCH(3, "no such entry", "nothing there to delete"),
    EINTR(4, "interrupted", "try again"),
    E2BIG(7, "too big", "the argument list, table or program is over the kernel's limit"),
    EBADF(9, "not an open file descriptor", "it was closed"),
    ENXIO(6, "no such device or address", "the interface went away; bind again when it is back"),
    EAGAIN(11, "nothing there now", "try again later"),
    ENOMEM(12, "out of memory", "free memory or raise the limit"),
    EACCES(13, "access denied", "needs CAP_NET_ADMIN, or a route of type 'prohibit' is in the way"),
    EFAULT(14, "bad address", "the memory given is not there"),
    EBUSY(16, "busy", "something else holds it; remove that first"),
    EEXIST(17, "exists already", "choose another name or delete the old one"),
    ENODEV(19, "no such device", "no interface of that name in this namespace; 'ip link' lists them"),
    EINVAL(22, "invalid argument", "the kernel refuses this combination"),
    ENFILE(23, "too many open files in the system", "raise fs.file-max"),
    EMFILE(24, "too many open files", "raise the limit of open files (ulimit -n)"),
    ENOSPC(28, "no space left", "the buffer, table or device is full"),
    ERANGE(34, "out of range", "see the limits of the interface with 'ip -d link'"),
    EMSGSIZE(90, "message too long", "lower the frame length or raise the interface's mtu"),
    EOPNOTSUPP(95, "not supported", "this kernel or driver lacks it; a module may be missing"),
    EAFNOSUPPORT(97, "address family not supported", "is IPv6 switched off?"),
    EADDRNOTAVAIL(99, "address not available", "no such address on that interface"),
    ENETDOWN(100, "network is down", "set the interface up first"),
    ENETUNREACH(101, "network unreachable", "no route leads there; set the interface up or add a route"),
    ENOBUFS(105, "buffer space exhausted", "messages were lost: ask again for the whole state"),
    ETIMEDOUT(110, "no answer in time", "try again"),
    EHOSTUNREACH(113, "host unreachable", "a route of type 'unreachable' is in the way"),
    ENOTSUPP(524, "not supported by this kernel", "a newer kernel or another option of it is needed");

    public final int number;
    public final String text;
    public final String advice;

    Errno(int number, String text, String advice) {
        this.number = number;
        this.text = text;
        this.advice = advice;
    }

    public boolean is(long result) {
        return result == -number;
    }

    /** Name and meaning of a positive errno, without advice. */
    public static String name(int number) {
        for (Errno known : values()) {
            if (known.number == number) {
                return known.name() + " (" + known.text + ")";
            }
        }
        return "errno " + number;
    }

    public static String describe(int number, String kernelText) {
        for (Errno known : values()) {
            if (known.number == number) {
                return kernelText.isEmpty()
                        ? known.name() + " (" + known.text + "); " + known.advice
                        : known.name() + " (" + known.text + "): kernel says '" + kernelText + "'; " + known.advice;
            }
        }
        return "errno " + number + (kernelText.isEmpty() ? "" : ": kernel says '" + kernelText + "'");
    }
}
