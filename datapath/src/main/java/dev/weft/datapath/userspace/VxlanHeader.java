package dev.weft.datapath.userspace;

import dev.weft.base.HotPath;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;

/** VXLAN header (RFC 7348 §5): {@code R R R R I R R R (8) reserved(24) | VNI(24) reserved(8)}. */
@HotPath
final class VxlanHeader {
    static final int LENGTH = 8;

    /** {@link #vni} of a header that is not one. */
    static final int BAD = -1;

    private static final int FLAG_VNI = 0x0800_0000;
    private static final int SHORTEST_FRAME = 14;
    private static final ValueLayout.OfInt BE_INT = ValueLayout.JAVA_INT_UNALIGNED.withOrder(ByteOrder.BIG_ENDIAN);

    private VxlanHeader() {}

    /** First word of a header. */
    static int flags() {
        return FLAG_VNI;
    }

    /** Second word of a header. */
    static int vniWord(int vni) {
        return vni << 8;
    }

    /**
     * The VNI of a datagram of {@code length} bytes, or {@link #BAD}. RFC 7348 lets a receiver ignore reserved bits;
     * here every sender is a Weft agent, so a set bit is an extension (GPE, group policy) that we would misread.
     */
    static int vni(MemorySegment datagram, long at, int length) {
        if (length < LENGTH + SHORTEST_FRAME || datagram.get(BE_INT, at) != FLAG_VNI) {
            return BAD;
        }
        int word = datagram.get(BE_INT, at + 4);
        return (word & 0xff) == 0 ? word >>> 8 : BAD;
    }
}
