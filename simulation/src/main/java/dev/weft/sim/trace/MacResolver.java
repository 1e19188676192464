package dev.weft.sim.trace;

import dev.weft.base.IpAddress;

/** Finds the MACs that an expression leaves out: what the sender's own stack would put there. */
public interface MacResolver {
    /** Not known: the MAC is derived from the address. */
    long UNKNOWN = -1;

    /** Knows nothing: every MAC is derived from its address. */
    MacResolver DERIVED = new MacResolver() {
        @Override
        public long srcMac(IpAddress src) {
            return UNKNOWN;
        }

        @Override
        public long dstMac(IpAddress src, IpAddress dst) {
            return UNKNOWN;
        }
    };

    /** The MAC of the sender, or {@link #UNKNOWN}. */
    long srcMac(IpAddress src);

    /** Where the sender would send this on the link: the destination's MAC or its gateway's, or {@link #UNKNOWN}. */
    long dstMac(IpAddress src, IpAddress dst);

    /** 02:00 and the last 32 bits of the address: locally administered, the same each time. */
    static long derived(IpAddress address) {
        return 0x0200_0000_0000L | address.low() & 0xffff_ffffL;
    }
}
