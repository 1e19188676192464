package dev.weft.state;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static java.lang.foreign.ValueLayout.JAVA_INT_UNALIGNED;
import static java.lang.foreign.ValueLayout.JAVA_LONG_UNALIGNED;
import static java.lang.foreign.ValueLayout.JAVA_SHORT_UNALIGNED;

import dev.weft.base.HotPath;
import dev.weft.base.IpAddress;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;

/**
 * A connection record as workers tell it each other and keep it on disk: the body of a CONNECTION of
 * {@link StateMessage}. Big-endian.
 *
 * <pre>
 *   0  phase (8) | protocol (8) | source port (16) | destination port (16) | VLAN TCI (16)
 *   8  epoch (32) | bindings (8) | 1: from a holder of a copy to the owner (8) | source MAC (48) | destination MAC (48)
 *  26  id of the port it entered by (128)
 *  42  scope of the forward tuple (64) | scope of the answer's (64)
 *  58  source (128) | destination (128)
 *  90  underlay address of the owner's host (128)
 * 106  for each binding: device (64) | kind (8) | 0 (8) | port (16) | address, high and low (128)
 * </pre>
 */
@HotPath
public final class RecordCodec {
    private static final int PHASE_AT = 0;
    private static final int PROTOCOL_AT = 1;
    private static final int SRC_PORT_AT = 2;
    private static final int DST_PORT_AT = 4;
    private static final int TCI_AT = 6;
    private static final int EPOCH_AT = 8;
    private static final int BINDINGS_AT = 12;
    private static final int FROM_COPY_AT = 13;
    private static final int SRC_MAC_AT = 14;
    private static final int DST_MAC_AT = 20;
    private static final int PORT_AT = 26;
    private static final int SCOPE_AT = 42;
    private static final int ANSWER_SCOPE_AT = 50;
    private static final int SRC_AT = 58;
    private static final int DST_AT = 74;
    private static final int OWNER_AT = 90;
    private static final int FIXED_BYTES = 106;

    private static final int KIND_AT = 8;
    private static final int TO_PORT_AT = 10;
    private static final int TO_AT = 12;
    private static final int BINDING_BYTES = 28;

    private static final ValueLayout.OfShort BE_SHORT = JAVA_SHORT_UNALIGNED.withOrder(ByteOrder.BIG_ENDIAN);
    private static final ValueLayout.OfInt BE_INT = JAVA_INT_UNALIGNED.withOrder(ByteOrder.BIG_ENDIAN);
    private static final ValueLayout.OfLong BE_LONG = JAVA_LONG_UNALIGNED.withOrder(ByteOrder.BIG_ENDIAN);

    private RecordCodec() {}

    /**
     * Writes a whole message.
     *
     * @param home hash of the tuple whose home is to get it
     * @param fromCopy it tells the owner what a holder of a copy has seen
     * @return the frame's length
     */
    public static int write(MemorySegment to, long at, Connection connection, int home, boolean fromCopy) {
        int body = FIXED_BYTES + BINDING_BYTES * connection.bindings();
        StateMessage.header(to, at, home, StateMessage.CONNECTION, body);
        long here = at + StateMessage.BODY;
        ConnectionKey key = connection.forward;
        to.set(JAVA_BYTE, here + PHASE_AT, (byte) connection.phase());
        to.set(JAVA_BYTE, here + PROTOCOL_AT, (byte) key.protocol());
        to.set(BE_SHORT, here + SRC_PORT_AT, (short) key.srcPort());
        to.set(BE_SHORT, here + DST_PORT_AT, (short) key.dstPort());
        to.set(BE_SHORT, here + TCI_AT, (short) connection.vlanTci());
        to.set(BE_INT, here + EPOCH_AT, connection.epoch());
        to.set(JAVA_BYTE, here + BINDINGS_AT, (byte) connection.bindings());
        to.set(JAVA_BYTE, here + FROM_COPY_AT, (byte) (fromCopy ? 1 : 0));
        putMac(to, here + SRC_MAC_AT, connection.srcMac());
        putMac(to, here + DST_MAC_AT, connection.dstMac());
        twoLongs(to, here + PORT_AT, connection.portHigh(), connection.portLow());
        twoLongs(to, here + SCOPE_AT, key.scope(), connection.answer.scope());
        twoLongs(to, here + SRC_AT, key.srcHigh(), key.srcLow());
        twoLongs(to, here + DST_AT, key.dstHigh(), key.dstLow());
        twoLongs(to, here + OWNER_AT, connection.ownerHigh(), connection.ownerLow());
        for (int i = 0; i < connection.bindings(); i++) {
            long binding = here + FIXED_BYTES + (long) BINDING_BYTES * i;
            to.set(BE_LONG, binding, connection.device(i));
            to.set(BE_SHORT, binding + KIND_AT, (short) (connection.kind(i) << 8));
            to.set(BE_SHORT, binding + TO_PORT_AT, (short) connection.l4Port(i));
            twoLongs(to, binding + TO_AT, connection.high(i), connection.low(i));
        }
        return StateMessage.BODY + body;
    }

