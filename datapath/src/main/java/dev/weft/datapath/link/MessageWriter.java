package dev.weft.datapath.link;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static java.lang.foreign.ValueLayout.JAVA_INT_UNALIGNED;
import static java.lang.foreign.ValueLayout.JAVA_SHORT_UNALIGNED;

import dev.weft.datapath.kernel.Libc;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;

/**
 * Builds one netlink message: struct nlmsghdr {@code length(32) type(16) flags(16) sequence(32) port(32)}, the struct
 * of its family, then attributes, struct rtattr {@code length(16) type(16)}, each padded to 4 bytes. Not thread safe.
 * Lives on the garbage collected heap of segments: no close.
 */
final class MessageWriter {
    static final int HEADER_LENGTH = 16;
    static final int REQUEST = 0x1;
    static final int ACK = 0x4;
    static final int DUMP = 0x300;
    static final int EXCLUSIVE = 0x200;
    static final int CREATE = 0x400;
    static final int NESTED = 0x8000;
    private static final int CAPACITY = 2048;

    private final MemorySegment buffer = Arena.ofAuto().allocate(CAPACITY, 4);
    private int length = HEADER_LENGTH;

    MessageWriter(int type, int flags) {
        buffer.set(JAVA_SHORT_UNALIGNED, 4, (short) type);
        buffer.set(JAVA_SHORT_UNALIGNED, 6, (short) (REQUEST | flags));
    }

    MessageWriter putByte(int value) {
        buffer.set(JAVA_BYTE, reserve(1), (byte) value);
        return this;
    }

    MessageWriter putShort(int value) {
        buffer.set(JAVA_SHORT_UNALIGNED, reserve(2), (short) value);
        return this;
    }

    MessageWriter putInt(int value) {
        buffer.set(JAVA_INT_UNALIGNED, reserve(4), value);
        return this;
    }

    /** struct ifinfomsg: family(8) pad(8) type(16) index(32) flags(32) change(32). */
    MessageWriter putLinkHeader(int ifindex, int flags, int change) {
        return putByte(Libc.AF_UNSPEC)
                .putByte(0)
                .putShort(0)
                .putInt(ifindex)
                .putInt(flags)
                .putInt(change);
    }

    MessageWriter attribute(int type, byte[] value) {
        int at = open(type);
        MemorySegment.copy(value, 0, buffer, JAVA_BYTE, reserve(value.length), value.length);
        return close(at);
    }

    MessageWriter attribute(int type, int value) {
        int at = open(type);
        return putInt(value).close(at);
    }

    /** With its closing zero, as the kernel's NLA_STRING readers accept everywhere. */
    MessageWriter attribute(int type, String value) {
        byte[] text = value.getBytes(StandardCharsets.UTF_8);
        return attribute(type, Arrays.copyOf(text, text.length + 1));
    }

    /** Opens an attribute whose value follows; give the result to {@link #close}. */
    int open(int type) {
        int at = reserve(4);
        buffer.set(JAVA_SHORT_UNALIGNED, at + 2, (short) type);
        return at;
    }

    MessageWriter close(int at) {
        buffer.set(JAVA_SHORT_UNALIGNED, at, (short) (length - at));
        reserve(-length & 3);
        return this;
    }

    private int reserve(int bytes) {
        int at = length;
        if (at + bytes > CAPACITY) {
            throw new LinkException("netlink message of " + (at + bytes) + " bytes (expected up to " + CAPACITY + ")");
        }
        length += bytes;
        return at;
    }

    /** The finished message. */
    MemorySegment finish(int sequence) {
        buffer.set(JAVA_INT_UNALIGNED, 0, length);
        buffer.set(JAVA_INT_UNALIGNED, 8, sequence);
        return buffer.asSlice(0, length);
    }
}
