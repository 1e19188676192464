package dev.weft.base;

/**
 * What went wrong, the value, what was expected, what to do: one sentence a person can act on. The base of each
 * module's own exception.
 */
public class WeftException extends RuntimeException {
    private static final long serialVersionUID = 1L;

    public WeftException(String message) {
        super(message);
    }

    public WeftException(String message, Throwable cause) {
        super(message, cause);
    }
}