    /** Reads a message that {@link StateMessage#check} found good. */
    public static void read(MemorySegment from, long at, Connection into) {
        long here = at + StateMessage.BODY;
        into.clear();
        into.state(from.get(JAVA_BYTE, here + PHASE_AT), from.get(BE_INT, here + EPOCH_AT), false);
        into.port(longAt(from, here + PORT_AT), longAt(from, here + PORT_AT + 8));
        into.frame(macAt(from, here + SRC_MAC_AT), macAt(from, here + DST_MAC_AT), unsignedShort(from, here + TCI_AT));
        into.owner(longAt(from, here + OWNER_AT), longAt(from, here + OWNER_AT + 8));
        ConnectionKey key = into.forward;
        key.protocol(Byte.toUnsignedInt(from.get(JAVA_BYTE, here + PROTOCOL_AT)));
        key.scope(longAt(from, here + SCOPE_AT));
        key.src(longAt(from, here + SRC_AT), longAt(from, here + SRC_AT + 8), unsignedShort(from, here + SRC_PORT_AT));
        key.dst(longAt(from, here + DST_AT), longAt(from, here + DST_AT + 8), unsignedShort(from, here + DST_PORT_AT));
        int bindings = from.get(JAVA_BYTE, here + BINDINGS_AT);
        for (int i = 0; i < bindings; i++) {
            long binding = here + FIXED_BYTES + (long) BINDING_BYTES * i;
            into.bind(
                    longAt(from, binding),
                    from.get(JAVA_BYTE, binding + KIND_AT),
                    longAt(from, binding + TO_AT),
                    longAt(from, binding + TO_AT + 8),
                    unsignedShort(from, binding + TO_PORT_AT));
        }
        into.answerAt(longAt(from, here + ANSWER_SCOPE_AT));
    }

    /** Whether a holder of a copy says it, to the owner. */
    public static boolean isFromCopy(MemorySegment from, long at) {
        return from.get(JAVA_BYTE, at + StateMessage.BODY + FROM_COPY_AT) != 0;
    }

    static boolean isLength(int body) {
        int bindings = (body - FIXED_BYTES) / BINDING_BYTES;
        return body >= FIXED_BYTES
                && bindings <= Connection.MAX_BINDINGS
                && body == FIXED_BYTES + bindings * BINDING_BYTES;
    }

    /** Phase, number and kinds of bindings, and one family throughout. */
    static boolean isPossible(MemorySegment from, long here, int body) {
        int bindings = from.get(JAVA_BYTE, here + BINDINGS_AT);
        boolean v4 = isV4At(from, here + SRC_AT);
        if (!Phase.isPhase(from.get(JAVA_BYTE, here + PHASE_AT))
                || bindings < 0
                || body != FIXED_BYTES + BINDING_BYTES * bindings
                || isV4At(from, here + DST_AT) != v4) {
            return false;
        }
        for (int i = 0; i < bindings; i++) {
            long binding = here + FIXED_BYTES + (long) BINDING_BYTES * i;
            int kind = from.get(JAVA_BYTE, binding + KIND_AT);
            boolean known = kind == Connection.SOURCE || kind == Connection.DESTINATION;
            if (!known || isV4At(from, binding + TO_AT) != v4) {
                return false;
            }
        }
        return true;
    }

    private static boolean isV4At(MemorySegment from, long at) {
        return IpAddress.isV4(longAt(from, at), longAt(from, at + 8));
    }

    private static void putMac(MemorySegment to, long at, long mac) {
        to.set(BE_SHORT, at, (short) (mac >>> 32));
        to.set(BE_INT, at + 2, (int) mac);
    }

    private static long macAt(MemorySegment from, long at) {
        return (long) unsignedShort(from, at) << 32 | from.get(BE_INT, at + 2) & 0xffff_ffffL;
    }

    private static void twoLongs(MemorySegment to, long at, long high, long low) {
        to.set(BE_LONG, at, high);
        to.set(BE_LONG, at + 8, low);
    }

    private static long longAt(MemorySegment from, long at) {
        return from.get(BE_LONG, at);
    }

    private static int unsignedShort(MemorySegment from, long at) {
        return Short.toUnsignedInt(from.get(BE_SHORT, at));
    }
}
