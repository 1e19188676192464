package dev.weft.datapath.link;

import dev.weft.base.WeftException;
import dev.weft.datapath.kernel.Errno;

/** The kernel refused, or answered what cannot be understood; the text says what was tried, why not, what to do. */
public final class LinkException extends WeftException {
    private static final long serialVersionUID = 1L;

    private final int errno;

    LinkException(String message) {
        super(message);
        this.errno = 0;
    }

    private LinkException(String message, int errno) {
        super(message);
        this.errno = errno;
    }

    /** @param errno positive, as in errno(3) */
    static LinkException of(int errno, String tried) {
        return of(errno, tried, "");
    }

    static LinkException of(int errno, String tried, String kernelText) {
        return new LinkException(tried + ": " + Errno.describe(errno, kernelText), errno);
    }

    /** The result of a system call, or the exception for a negative one. */
    public static int check(int result, String tried) {
        if (result < 0) {
            throw of(-result, tried);
        }
        return result;
    }

    /** As in errno(3); 0 when the kernel was not the one to refuse. */
    public int errno() {
        return errno;
    }

    boolean is(Errno known) {
        return errno == known.number;
    }
}
