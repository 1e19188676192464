package dev.weft.sim.flow;

import dev.weft.base.HotPath;
import dev.weft.base.IpPrefix;
import java.util.Arrays;

/**
 * Which bits of a {@link FlowKey} prove an outcome, in the key's layout. Bits are only ever added while a packet is
 * simulated. A packet equal to another on the mask must get the same outcome. Not thread safe; reused per packet.
 */
@HotPath
public final class FlowMask {
    private final long[] words = new long[FlowKey.WORDS];

    public long word(int index) {
        return words[index];
    }

    public void setWord(int index, long value) {
        words[index] = value;
    }

    /** No bit counts; ingress port and tunnel key always do, since a flow belongs to one ingress. */
    public void clear() {
        Arrays.fill(words, 0);
        words[0] = -1L;
    }

    /** Every bit counts: an exact-match flow. */
    public void exact() {
        Arrays.fill(words, -1L);
    }

    public void copyFrom(FlowMask other) {
        System.arraycopy(other.words, 0, words, 0, FlowKey.WORDS);
    }

    public void copyTo(long[] target, int at) {
        System.arraycopy(words, 0, target, at, FlowKey.WORDS);
    }

    public void copyFrom(long[] source, int at) {
        System.arraycopy(source, at, words, 0, FlowKey.WORDS);
    }

    public void add(FlowMask other) {
        for (int i = 0; i < FlowKey.WORDS; i++) {
            words[i] |= other.words[i];
        }
    }

    public void addDstMac() {
        words[1] |= ~0xffffL;
    }

    public void addEtherType() {
        words[1] |= 0xffffL;
    }

    public void addSrcMac() {
        words[2] |= ~0xffffL;
    }

    public void addVlanTci() {
        words[2] |= 0xffffL;
    }

    /** @param bits of the 128-bit form: an IPv4 /24 is 120 */
    public void addSrc(int bits) {
        words[3] |= IpPrefix.highMask(bits);
        words[4] |= IpPrefix.lowMask(bits);
    }

    /** @param bits of the 128-bit form: an IPv4 /24 is 120 */
    public void addDst(int bits) {
        words[5] |= IpPrefix.highMask(bits);
        words[6] |= IpPrefix.lowMask(bits);
    }

    /** Whether the flow is about one destination. */
    public boolean hasWholeDst() {
        return words[5] == -1L && words[6] == -1L;
    }

    public void addProtocol() {
        words[7] |= 0xffL << 56;
    }

    public void addDscp() {
        words[7] |= 0xffL << 48;
    }

    public void addFragment() {
        words[7] |= 0xffL << 40;
    }

    /** @param flags those that count, as {@link FlowKey#tcpFlags} has them */
    public void addTcpFlags(int flags) {
        words[7] |= (long) flags << 32;
    }

    public void addL4() {
        words[7] |= 0xffff_ffffL;
    }

    public void addIcmpId() {
        words[8] |= 0xffffL << 48;
    }

    public void addSalControl() {
        words[8] |= 0xffL << 32;
    }

    public void addSalFlow() {
        words[8] |= 0xffff_ffffL;
    }

    /** No bit counts that does not count here too: this mask is at least as narrow a cover as {@code other}. */
    public boolean covers(FlowMask other) {
        for (int i = 0; i < FlowKey.WORDS; i++) {
            if ((other.words[i] & ~words[i]) != 0) {
                return false;
            }
        }
        return true;
    }

    @Override
    public boolean equals(Object other) {
        return other instanceof FlowMask mask && Arrays.equals(words, mask.words);
    }

    @Override
    public int hashCode() {
        return Arrays.hashCode(words);
    }
}
