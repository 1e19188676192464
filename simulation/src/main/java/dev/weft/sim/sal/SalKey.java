package dev.weft.sim.sal;

import dev.weft.base.HotPath;
import dev.weft.sim.flow.FlowKey;
import java.lang.foreign.MemorySegment;

/**
 * The words of a {@link FlowKey} that a SAL packet has. The kernel program reads them by the same rule, so it is one of
 * fixed offsets, without loops; {@code golden/sal-key.txt} holds the packets both must agree on.
 *
 * <pre>
 * where   IPv4, not a fragment: protocol 144, s = the octet behind the IPv4 header (with its options), n = octets from s
 *         to the IPv4 total length; or protocol 17 with source or destination port 54324 or 54325, s = the octet behind
 *         the UDP header, n = UDP length - 8
 * if      n >= 12, shl = s[8] >= 3, 4 * shl <= n; encapsulated also s[9] = 6 or 17. Else the fields are 0.
 *
 * flow id            s[4..7]
 * control, digest    shl = 3:                                           0, 0
 *                    shl >= 8, s[12] >> 4 = 1, s[13] = 20 (CONTROL):    s[14] & 0xec; and if
 *                        shl >= 17, s[32] >> 4 = 2, s[33] = 36 (SERVICE):   | 0x02, digest of s[36..67]
 *                    shl >= 12, s[12] >> 4 = 2, s[13] = 36 (SERVICE):   0x03, digest of s[16..47]
 *                    any other:                                         0x01, 0
 *
 * digest  w0..w3 = the 32 octets of the service id as four 64-bit numbers, first octet highest
 *         h = 0x57656674; for each w:  h = (h ^ w) * 0x9e3779b97f4a7c15; h ^= h >> 32 (logical)
 * </pre>
 *
 * <p>All arithmetic wraps at 64 bits. Neither lengths of further extensions nor the checksum are looked at: such packets
 * are found out when they reach user space. The digest is for telling services apart in flows, not against forgery. A
 * packet whose extensions do not begin with CONTROL ({@link #OTHER_ORDER}) may hide one further on: what is decided by
 * control flags is not cached for it.
 */
@HotPath
public final class SalKey {
    /** Bits of {@link FlowKey#salControl} beside the flags of {@link SalControl}. */
    public static final int OTHER_ORDER = 0x01;

    public static final int NAMES_SERVICE = 0x02;

    /** SYN, RSYN, ACK, RST, FIN. */
    private static final int KEY_FLAGS = SalControl.FLAGS & ~SalControl.NACK;

    private static final long SEED = 0x5765_6674L; // "Weft"
    private static final long FACTOR = 0x9e37_79b9_7f4a_7c15L;

    private static final int TCP = 6;
    private static final int UDP = 17;
    private static final int FIRST = SalHeader.LENGTH;
    private static final int BEHIND_CONTROL = FIRST + SalControl.LENGTH;

    private SalKey() {}

    /** Whether UDP between these ports may carry SAL. */
    public static boolean isEncapsulation(int srcPort, int dstPort) {
        return srcPort == SalHeader.UDP_CLIENT_PORT
                || srcPort == SalHeader.UDP_SERVER_PORT
                || dstPort == SalHeader.UDP_CLIENT_PORT
                || dstPort == SalHeader.UDP_SERVER_PORT;
    }

    /** Whether {@code available} octets begin with what may be a SAL header. */
    static boolean mayBeSal(MemorySegment segment, long at, long available, boolean encapsulated) {
        if (available < SalHeader.LENGTH) {
            return false;
        }
        int length = SalHeader.length(segment, at);
        int protocol = SalHeader.protocol(segment, at);
        return length >= SalHeader.LENGTH
                && length <= available
                && (!encapsulated || protocol == TCP || protocol == UDP);
    }

    /** Of a header that {@link #mayBeSal}. */
    static void fill(FlowKey key, MemorySegment segment, long at) {
        int length = SalHeader.length(segment, at);
        int flow = SalHeader.dstFlow(segment, at);
        if (length == SalHeader.LENGTH) {
            key.setSal(0, flow, 0);
        } else if (isAt(segment, at, FIRST, length, SalExtension.CONTROL, SalControl.LENGTH)) {
            int flags = SalControl.flags(segment, at + FIRST) & KEY_FLAGS;
            if (isAt(segment, at, BEHIND_CONTROL, length, SalExtension.SERVICE, SalService.LENGTH)) {
                key.setSal(flags | NAMES_SERVICE, flow, digest(segment, at + BEHIND_CONTROL));
            } else {
                key.setSal(flags, flow, 0);
            }
        } else if (isAt(segment, at, FIRST, length, SalExtension.SERVICE, SalService.LENGTH)) {
            key.setSal(OTHER_ORDER | NAMES_SERVICE, flow, digest(segment, at + FIRST));
        } else {
            key.setSal(OTHER_ORDER, flow, 0);
        }
    }

    private static boolean isAt(MemorySegment segment, long at, int offset, int end, int type, int length) {
        return end >= offset + length
                && SalExtension.type(segment, at + offset) == type
                && SalExtension.length(segment, at + offset) == length;
    }

    private static long digest(MemorySegment segment, long service) {
        return digest(
                SalService.word(segment, service, 0),
                SalService.word(segment, service, 1),
                SalService.word(segment, service, 2),
                SalService.word(segment, service, 3));
    }

    /** The digest of a service id, given as its four words. */
    public static long digest(long word0, long word1, long word2, long word3) {
        return step(step(step(step(SEED, word0), word1), word2), word3);
    }

    private static long step(long h, long word) {
        long product = (h ^ word) * FACTOR;
        return product ^ product >>> 32;
    }

    /** A flow id as the 16 bits of a port, for the hash that finds a packet's home. */
    public static int fold(int flowId) {
        return (flowId ^ flowId >>> 16) & 0xffff;
    }
}
