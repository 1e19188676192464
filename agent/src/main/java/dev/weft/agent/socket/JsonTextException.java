package dev.weft.agent.socket;

import dev.weft.base.WeftException;

/** A text is not the JSON that was expected. */
public final class JsonTextException extends WeftException {
    private static final long serialVersionUID = 1L;

    JsonTextException(String message) {
        super(message);
    }

    JsonTextException(String message, Throwable cause) {
        super(message, cause);
    }
}
