package dev.weft.sim.packet;

import dev.weft.base.HotPath;
import java.lang.foreign.MemorySegment;

/**
 * DHCP for IPv4 (RFC 2131 §2, RFC 2132), the payload of a UDP packet.
 *
 * <pre>
 * op(8) | hardware type(8) | hardware length(8) | hops(8) | transaction(32) | seconds(16) | flags(16)
 * client address(32) | your address(32) | next server(32) | relay(32) | client MAC(48), padded to 128
 * server name(512) | file(1024) | magic(32) | options: code(8) length(8) value
 * </pre>
 */
@HotPath
public final class Dhcp {
    public static final int SERVER_PORT = 67;
    public static final int CLIENT_PORT = 68;

    /** Up to and with the magic number. */
    public static final int LENGTH = 240;

    /** The shortest message that old clients take (RFC 1542 §2.1). */
    public static final int MIN_LENGTH = 300;

    /** What every client takes (RFC 2132 §9.10), headers of IP and UDP included. */
    public static final int MIN_MAX_SIZE = 576;

    // Types of messages.
    public static final int DISCOVER = 1;
    public static final int OFFER = 2;
    public static final int REQUEST = 3;
    public static final int DECLINE = 4;
    public static final int ACK = 5;
    public static final int NAK = 6;
    public static final int RELEASE = 7;
    public static final int INFORM = 8;

    // Options.
    public static final int PAD = 0;
    public static final int SUBNET_MASK = 1;
    public static final int ROUTER = 3;
    public static final int DNS = 6;
    public static final int HOST_NAME = 12;
    public static final int DOMAIN = 15;
    public static final int MTU = 26;
    public static final int NTP = 42;
    public static final int REQUESTED_ADDRESS = 50;
    public static final int LEASE_SECONDS = 51;
    public static final int MESSAGE_TYPE = 53;
    public static final int SERVER = 54;
    public static final int MAX_SIZE = 57;
    public static final int RENEWAL_SECONDS = 58;
    public static final int REBINDING_SECONDS = 59;
    public static final int ROUTES = 121;
    public static final int END = 255;

    /** No such option, or of another length. */
    public static final long NONE = -1;

    private static final int BOOT_REQUEST = 1;
    private static final int BOOT_REPLY = 2;
    private static final int ETHERNET = 1;
    private static final int MAC_LENGTH = 6;
    private static final int MAGIC = 0x6382_5363;

    private static final int OP_OFFSET = 0;
    private static final int HARDWARE_OFFSET = 1;
    private static final int HARDWARE_LENGTH_OFFSET = 2;
    private static final int TRANSACTION_OFFSET = 4;
    private static final int FLAGS_OFFSET = 10;
    private static final int CLIENT_ADDRESS_OFFSET = 12;
    private static final int YOUR_ADDRESS_OFFSET = 16;
    private static final int RELAY_OFFSET = 24;
    private static final int CLIENT_MAC_OFFSET = 28;
    private static final int MAGIC_OFFSET = 236;
    private static final int BROADCAST_FLAG = 0x8000;

    private Dhcp() {}

    /** From a client on this link, by its shape; {@code end} is where the message ends. */
    public static boolean isRequest(MemorySegment segment, long at, long end) {
        return end - at >= LENGTH
                && Wire.u8(segment, at + OP_OFFSET) == BOOT_REQUEST
                && Wire.u8(segment, at + HARDWARE_OFFSET) == ETHERNET
                && Wire.u8(segment, at + HARDWARE_LENGTH_OFFSET) == MAC_LENGTH
                && Wire.i32(segment, at + RELAY_OFFSET) == 0
                && Wire.i32(segment, at + MAGIC_OFFSET) == MAGIC;
    }

    public static long clientMac(MemorySegment segment, long at) {
        return Wire.u48(segment, at + CLIENT_MAC_OFFSET);
    }

    /** The address the client has, 0 for none. */
    public static int clientAddress(MemorySegment segment, long at) {
        return Wire.i32(segment, at + CLIENT_ADDRESS_OFFSET);
    }

    /** Of an answer: the address the client gets. */
    public static int yourAddress(MemorySegment segment, long at) {
        return Wire.i32(segment, at + YOUR_ADDRESS_OFFSET);
    }

    /** The client cannot take a unicast before it has its address. */
    public static boolean wantsBroadcast(MemorySegment segment, long at) {
        return (Wire.u16(segment, at + FLAGS_OFFSET) & BROADCAST_FLAG) != 0;
    }

    /** The value of an option of 1, 2 or 4 octets; {@link #NONE} when it is not there. */
    public static long option(MemorySegment segment, long at, long end, int code, int length) {
        long here = at + LENGTH;
        while (here < end) {
            int found = Wire.u8(segment, here);
            if (found == PAD) {
                here++;
                continue;
            }
            if (found == END || end - here < 2) {
                return NONE;
            }
            int size = Wire.u8(segment, here + 1);
            if (end - here - 2 < size) {
                return NONE;
            }
            if (found == code) {
                return size == length ? number(segment, here + 2, length) : NONE;
            }
            here += 2 + size;
        }
        return NONE;
    }

    private static long number(MemorySegment segment, long at, int length) {
        return switch (length) {
            case 1 -> Wire.u8(segment, at);
            case 2 -> Wire.u16(segment, at);
            default -> Wire.u32(segment, at);
        };
    }

    /** Everything before the options, answering the request; the rest of the fixed part is 0. */
    static void writeHead(
            MemorySegment out, long at, MemorySegment request, long asked, int yourAddress, int clientAddress) {
        for (int i = 0; i < LENGTH; i += Long.BYTES) {
            Wire.put64(out, at + i, 0);
        }
        Wire.put8(out, at + OP_OFFSET, BOOT_REPLY);
        Wire.put8(out, at + HARDWARE_OFFSET, ETHERNET);
        Wire.put8(out, at + HARDWARE_LENGTH_OFFSET, MAC_LENGTH);
        Wire.put32(out, at + TRANSACTION_OFFSET, Wire.i32(request, asked + TRANSACTION_OFFSET));
        Wire.put16(out, at + FLAGS_OFFSET, Wire.u16(request, asked + FLAGS_OFFSET));
        Wire.put32(out, at + CLIENT_ADDRESS_OFFSET, clientAddress);
        Wire.put32(out, at + YOUR_ADDRESS_OFFSET, yourAddress);
        Wire.put48(out, at + CLIENT_MAC_OFFSET, clientMac(request, asked));
        Wire.put32(out, at + MAGIC_OFFSET, MAGIC);
    }
}
