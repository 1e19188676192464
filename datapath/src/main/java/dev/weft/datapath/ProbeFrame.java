package dev.weft.datapath;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;

/**
 * The inner frame by which a host asks whether another one's datapath still forwards, sent with the tunnel key {@link
 * Datapath#PROBE_KEY}. The datapath that receives a question from a known peer sends it back, as an answer and otherwise
 * unchanged, to the outer source it came from; no worker and no process sees it. An answer goes up to a worker like any
 * frame of a key that is bound to one, under this key.
 *
 * <pre>
 * 0   destination and source MAC: 0
 * 12  EtherType 0x88B6 (IEEE 802 local experimental 2)
 * 14  0: question, 1: answer
 * 15  version: 1
 * 16  token (64 bits), the asker's own
 * 24  zero, up to 60
 * </pre>
 */
public final class ProbeFrame {
    public static final int LENGTH = 60;
    public static final int ETHER_TYPE = 0x88b6;
    public static final int ETHER_TYPE_AT = 12;
    public static final int KIND_AT = 14;
    public static final byte QUESTION = 0;
    public static final byte ANSWER = 1;

    private static final int VERSION_AT = 15;
    private static final byte VERSION = 1;
    private static final int TOKEN_AT = 16;
    private static final ValueLayout.OfShort SHORT = ValueLayout.JAVA_SHORT_UNALIGNED.withOrder(ByteOrder.BIG_ENDIAN);
    private static final ValueLayout.OfLong LONG = ValueLayout.JAVA_LONG_UNALIGNED.withOrder(ByteOrder.BIG_ENDIAN);

    private ProbeFrame() {}

    /** Writes a question of {@link #LENGTH} bytes. */
    public static void writeQuestion(MemorySegment segment, long offset, long token) {
        segment.asSlice(offset, LENGTH).fill((byte) 0);
        segment.set(SHORT, offset + ETHER_TYPE_AT, (short) ETHER_TYPE);
        segment.set(ValueLayout.JAVA_BYTE, offset + VERSION_AT, VERSION);
        segment.set(LONG, offset + TOKEN_AT, token);
    }

    public static boolean isQuestion(MemorySegment segment, long offset, int length) {
        return is(segment, offset, length, QUESTION);
    }

    public static boolean isAnswer(MemorySegment segment, long offset, int length) {
        return is(segment, offset, length, ANSWER);
    }

    /** Of a question or an answer. */
    public static long token(MemorySegment segment, long offset) {
        return segment.get(LONG, offset + TOKEN_AT);
    }

    private static boolean is(MemorySegment segment, long offset, int length, byte kind) {
        return length >= LENGTH
                && segment.get(SHORT, offset + ETHER_TYPE_AT) == (short) ETHER_TYPE
                && segment.get(ValueLayout.JAVA_BYTE, offset + VERSION_AT) == VERSION
                && segment.get(ValueLayout.JAVA_BYTE, offset + KIND_AT) == kind;
    }
}
