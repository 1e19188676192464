package dev.weft.state;

import dev.weft.base.Hashing;
import dev.weft.base.HotPath;

/**
 * The symmetric hash of a conversation: both directions give the same 32 bits, so that one worker is home to both. The
 * definition is shared with the kernel program; {@code golden/connection-hash.txt} holds the vectors both must meet.
 *
 * <pre>
 * endpoint = (address high, address low, port), compared as unsigned numbers in that order; A is the lower one, B the other
 * mix(z)       : z ^= z >> 30; z *= 0xbf58476d1ce4e5b9; z ^= z >> 27; z *= 0x94d049bb133111eb; z ^= z >> 31
 * step(h, w)   : mix(h * 0x9e3779b97f4a7c15 + w)
 * h            = step(step(step(step(0x57656674, A.high), A.low), B.high), B.low)
 * h            = step(h, protocol << 32 | A.port << 16 | B.port)
 * result       = h >> 32
 * </pre>
 *
 * <p>All words are unsigned 64 bits with wrapping arithmetic and logical shifts; IPv4 is mapped (high 0, low
 * {@code 0x0000ffff_aabbccdd}). What the fields are for packets that are not TCP or UDP:
 *
 * <ul>
 *   <li>ICMP and ICMPv6 echo: the identifier as both ports; other ICMP messages about no other packet: ports 0.
 *   <li>ICMP errors: the tuple they quote (direction does not matter).
 *   <li>other IP protocols, and fragments of any protocol: ports 0.
 *   <li>not IP: each MAC as its endpoint's address low, all else 0.
 * </ul>
 */
@HotPath
public final class ConnectionHash {
    private static final long SEED = 0x5765_6674L; // "Weft"

    private ConnectionHash() {}

    /**
     * @param protocol 0..255
     * @param srcPort 0..65535
     * @param dstPort 0..65535
     */
    public static int of(long srcHigh, long srcLow, long dstHigh, long dstLow, int protocol, int srcPort, int dstPort) {
        return isLower(srcHigh, srcLow, srcPort, dstHigh, dstLow, dstPort)
                ? ordered(srcHigh, srcLow, srcPort, dstHigh, dstLow, dstPort, protocol)
                : ordered(dstHigh, dstLow, dstPort, srcHigh, srcLow, srcPort, protocol);
    }

    /** The worker of {@code workers} that is home to this hash: the remainder of the unsigned division. */
    public static int home(int hash, int workers) {
        return Integer.remainderUnsigned(hash, workers);
    }

    private static boolean isLower(long high, long low, int port, long otherHigh, long otherLow, int otherPort) {
        if (high != otherHigh) {
            return Long.compareUnsigned(high, otherHigh) < 0;
        }
        return low != otherLow ? Long.compareUnsigned(low, otherLow) < 0 : port < otherPort;
    }

    private static int ordered(long aHigh, long aLow, int aPort, long bHigh, long bLow, int bPort, int protocol) {
        long h = Hashing.combine(SEED, aHigh);
        h = Hashing.combine(h, aLow);
        h = Hashing.combine(h, bHigh);
        h = Hashing.combine(h, bLow);
        h = Hashing.combine(h, (long) protocol << 32 | (long) aPort << 16 | bPort);
        return (int) (h >>> 32);
    }
}
