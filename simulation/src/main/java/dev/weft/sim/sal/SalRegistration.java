package dev.weft.sim.sal;

import dev.weft.base.HotPath;
import dev.weft.sim.packet.Checksum;
import dev.weft.sim.packet.Ipv4;
import dev.weft.sim.packet.Packet;
import dev.weft.sim.packet.Udp;
import dev.weft.sim.packet.Wire;
import java.lang.foreign.MemorySegment;

/**
 * What a native host's daemon sends to its service router when a program binds a service, every 20 s as long as that is
 * so, and when it is unbound: an unconnected UDP datagram from service 55555 to service 88888 (by default), with
 *
 * <pre>
 * 0 register, 1 unregister(8) | 0(8) | length of all this, 48(16) | transaction(32)
 * again: 1(8) | 0(8) | prefix length(8) | flags of the service(8) | address before, when it moved(32) | service id(256)
 * </pre>
 *
 * The address is the datagram's source. A prefix length of 0 is 256. Nothing is answered.
 */
@HotPath
public final class SalRegistration {
    public static final int LENGTH = 48;

    /** First 32 bits of the service that the original sends to; all else is zero. */
    public static final int DEFAULT_REGISTRAR = 88_888;

    private static final int REGISTER = 0;
    private static final int UNREGISTER = 1;
    private static final int LENGTH_OFFSET = 2;
    private static final int BITS_OFFSET = 10;
    private static final int ID_OFFSET = 16;
    private static final int ALL_BITS = 256;

    private SalRegistration() {}

    /** Where it begins, from the frame's start; 0 when the datagram holds none. */
    public static int find(Packet packet) {
        SalLayout sal = packet.sal;
        MemorySegment segment = packet.segment;
        if (sal.control != 0
                || sal.fromService == 0
                || SalHeader.protocol(segment, packet.offset + sal.offset) != Ipv4.UDP) {
            return 0;
        }
        int udp = sal.offset + sal.length;
        int at = udp + Udp.LENGTH;
        if (packet.l3End - at < LENGTH || !isWhole(packet, udp)) {
            return 0;
        }
        int type = Wire.u8(segment, packet.offset + at);
        boolean known = type == REGISTER || type == UNREGISTER;
        return known && Wire.u16(segment, packet.offset + at + LENGTH_OFFSET) == LENGTH ? at : 0;
    }

    private static boolean isWhole(Packet packet, int udp) {
        long at = packet.offset + udp;
        int length = Udp.length(packet.segment, at);
        if (length < Udp.LENGTH + LENGTH || udp + length > packet.l3End) {
            return false;
        }
        long l3 = packet.offset + packet.l3Offset;
        return Udp.checksum(packet.segment, at) == 0
                || Checksum.isTransportValid(packet.segment, l3, at, at + length, Ipv4.UDP);
    }

    public static boolean isUnregister(MemorySegment segment, long at) {
        return Wire.u8(segment, at) == UNREGISTER;
    }

    /** 1..256. */
    public static int bits(MemorySegment segment, long at) {
        int bits = Wire.u8(segment, at + BITS_OFFSET);
        return bits == 0 ? ALL_BITS : bits;
    }

    /** @param index 0..3: 64 bits of the id, the first bit highest */
    public static long word(MemorySegment segment, long at, int index) {
        return Wire.i64(segment, at + ID_OFFSET + (long) Long.BYTES * index);
    }
}
