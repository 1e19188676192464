package dev.weft.agent;

import dev.weft.base.WeftException;

/** The agent cannot do what it was told; the text says what, the value, what is allowed and what to do. */
public final class AgentException extends WeftException {
    private static final long serialVersionUID = 1L;

    public AgentException(String message) {
        super(message);
    }

    public AgentException(String message, Throwable cause) {
        super(message, cause);
    }
}
