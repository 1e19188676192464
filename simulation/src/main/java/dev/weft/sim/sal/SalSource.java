package dev.weft.sim.sal;

import dev.weft.base.HotPath;
import dev.weft.sim.packet.Wire;
import java.lang.foreign.MemorySegment;

/**
 * The SOURCE extension: type 4(4) 0(4) | length 4 + 4n(8) | 0(16) | n IPv4 addresses, two or more: the client, then each
 * service router the packet came through; in a SYN-ACK the server last.
 */
@HotPath
public final class SalSource {
    static final int HEAD_LENGTH = 4;
    public static final int MIN_ADDRESSES = 2;
    /** Nobody appends to more; a packet that comes with more is taken. */
    public static final int MAX_ADDRESSES = 20;

    private SalSource() {}

    public static int count(MemorySegment segment, long at) {
        return (SalExtension.length(segment, at) - HEAD_LENGTH) >>> 2;
    }

    /** @param index 0..count - 1 */
    public static int address(MemorySegment segment, long at, int index) {
        return Wire.i32(segment, at + HEAD_LENGTH + 4L * index);
    }

    public static boolean contains(MemorySegment segment, long at, int address) {
        int count = count(segment, at);
        for (int i = 0; i < count; i++) {
            if (address(segment, at, i) == address) {
                return true;
            }
        }
        return false;
    }

    /** In octets. */
    public static int length(int addresses) {
        return HEAD_LENGTH + 4 * addresses;
    }

    /** The addresses are still to be written. */
    public static void write(MemorySegment segment, long at, int addresses) {
        SalExtension.writeHead(segment, at, SalExtension.SOURCE, length(addresses));
    }

    public static void setAddress(MemorySegment segment, long at, int index, int address) {
        Wire.put32(segment, at + HEAD_LENGTH + 4L * index, address);
    }
}
