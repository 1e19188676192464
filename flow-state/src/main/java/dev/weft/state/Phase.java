package dev.weft.state;

import dev.weft.base.HotPath;

/**
 * How far a connection is, judged by what its VM sends; it decides the lifetime. Only TCP has more than {@link #OPEN}.
 * The values are part of {@link StateMessage}'s layout.
 */
@HotPath
public final class Phase {
    /** A SYN was seen and nothing after it. */
    public static final int OPENING = 0;

    public static final int OPEN = 1;

    /** A FIN or RST was seen: what follows is the rest of a conversation, until a new SYN. */
    public static final int CLOSING = 2;

    /** Told to holders of copies only: the owner has ended it before its time. */
    public static final int ENDED = 3;

    static final int TCP = 6;
    // Flag bits of the TCP header, RFC 9293 §3.1.
    private static final int FIN = 0x01;
    private static final int SYN = 0x02;
    private static final int RST = 0x04;

    private Phase() {}

    /** The phase of a connection whose first packet seen has these flags. */
    public static int first(int protocol, int tcpFlags) {
        return after(OPEN, protocol, tcpFlags);
    }

    /** The phase after a packet with these flags ({@code tcpFlags} counts for TCP only). */
    public static int after(int phase, int protocol, int tcpFlags) {
        if (protocol != TCP) {
            return OPEN;
        }
        if ((tcpFlags & (FIN | RST)) != 0) {
            return CLOSING;
        }
        if ((tcpFlags & SYN) != 0) {
            return OPENING;
        }
        return phase == CLOSING ? CLOSING : OPEN;
    }

    /** The phase after an answer with these flags: one side may open a connection, either may close it. */
    public static int afterAnswer(int phase, int protocol, int tcpFlags) {
        return protocol == TCP && (tcpFlags & (FIN | RST)) != 0 ? CLOSING : phase;
    }

    static boolean isPhase(int value) {
        return value >= OPENING && value <= ENDED;
    }
}
