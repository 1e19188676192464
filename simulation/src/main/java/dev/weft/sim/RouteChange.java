package dev.weft.sim;

import dev.weft.base.HotPath;
import dev.weft.base.IpPrefix;
import java.util.UUID;

/** The routes of exactly this prefix on this router are others now: added, removed or changed. */
public record RouteChange(UUID router, IpPrefix prefix) {
    /**
     * Whether the change concerns a decision of this router that an {@link Outcome} reports as a routed read: the
     * prefix touches the addresses the decision holds for, and is not shorter than the one it was made by.
     */
    public boolean concerns(long high, long low, int provenBits, int matchedBits) {
        return concerns(prefix.high(), prefix.low(), prefix.bits(), high, low, provenBits, matchedBits);
    }

    @HotPath
    static boolean concerns(
            long prefixHigh, long prefixLow, int prefixBits, long high, long low, int provenBits, int matchedBits) {
        int shorter = Math.min(prefixBits, provenBits);
        return prefixBits >= matchedBits
                && ((prefixHigh ^ high) & IpPrefix.highMask(shorter)) == 0
                && ((prefixLow ^ low) & IpPrefix.lowMask(shorter)) == 0;
    }
}
