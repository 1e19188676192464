package dev.weft.sim.packet;

import dev.weft.base.HotPath;
import java.lang.foreign.MemorySegment;

/**
 * ARP for IPv4 over Ethernet (RFC 826).
 *
 * <pre>
 * hardware(16) = 1 | protocol(16) = 0x0800 | hardware length(8) = 6 | protocol length(8) = 4 | operation(16)
 * sender MAC(48) | sender address(32) | target MAC(48) | target address(32)
 * </pre>
 */
@HotPath
public final class Arp {
    public static final int LENGTH = 28;
    public static final int REQUEST = 1;
    public static final int REPLY = 2;

    static final int HARDWARE_OFFSET = 0;
    static final int PROTOCOL_OFFSET = 2;
    static final int LENGTHS_OFFSET = 4;
    static final int OPERATION_OFFSET = 6;
    static final int SENDER_MAC_OFFSET = 8;
    static final int SENDER_ADDRESS_OFFSET = 14;
    static final int TARGET_MAC_OFFSET = 18;
    static final int TARGET_ADDRESS_OFFSET = 24;

    /** The first six octets of every ARP packet for IPv4 over Ethernet. */
    private static final long ETHERNET_IPV4 = 0x0001_0800_0604L;

    private Arp() {}

    public static boolean isEthernetIpv4(MemorySegment segment, long at) {
        return Wire.u48(segment, at + HARDWARE_OFFSET) == ETHERNET_IPV4;
    }

    public static int operation(MemorySegment segment, long at) {
        return Wire.u16(segment, at + OPERATION_OFFSET);
    }

    public static long senderMac(MemorySegment segment, long at) {
        return Wire.u48(segment, at + SENDER_MAC_OFFSET);
    }

    public static int senderAddress(MemorySegment segment, long at) {
        return Wire.i32(segment, at + SENDER_ADDRESS_OFFSET);
    }

    public static long targetMac(MemorySegment segment, long at) {
        return Wire.u48(segment, at + TARGET_MAC_OFFSET);
    }

    public static int targetAddress(MemorySegment segment, long at) {
        return Wire.i32(segment, at + TARGET_ADDRESS_OFFSET);
    }

    public static void write(
            MemorySegment segment,
            long at,
            int operation,
            long senderMac,
            int senderAddress,
            long targetMac,
            int targetAddress) {
        Wire.put48(segment, at + HARDWARE_OFFSET, ETHERNET_IPV4);
        Wire.put16(segment, at + OPERATION_OFFSET, operation);
        Wire.put48(segment, at + SENDER_MAC_OFFSET, senderMac);
        Wire.put32(segment, at + SENDER_ADDRESS_OFFSET, senderAddress);
        Wire.put48(segment, at + TARGET_MAC_OFFSET, targetMac);
        Wire.put32(segment, at + TARGET_ADDRESS_OFFSET, targetAddress);
    }
}
