package dev.weft.datapath.link;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static java.lang.foreign.ValueLayout.JAVA_INT_UNALIGNED;
import static java.lang.foreign.ValueLayout.JAVA_SHORT_UNALIGNED;

import java.lang.foreign.MemorySegment;
import java.util.function.Consumer;

/**
 * One received netlink message, a view valid until the next receive: struct nlmsghdr {@code length(32) type(16)
 * flags(16) sequence(32) port(32)}. The payload begins at 0; reading past it is a {@link LinkException}.
 */
record Message(int type, int flags, int sequence, MemorySegment payload) {
    static final int ERROR = 2;
    static final int DONE = 3;
    static final int OVERRUN = 4;
    static final int DUMP_INTERRUPTED = 0x10;
    private static final int CAPPED = 0x100;
    private static final int ACK_ATTRIBUTES = 0x200;
    private static final int ERROR_TEXT = 1;

    /** Hands over each message of a datagram in turn. Ends after at most length / 16 steps whatever the bytes say. */
    static void walk(MemorySegment datagram, Consumer<Message> sink) {
        long at = 0;
        long end = datagram.byteSize();
        while (end - at >= MessageWriter.HEADER_LENGTH) {
            long length = Integer.toUnsignedLong(datagram.get(JAVA_INT_UNALIGNED, at));
            if (length < MessageWriter.HEADER_LENGTH || length > end - at) {
                throw new LinkException("netlink message of " + length + " bytes (expected "
                        + MessageWriter.HEADER_LENGTH + ".." + (end - at) + ")");
            }
            sink.accept(new Message(
                    Short.toUnsignedInt(datagram.get(JAVA_SHORT_UNALIGNED, at + 4)),
                    Short.toUnsignedInt(datagram.get(JAVA_SHORT_UNALIGNED, at + 6)),
                    datagram.get(JAVA_INT_UNALIGNED, at + 8),
                    datagram.asSlice(at + MessageWriter.HEADER_LENGTH, length - MessageWriter.HEADER_LENGTH)));
            at += length + 3 & ~3L;
        }
    }

    int byteAt(long offset) {
        need(offset + 1);
        return Byte.toUnsignedInt(payload.get(JAVA_BYTE, offset));
    }

    int shortAt(long offset) {
        need(offset + 2);
        return Short.toUnsignedInt(payload.get(JAVA_SHORT_UNALIGNED, offset));
    }

    int intAt(long offset) {
        need(offset + 4);
        return payload.get(JAVA_INT_UNALIGNED, offset);
    }

    Attributes attributesAfter(int structLength) {
        need(structLength);
        return Attributes.of(payload.asSlice(structLength));
    }

    boolean interrupted() {
        return (flags & DUMP_INTERRUPTED) != 0;
    }

    /** Positive errno of struct nlmsgerr or of a DONE message; 0 is an acknowledgement. */
    int errno() {
        if (type == DONE && payload.byteSize() < 4) {
            return 0;
        }
        int error = intAt(0);
        if (error > 0 || error == Integer.MIN_VALUE) {
            throw new LinkException("netlink error " + error + " (expected 0 or a negative errno)");
        }
        return -error;
    }

    /** What the kernel says beyond the number (extended acknowledgement), or nothing. */
    String errorText() {
        if ((flags & ACK_ATTRIBUTES) == 0) {
            return "";
        }
        int start = 4;
        if (type == ERROR) {
            // The refused message follows the number: its header only when capped.
            long echoed = (flags & CAPPED) != 0 ? MessageWriter.HEADER_LENGTH : Integer.toUnsignedLong(intAt(4));
            if (echoed > payload.byteSize() - 4) {
                return "";
            }
            start += (int) (echoed + 3 & ~3L);
        }
        return start > payload.byteSize()
                ? ""
                : attributesAfter(start).string(ERROR_TEXT).orElse("");
    }

    private void need(long bytes) {
        if (bytes > payload.byteSize()) {
            throw new LinkException("netlink message type " + type + " has " + payload.byteSize()
                    + " bytes after its header (expected at least " + bytes + ")");
        }
    }
}
