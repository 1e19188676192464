package dev.weft.agent.socket;

import dev.weft.base.WeftException;

/** No agent answers at this socket, or it refused; the text is for a person. */
public final class ControlException extends WeftException {
    private static final long serialVersionUID = 1L;

    public ControlException(String message) {
        super(message);
    }

    public ControlException(String message, Throwable cause) {
        super(message, cause);
    }
}
