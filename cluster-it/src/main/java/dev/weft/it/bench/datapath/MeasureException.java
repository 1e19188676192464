package dev.weft.it.bench.datapath;

import dev.weft.base.WeftException;

/** A row could not be measured here; the text says what failed and what it needs. */
final class MeasureException extends WeftException {
    private static final long serialVersionUID = 1L;

    MeasureException(String message) {
        super(message);
    }

    MeasureException(String message, Throwable cause) {
        super(message, cause);
    }
}
