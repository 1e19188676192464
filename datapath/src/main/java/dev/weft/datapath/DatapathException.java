package dev.weft.datapath;

import dev.weft.base.WeftException;

/** A datapath could not do what its contract says; the text names the port, key or limit and what is allowed. */
public final class DatapathException extends WeftException {
    private static final long serialVersionUID = 1L;

    public DatapathException(String message) {
        super(message);
    }

    public DatapathException(String message, Throwable cause) {
        super(message, cause);
    }
}
