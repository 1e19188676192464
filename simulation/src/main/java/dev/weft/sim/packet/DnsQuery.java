package dev.weft.sim.packet;

import dev.weft.base.HotPath;
import java.lang.foreign.MemorySegment;

/**
 * A question to a DNS server (RFC 1035 section 4.1, RFC 6891), the payload of a UDP packet: where its parts are. Read
 * strictly: one question, no answers, a name of plain labels, whole records behind it. One per worker, reused; not thread
 * safe.
 *
 * <pre>
 * id(16) | answer(1) opcode(4) authoritative(1) truncated(1) wanted(1) available(1) 0(3) rcode(4)
 * questions(16) | answers(16) | authorities(16) | additional(16)
 * question: name | type(16) | class(16)
 * record: name | type(16) | class(16) | ttl(32) | length(16) | data
 * </pre>
 */
@HotPath
public final class DnsQuery {
    public static final int PORT = 53;

    /** {@link #parse}: no query at all, so not to be answered. */
    public static final int NOT_A_QUERY = -1;

    // Codes of answers.
    public static final int NO_ERROR = 0;
    public static final int FORMAT_ERROR = 1;
    public static final int NAME_ERROR = 3;
    public static final int NOT_IMPLEMENTED = 4;
    public static final int REFUSED = 5;
    public static final int BAD_VERSION = 16;

    // Types and classes.
    public static final int A = 1;
    public static final int AAAA = 28;
    public static final int OPT = 41;
    public static final int ANY = 255;
    public static final int INTERNET = 1;

    /** A message without EDNS. */
    public static final int LEAST_SIZE = 512;
    /** What passes everywhere in one piece (RFC 9715 section 3.1, R5). */
    public static final int MOST_SIZE = 1232;

    static final int HEADER = 12;
    static final int FLAGS_OFFSET = 2;
    static final int COUNTS_OFFSET = 4;
    static final int ANSWER = 0x8000;
    static final int OPCODE = 0x7800;
    static final int AUTHORITATIVE = 0x0400;
    static final int TRUNCATED = 0x0200;
    static final int RECURSION_WANTED = 0x0100;

    private static final int MAX_LABEL = 63;
    private static final int MAX_NAME = 255;
    private static final int POINTER = 0xc0;
    private static final int RECORD = 10;
    private static final int MAX_ADDITIONAL = 8;

    private MemorySegment segment = MemorySegment.NULL;
    private long message;
    private int nameLength;
    private int lastLabel;
    private int type;
    private int recordClass;
    private boolean edns;
    private int size;

    /**
     * Reads the message from {@code at} to {@code end}.
     *
     * @return {@link #NO_ERROR}, else {@link #NOT_A_QUERY} or what to answer; {@link #hasQuestion} says how much is known
     */
    public int parse(MemorySegment from, long at, long end) {
        segment = from;
        message = at;
        nameLength = 0;
        edns = false;
        size = LEAST_SIZE;
        if (end - at < HEADER || (flags() & ANSWER) != 0) {
            return NOT_A_QUERY;
        }
        if ((flags() & OPCODE) != 0) {
            return NOT_IMPLEMENTED;
        }
        boolean one = count(0) == 1 && count(1) == 0 && count(2) == 0 && count(3) <= MAX_ADDITIONAL;
        if (!one || !readQuestion(end)) {
            return FORMAT_ERROR;
        }
        return readAdditional(end);
    }

    private int count(int section) {
        return Wire.u16(segment, message + COUNTS_OFFSET + 2L * section);
    }

    private boolean readQuestion(long end) {
        long begin = message + HEADER;
        long here = begin;
        int last = 0;
        while (here < end) {
            int label = Wire.u8(segment, here);
            if (label == 0) {
                int length = (int) (here + 1 - begin);
                if (length > MAX_NAME || end - here < 5) {
                    return false;
                }
                nameLength = length;
                lastLabel = last;
                type = Wire.u16(segment, here + 1);
                recordClass = Wire.u16(segment, here + 3);
                return true;
            }
            if (label > MAX_LABEL) {
                return false;
            }
            last = (int) (here - begin);
            here += 1 + label;
        }
        return false;
    }

    private int readAdditional(long end) {
        long here = questionEnd();
        int version = 0;
        for (int i = count(3); i > 0; i--) {
            long name = here;
            here = afterName(here, end);
            if (here == 0 || end - here < RECORD) {
                return FORMAT_ERROR;
            }
            int length = Wire.u16(segment, here + 8);
            if (end - here - RECORD < length) {
                return FORMAT_ERROR;
            }
            if (Wire.u16(segment, here) == OPT) {
                if (edns || here != name + 1) {
                    return FORMAT_ERROR; // the root's, and one of them: RFC 6891 section 6.1.1
                }
                edns = true;
                size = Math.clamp(Wire.u16(segment, here + 2), LEAST_SIZE, MOST_SIZE);
                version = Wire.u8(segment, here + 5);
            }
            here += RECORD + length;
        }
        return version == 0 ? NO_ERROR : BAD_VERSION;
    }

    /** Behind a name that may end in a pointer; 0 when it does not end. */
    private long afterName(long at, long end) {
        long here = at;
        while (here < end) {
            int label = Wire.u8(segment, here);
            if (label == 0) {
                return here + 1;
            }
            if (label >= POINTER) {
                return here + 2;
            }
            if (label > MAX_LABEL) {
                return 0;
            }
            here += 1 + label;
        }
        return 0;
    }

    int id() {
        return Wire.u16(segment, message);
    }

    int flags() {
        return Wire.u16(segment, message + FLAGS_OFFSET);
    }

    /** Whether name, type and class are there. */
    public boolean hasQuestion() {
        return nameLength > 0;
    }

    /** Where its memory is. */
    public MemorySegment segment() {
        return segment;
    }

    /** Of the name: labels, each with its length before it, the last one empty. */
    public long name() {
        return message + HEADER;
    }

    /** In octets, 1..255. */
    public int nameLength() {
        return nameLength;
    }

    /** Where the last label of the name begins that is not empty, from {@link #name}. */
    public int lastLabel() {
        return lastLabel;
    }

    long questionEnd() {
        return name() + nameLength + 4;
    }

    public int type() {
        return type;
    }

    public int recordClass() {
        return recordClass;
    }

    /** It has an OPT record, so the answer has one. */
    boolean isExtended() {
        return edns;
    }

    /** Octets of the longest answer that the client takes. */
    int size() {
        return size;
    }
}
