package dev.weft.agent.lab;

import dev.weft.base.WeftException;

/** The lab could not be built or used: the command, its exit code and what it said. */
public final class LabException extends WeftException {
    private static final long serialVersionUID = 1L;

    public LabException(String message) {
        super(message);
    }

    public LabException(String message, Throwable cause) {
        super(message, cause);
    }
}
