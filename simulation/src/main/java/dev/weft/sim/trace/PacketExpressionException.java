package dev.weft.sim.trace;

import dev.weft.base.WeftException;

/** A packet expression that cannot be read: which word, where, and what is allowed there. */
public final class PacketExpressionException extends WeftException {
    private static final long serialVersionUID = 1L;

    PacketExpressionException(String message) {
        super(message);
    }
}
