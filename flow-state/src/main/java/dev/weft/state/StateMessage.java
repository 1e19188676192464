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
 * What workers tell each other, as an Ethernet frame of its own kind, so that it takes the same tunnel in the same
 * order as the data packet behind it. Big-endian; layout 1:
 *
 * <pre>
 *  0  destination MAC, source MAC: 0
 * 12  ethertype 0x88B5 (IEEE 802 local experimental 1)
 * 14  home hash (32): the receiving host gives the frame to worker {@code hash mod its workers}
 * 18  version (8) = 1 | kind (8) | length of what follows this word (16)
 * 22  NEIGHBOUR_ASK (52)    router id (128) address (128) asker's underlay address (128) asker's home hash (32)
 * 22  MAC_LEARNED (40)      bridge id (128) port id (128) MAC (48) VLAN id (16; 0 = untagged)
 * 22  NEIGHBOUR_ANSWER (70) router id (128) address (128) MAC (48) router port id (128) VM's port id (128)
 * 22  CONNECTION (106..234) see RecordCodec
 * 22  GUARDED (32..1618)    port id (128) said (8) 0 (8) frame
 * </pre>
 *
 * <p>A frame is hostile until {@link #check} has said {@link #OK}; accessors after that only. Bytes behind the stated
 * length are padding. A change of layout is a new version: a receiver counts versions it does not know and drops them.
 */
@HotPath
public final class StateMessage {
    public static final int ETHERTYPE = 0x88B5;

    /** The tunnel key of state messages on every host; never given to a port. */
    public static final int TUNNEL_KEY = 0xFFFFFF;

    /** The longest message but one that carries a packet, frame and all. */
    public static final int MAX_LENGTH = 256;

    // 1 was a connection of a stateful port, which had one tuple only.
    public static final int NEIGHBOUR_ASK = 2;
    public static final int NEIGHBOUR_ANSWER = 3;
    public static final int MAC_LEARNED = 4;
    /** A connection; see {@link RecordCodec}. */
    public static final int CONNECTION = 5;

    /** A Serval control packet of a guarded port: to its VM, for the guard to judge, or from it, for the guard to know. */
    public static final int GUARDED = 6;

    /** The longest packet in a {@link #GUARDED}. */
    public static final int MAX_PACKET_LENGTH = 1600;

    /** Results of {@link #check}. */
    public static final int OK = 0;

    /** Shorter than it says, or than a message can be. */
    public static final int TRUNCATED = 1;

    public static final int NOT_STATE = 2;
    public static final int UNKNOWN_VERSION = 3;
    public static final int UNKNOWN_KIND = 4;
    /** The stated length is not that of its kind. */
    public static final int WRONG_LENGTH = 5;
    /** A field holds what no sender writes: a phase, a family, an address or a MAC that cannot be. */
    public static final int WRONG_VALUE = 6;

    /** How many results there are, for counters by result. */
    public static final int RESULTS = 7;

    private static final int VERSION = 1;
    private static final int ETHERTYPE_AT = 12;
    private static final int HOME_AT = 14;
    private static final int VERSION_AT = 18;
    private static final int KIND_AT = 19;
    private static final int LENGTH_AT = 20;
    static final int BODY = 22;

    private static final int ROUTER_AT = BODY;
    private static final int ADDRESS_AT = BODY + 16;
    private static final int ASKER_AT = BODY + 32;
    private static final int ASKER_HOME_AT = BODY + 48;
    private static final int ASK_BYTES = 52;
    private static final int MAC_AT = BODY + 32;
    private static final int ROUTER_PORT_AT = BODY + 38;
    private static final int VM_PORT_ID_AT = BODY + 54;
    private static final int ANSWER_BYTES = 70;

    private static final int BRIDGE_AT = BODY;
    private static final int MAC_PORT_AT = BODY + 16;
    private static final int LEARNED_MAC_AT = BODY + 32;
    private static final int VLAN_AT = BODY + 38;
    private static final int LEARNED_BYTES = 40;
    private static final int MAX_VLAN = 4095;

    private static final int GUARDED_PORT_AT = BODY;
    private static final int SAID_AT = BODY + 16;
    /** Where the packet of a {@link #GUARDED} begins. */
    public static final int PACKET_AT = BODY + 18;

    private static final int ETHERNET_BYTES = 14;
    /** What no message states. */
    private static final int NO_LENGTH = Integer.MAX_VALUE;

    /** The longest message of any kind. */
    public static final int MAX_GUARDED_LENGTH = PACKET_AT + MAX_PACKET_LENGTH;

    private static final ValueLayout.OfShort BE_SHORT = JAVA_SHORT_UNALIGNED.withOrder(ByteOrder.BIG_ENDIAN);
    private static final ValueLayout.OfInt BE_INT = JAVA_INT_UNALIGNED.withOrder(ByteOrder.BIG_ENDIAN);
    private static final ValueLayout.OfLong BE_LONG = JAVA_LONG_UNALIGNED.withOrder(ByteOrder.BIG_ENDIAN);

    private StateMessage() {}

    /**
     * Writes the question who in the router's network has an address.
     *
     * @param askerHome any hash whose home on the asking host is the asking worker; the answer comes back to it
     * @return the frame's length
     */
    public static int writeNeighbourAsk(
            MemorySegment to,
            long at,
            long routerHigh,
            long routerLow,
            long high,
            long low,
            long askerHigh,
            long askerLow,
            int askerHome) {
        header(to, at, homeOfNeighbour(routerHigh, routerLow, high, low), NEIGHBOUR_ASK, ASK_BYTES);
        twoLongs(to, at + ROUTER_AT, routerHigh, routerLow);
        twoLongs(to, at + ADDRESS_AT, high, low);
        twoLongs(to, at + ASKER_AT, askerHigh, askerLow);
        to.set(BE_INT, at + ASKER_HOME_AT, askerHome);
        return BODY + ASK_BYTES;
    }

    /**
     * Writes the answer to such a question.
     *
     * @param home the asker's home hash, from the question
     * @param portHigh of the router's port that the neighbour is behind
     * @param vmPortHigh of the port that the answer came in by: where the MAC is
     * @return the frame's length
     */
    public static int writeNeighbourAnswer(
            MemorySegment to,
            long at,
            int home,
            long routerHigh,
            long routerLow,
            long high,
            long low,
            long mac,
            long portHigh,
            long portLow,
            long vmPortHigh,
            long vmPortLow) {
        header(to, at, home, NEIGHBOUR_ANSWER, ANSWER_BYTES);
        twoLongs(to, at + ROUTER_AT, routerHigh, routerLow);
        twoLongs(to, at + ADDRESS_AT, high, low);
        to.set(BE_SHORT, at + MAC_AT, (short) (mac >>> 32));
        to.set(BE_INT, at + MAC_AT + 2, (int) mac);
        twoLongs(to, at + ROUTER_PORT_AT, portHigh, portLow);
        twoLongs(to, at + VM_PORT_ID_AT, vmPortHigh, vmPortLow);
        return BODY + ANSWER_BYTES;
    }

    /**
     * Writes that a bridge's port has a MAC, ahead of the first frame that the hosts told see of it.
     *
     * @param vlan 0 for untagged
     * @return the frame's length
     */
    public static int writeMacLearned(
            MemorySegment to,
            long at,
            long bridgeHigh,
            long bridgeLow,
            long portHigh,
            long portLow,
            long mac,
            int vlan) {
        header(to, at, (int) mac, MAC_LEARNED, LEARNED_BYTES);
        twoLongs(to, at + BRIDGE_AT, bridgeHigh, bridgeLow);
        twoLongs(to, at + MAC_PORT_AT, portHigh, portLow);
        to.set(BE_SHORT, at + LEARNED_MAC_AT, (short) (mac >>> 32));
        to.set(BE_INT, at + LEARNED_MAC_AT + 2, (int) mac);
        to.set(BE_SHORT, at + VLAN_AT, (short) vlan);
        return BODY + LEARNED_BYTES;
    }

    /**
     * Writes that a packet is to reach, or came from, the VM behind a guarded port.
     *
     * @param said it came from the VM
     * @param length of the packet: 14..{@link #MAX_PACKET_LENGTH}
     * @return the frame's length
     */
    public static int writeGuarded(
            MemorySegment to,
            long at,
            long portHigh,
            long portLow,
            boolean said,
            MemorySegment packet,
            long offset,
            int length) {
        header(to, at, homeOfPort(portHigh, portLow), GUARDED, PACKET_AT - BODY + length);
        twoLongs(to, at + GUARDED_PORT_AT, portHigh, portLow);
        to.set(JAVA_BYTE, at + SAID_AT, (byte) (said ? 1 : 0));
        to.set(JAVA_BYTE, at + SAID_AT + 1, (byte) 0);
        MemorySegment.copy(packet, offset, to, at + PACKET_AT, length);
        return PACKET_AT + length;
    }

    /** One worker of a host has the guard of a port. */
    public static int homeOfPort(long portHigh, long portLow) {
        return ConnectionHash.of(portHigh, portLow, 0, 0, 0, 0, 0);
    }

    /** {@link #OK}, or why this is not a message: one of the codes up to {@link #RESULTS}. */
    public static int check(MemorySegment from, long at, int length) {
        if (length < BODY) {
            return length >= HOME_AT && !isState(from, at) ? NOT_STATE : TRUNCATED;
        }
        if (!isState(from, at)) {
            return NOT_STATE;
        }
        if (from.get(JAVA_BYTE, at + VERSION_AT) != VERSION) {
            return UNKNOWN_VERSION;
        }
        int stated = unsignedShort(from, at + LENGTH_AT);
        int expected = expectedBytes(kind(from, at), stated);
        if (expected < 0) {
            return UNKNOWN_KIND;
        }
        if (stated != expected) {
            return WRONG_LENGTH;
        }
        if (length < BODY + expected) {
            return TRUNCATED;
        }
        return hasPossibleValues(from, at) ? OK : WRONG_VALUE;
    }

    /** What a code of {@link #check} means, for people. */
    public static String describe(int result) {
        return switch (result) {
            case OK -> "ok";
            case TRUNCATED -> "truncated";
            case NOT_STATE -> "not-state";
            case UNKNOWN_VERSION -> "unknown-version";
            case UNKNOWN_KIND -> "unknown-kind";
            case WRONG_LENGTH -> "wrong-length";
            case WRONG_VALUE -> "wrong-value";
            default -> throw new IllegalArgumentException("result " + result + " (expected 0.." + (RESULTS - 1) + ")");
        };
    }

    public static int kind(MemorySegment from, long at) {
        return Byte.toUnsignedInt(from.get(JAVA_BYTE, at + KIND_AT));
    }

    public static int homeHash(MemorySegment from, long at) {
        return from.get(BE_INT, at + HOME_AT);
    }

    /** Of a question or an answer, as the next three. */
    public static long routerHigh(MemorySegment from, long at) {
        return longAt(from, at + ROUTER_AT);
    }

    public static long routerLow(MemorySegment from, long at) {
        return longAt(from, at + ROUTER_AT + 8);
    }

    public static long addressHigh(MemorySegment from, long at) {
        return longAt(from, at + ADDRESS_AT);
    }

    public static long addressLow(MemorySegment from, long at) {
        return longAt(from, at + ADDRESS_AT + 8);
    }

    /** Of a question, as the next two: the underlay address the answer goes to. */
    public static long askerHigh(MemorySegment from, long at) {
        return longAt(from, at + ASKER_AT);
    }

    public static long askerLow(MemorySegment from, long at) {
        return longAt(from, at + ASKER_AT + 8);
    }

    public static int askerHome(MemorySegment from, long at) {
        return from.get(BE_INT, at + ASKER_HOME_AT);
    }

    /** Of an answer. */
    public static long mac(MemorySegment from, long at) {
        return macAt(from, at + MAC_AT);
    }

    /** Of an answer, as the next three: the router's port that the neighbour is behind. */
    public static long routerPortHigh(MemorySegment from, long at) {
        return longAt(from, at + ROUTER_PORT_AT);
    }

    public static long routerPortLow(MemorySegment from, long at) {
        return longAt(from, at + ROUTER_PORT_AT + 8);
    }

    /** The port of the VM that said so. */
    public static long vmPortHigh(MemorySegment from, long at) {
        return longAt(from, at + VM_PORT_ID_AT);
    }

    public static long vmPortLow(MemorySegment from, long at) {
        return longAt(from, at + VM_PORT_ID_AT + 8);
    }

    /** Of a MAC_LEARNED, as the rest. */
    public static long bridgeHigh(MemorySegment from, long at) {
        return longAt(from, at + BRIDGE_AT);
    }

    public static long bridgeLow(MemorySegment from, long at) {
        return longAt(from, at + BRIDGE_AT + 8);
    }

    public static long macPortHigh(MemorySegment from, long at) {
        return longAt(from, at + MAC_PORT_AT);
    }

    public static long macPortLow(MemorySegment from, long at) {
        return longAt(from, at + MAC_PORT_AT + 8);
    }

    public static long learnedMac(MemorySegment from, long at) {
        return macAt(from, at + LEARNED_MAC_AT);
    }

    public static int vlan(MemorySegment from, long at) {
        return unsignedShort(from, at + VLAN_AT);
    }

    /** Of a GUARDED, as the rest. */
    public static long guardedPortHigh(MemorySegment from, long at) {
        return longAt(from, at + GUARDED_PORT_AT);
    }

    public static long guardedPortLow(MemorySegment from, long at) {
        return longAt(from, at + GUARDED_PORT_AT + 8);
    }

    /** It came from the VM; only workers of one host tell each other. */
    public static boolean isSaid(MemorySegment from, long at) {
        return from.get(JAVA_BYTE, at + SAID_AT) != 0;
    }

    /** From {@link #PACKET_AT} on. */
    public static int packetLength(MemorySegment from, long at) {
        return unsignedShort(from, at + LENGTH_AT) - (PACKET_AT - BODY);
    }

    /** One worker of a host hears all questions about one address. */
    private static int homeOfNeighbour(long routerHigh, long routerLow, long high, long low) {
        return ConnectionHash.of(routerHigh, routerLow, high, low, 0, 0, 0);
    }

    static void header(MemorySegment to, long at, int home, int kind, int bodyBytes) {
        to.set(JAVA_LONG_UNALIGNED, at, 0);
        to.set(JAVA_INT_UNALIGNED, at + 8, 0);
        to.set(BE_SHORT, at + ETHERTYPE_AT, (short) ETHERTYPE);
        to.set(BE_INT, at + HOME_AT, home);
        to.set(JAVA_BYTE, at + VERSION_AT, (byte) VERSION);
        to.set(JAVA_BYTE, at + KIND_AT, (byte) kind);
        to.set(BE_SHORT, at + LENGTH_AT, (short) bodyBytes);
    }

    private static boolean isState(MemorySegment from, long at) {
        return unsignedShort(from, at + ETHERTYPE_AT) == ETHERTYPE;
    }

    /** As stated, where the kind allows that; negative of an unknown kind. */
    private static int expectedBytes(int kind, int stated) {
        int packet = stated - (PACKET_AT - BODY);
        return switch (kind) {
            case CONNECTION -> RecordCodec.isLength(stated) ? stated : NO_LENGTH;
            case GUARDED -> packet >= ETHERNET_BYTES && packet <= MAX_PACKET_LENGTH ? stated : NO_LENGTH;
            case NEIGHBOUR_ASK -> ASK_BYTES;
            case NEIGHBOUR_ANSWER -> ANSWER_BYTES;
            case MAC_LEARNED -> LEARNED_BYTES;
            default -> -1;
        };
    }

    private static boolean hasPossibleValues(MemorySegment from, long at) {
        return switch (kind(from, at)) {
            case CONNECTION -> RecordCodec.isPossible(from, at + BODY, unsignedShort(from, at + LENGTH_AT));
            case GUARDED -> from.get(JAVA_BYTE, at + SAID_AT) >>> 1 == 0 && from.get(JAVA_BYTE, at + SAID_AT + 1) == 0;
            case NEIGHBOUR_ASK -> isHostAt(from, at + ADDRESS_AT) && isHostAt(from, at + ASKER_AT);
            case NEIGHBOUR_ANSWER -> isHostAt(from, at + ADDRESS_AT) && isStationAt(from, at + MAC_AT);
            default -> isStationAt(from, at + LEARNED_MAC_AT) && vlan(from, at) <= MAX_VLAN;
        };
    }

    /** Neither a group nor "no address" of either family. */
    private static boolean isHostAt(MemorySegment from, long at) {
        long high = longAt(from, at);
        long low = longAt(from, at + 8);
        boolean none = high == 0 && (low == 0 || low == IpAddress.V4_MARK);
        return !none && !IpAddress.isGroup(high, low);
    }

    /** Neither a group nor no MAC at all. */
    private static boolean isStationAt(MemorySegment from, long at) {
        long mac = macAt(from, at);
        return mac != 0 && (mac >>> 40 & 1) == 0;
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
