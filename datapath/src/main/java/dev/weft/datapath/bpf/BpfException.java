package dev.weft.datapath.bpf;

import dev.weft.base.WeftException;
import dev.weft.datapath.kernel.Errno;

/** The kernel or libbpf refused; the text says what was tried, why not, what to do. */
public final class BpfException extends WeftException {
    private static final long serialVersionUID = 1L;

    private final int errno;

    BpfException(String message) {
        super(message);
        this.errno = 0;
    }

    BpfException(String message, Throwable cause) {
        super(message, cause);
        this.errno = 0;
    }

    private BpfException(String message, int errno) {
        super(message);
        this.errno = errno;
    }

    /** @param errno positive, as in errno(3) */
    static BpfException of(int errno, String tried) {
        return new BpfException(tried + ": " + Errno.name(errno) + advice(errno), errno);
    }

    /** @param details lines that follow the message */
    static BpfException of(int errno, String tried, String details) {
        String more = details.isEmpty() ? "" : "\n" + details;
        return new BpfException(tried + ": " + Errno.name(errno) + advice(errno) + more, errno);
    }

    /** The result of a call, or the exception for a negative one. */
    public static int check(int result, String tried) {
        if (result < 0) {
            throw of(-result, tried);
        }
        return result;
    }

    /** As in errno(3); 0 when it was not the kernel that refused. */
    public int errno() {
        return errno;
    }

    public boolean is(Errno known) {
        return errno == known.number;
    }

    private static String advice(int errno) {
        if (errno == Errno.EPERM.number) {
            return "; needs CAP_BPF and CAP_NET_ADMIN (CAP_SYS_ADMIN on older systems and for pins): run as root";
        }
        if (errno == Errno.ENOENT.number) {
            return "; nothing of that name, or no bpf file system there";
        }
        if (errno == Errno.EINVAL.number) {
            return "; the kernel refuses this combination or is too old for it: 'weft datapath probe' lists what it has";
        }
        if (errno == Errno.E2BIG.number) {
            return "; the map or the program is over its limit";
        }
        if (errno == Errno.ENOMEM.number) {
            return "; free memory, or ask for fewer map entries";
        }
        return "";
    }
}
