package dev.weft.it.bench.datapath;

import dev.weft.base.WeftException;
import dev.weft.datapath.kernel.Errno;

/** A row could not be measured here; the text says what failed and what it needs. */
final class MeasureException extends WeftException {
    private static final long serialVersionUID = 1L;

    MeasureException(String message) {
        super(message);
    }

    MeasureException(String message, Throwable cause) {
        super(message, cause);
    }

    /** The result of a system call. @throws MeasureException when it is {@code -errno} */
    static int check(int result, String tried) {
        if (result < 0) {
            throw new MeasureException(tried + ": " + Errno.describe(-result, ""));
        }
        return result;
    }
}
