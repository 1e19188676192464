package dev.weft.datapath.link;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static java.lang.foreign.ValueLayout.JAVA_SHORT_UNALIGNED;

import dev.weft.base.HotPath;
import java.lang.foreign.MemorySegment;

/**
 * struct virtio_net_hdr of linux/virtio_net.h, in host byte order: {@code flags(8) gsoType(8) headerLength(16)
 * segmentSize(16) checksumStart(16) checksumOffset(16)}. What a frame still lacks: with {@link #NEEDS_CHECKSUM} the
 * ones' complement sum from {@code checksumStart} on belongs at {@code checksumStart + checksumOffset}, where the sum of
 * the pseudo header already is; with a GSO type it is a super-packet to be cut into segments of {@code segmentSize}
 * payload bytes. Starts count from the first byte of the frame.
 */
public final class VirtioNetHeader {
    public static final int LENGTH = 10;
    public static final int FLAGS_OFFSET = 0;
    public static final int GSO_TYPE_OFFSET = 1;
    public static final int HEADER_LENGTH_OFFSET = 2;
    public static final int SEGMENT_SIZE_OFFSET = 4;
    public static final int CHECKSUM_START_OFFSET = 6;
    public static final int CHECKSUM_OFFSET_OFFSET = 8;

    public static final int NEEDS_CHECKSUM = 1;
    public static final int CHECKSUM_VALID = 2;

    public static final int GSO_NONE = 0;
    public static final int GSO_TCPV4 = 1;
    /** IP fragmentation of one UDP datagram. */
    public static final int GSO_UDP = 3;

    public static final int GSO_TCPV6 = 4;
    /** Many UDP datagrams in one. */
    public static final int GSO_UDP_SEGMENTS = 5;
    /** Or-ed to a TCP type: CWR belongs on the first segment only. */
    public static final int GSO_ECN = 0x80;

    private VirtioNetHeader() {}

    @HotPath
    public static int flags(MemorySegment buffer, long at) {
        return buffer.get(JAVA_BYTE, at + FLAGS_OFFSET) & 0xff;
    }

    @HotPath
    public static boolean needsChecksum(MemorySegment buffer, long at) {
        return (flags(buffer, at) & NEEDS_CHECKSUM) != 0;
    }

    /** Without the ECN bit. */
    @HotPath
    public static int gsoType(MemorySegment buffer, long at) {
        return buffer.get(JAVA_BYTE, at + GSO_TYPE_OFFSET) & 0x7f;
    }

    /** Length of all headers up to the payload; a hint only. */
    @HotPath
    public static int headerLength(MemorySegment buffer, long at) {
        return u16(buffer, at + HEADER_LENGTH_OFFSET);
    }

    @HotPath
    public static int segmentSize(MemorySegment buffer, long at) {
        return u16(buffer, at + SEGMENT_SIZE_OFFSET);
    }

    @HotPath
    public static int checksumStart(MemorySegment buffer, long at) {
        return u16(buffer, at + CHECKSUM_START_OFFSET);
    }

    @HotPath
    public static int checksumOffset(MemorySegment buffer, long at) {
        return u16(buffer, at + CHECKSUM_OFFSET_OFFSET);
    }

    /** A frame that lacks nothing. */
    @HotPath
    public static void clear(MemorySegment buffer, long at) {
        for (int i = 0; i < LENGTH; i++) {
            buffer.set(JAVA_BYTE, at + i, (byte) 0);
        }
    }

    /** The headers have grown by so many bytes in front of the checksummed part. */
    @HotPath
    static void shift(MemorySegment buffer, long at, int bytes) {
        if (needsChecksum(buffer, at)) {
            buffer.set(JAVA_SHORT_UNALIGNED, at + CHECKSUM_START_OFFSET, (short) (checksumStart(buffer, at) + bytes));
        }
        if (headerLength(buffer, at) != 0) {
            buffer.set(JAVA_SHORT_UNALIGNED, at + HEADER_LENGTH_OFFSET, (short) (headerLength(buffer, at) + bytes));
        }
    }

    private static int u16(MemorySegment buffer, long at) {
        return buffer.get(JAVA_SHORT_UNALIGNED, at) & 0xffff;
    }
}
