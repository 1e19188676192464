package dev.weft.sim;

import dev.weft.base.HotPath;

/**
 * Addresses that no router forwards, each judged on as few bits as prove it (counted in the 128-bit form). The family
 * is known before.
 */
@HotPath
final class IpRules {
    private static final int V4_BITS = 96;
    private static final int V4_LINK_LOCAL = 0xa9fe; // 169.254/16

    private IpRules() {}

    /** Not one host: 0/8, 127/8, 224/3; ::, ::1, ff00::/8. */
    static boolean useIsBadSource(Simulation sim, boolean v4) {
        int bits = badBits(sim.srcHigh(), v4);
        sim.useSrcHigh(bits);
        return isBad(sim.srcHigh(), sim.srcLow(), v4);
    }

    /** As for sources: nothing a packet could be forwarded to. Groups are among them. */
    static boolean useIsBadDestination(Simulation sim, boolean v4) {
        int bits = badBits(sim.dstHigh(), v4);
        sim.useDstHigh(bits);
        return isBad(sim.dstHigh(), sim.dstLow(), v4);
    }

    private static int badBits(long high, boolean v4) {
        return v4 ? V4_BITS + 8 : high >>> 56 == 0 ? 128 : 8;
    }

    private static boolean isBad(long high, long low, boolean v4) {
        if (v4) {
            int first = (int) (low >>> 24) & 0xff;
            return first == 0 || first == 127 || first >= 224;
        }
        return high >>> 56 == 0xff || high == 0 && low >>> 1 == 0;
    }

    /** 169.254/16, fe80::/10, in source or destination. */
    static boolean useIsLinkLocal(Simulation sim, boolean v4) {
        sim.useSrcHigh(linkLocalBits(sim.srcLow(), v4));
        sim.useDstHigh(linkLocalBits(sim.dstLow(), v4));
        return isLinkLocal(sim.srcHigh(), sim.srcLow(), v4) || isLinkLocal(sim.dstHigh(), sim.dstLow(), v4);
    }

    private static int linkLocalBits(long low, boolean v4) {
        if (!v4) {
            return 10;
        }
        return ((int) (low >>> 24) & 0xff) == V4_LINK_LOCAL >>> 8 ? V4_BITS + 16 : V4_BITS + 8;
    }

    static boolean isLinkLocal(long high, long low, boolean v4) {
        return v4 ? ((int) (low >>> 16) & 0xffff) == V4_LINK_LOCAL : high >>> 54 == 0xfe80 >>> 6;
    }

    /** Of a bad destination: multicast. Needs no more bits than that. */
    static boolean isMulticast(long high, long low, boolean v4) {
        return v4 ? (low >>> 28 & 0xf) == 0xe : high >>> 56 == 0xff;
    }
}
