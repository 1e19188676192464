package dev.weft.state;

import dev.weft.base.HotPath;

/**
 * One connection, in hand: what a simulation wants recorded, what a table or a message says of it. Mutable and reused:
 * each instance belongs to one worker thread.
 *
 * <p>Forward is the direction of the packet that began it. Each device on the forward way that translates has a
 * <em>binding</em> for each end it changed; applied in order they make the packet as it leaves, and the answer's tuple is
 * that, turned round. So a record has the forward tuple and the bindings, and all else follows.
 */
@HotPath
public final class Connection {
    /** Translations on one way; a packet that would need more is dropped. */
    public static final int MAX_BINDINGS = 4;

    /** The device gave the packet another source. */
    public static final int SOURCE = 1;
    /** The device gave the packet another destination. */
    public static final int DESTINATION = 2;

    /** The packet that began it, as it entered. */
    public final ConnectionKey forward = new ConnectionKey();
    /** Its answers, as they enter; kept right by {@link #answerAt}. */
    public final ConnectionKey answer = new ConnectionKey();

    private long portHigh;
    private long portLow;
    private long srcMac;
    private long dstMac;
    private int vlanTci;
    private int phase;
    private int epoch;
    private boolean owned;
    private long ownerHigh;
    private long ownerLow;
    private int bindings;
    private final long[] device = new long[MAX_BINDINGS];
    private final int[] kind = new int[MAX_BINDINGS];
    private final long[] high = new long[MAX_BINDINGS];
    private final long[] low = new long[MAX_BINDINGS];
    private final int[] l4Port = new int[MAX_BINDINGS];

    public void clear() {
        bindings = 0;
        phase = Phase.OPEN;
        epoch = 0;
        owned = false;
        ownerHigh = 0;
        ownerLow = 0;
    }

    public void copyFrom(Connection other) {
        forward.copyFrom(other.forward);
        answer.copyFrom(other.answer);
        port(other.portHigh, other.portLow);
        frame(other.srcMac, other.dstMac, other.vlanTci);
        state(other.phase, other.epoch, other.owned);
        owner(other.ownerHigh, other.ownerLow);
        bindings = 0;
        for (int i = 0; i < other.bindings; i++) {
            bind(other.device[i], other.kind[i], other.high[i], other.low[i], other.l4Port[i]);
        }
    }

    /** The 128 bits of the port it entered by: whose share of the table it takes. */
    public void port(long idHigh, long idLow) {
        portHigh = idHigh;
        portLow = idLow;
    }

    /** The rest of what made its first packet's way, so that the way can be decided again. */
    public void frame(long srcMacBits, long dstMacBits, int tci) {
        srcMac = srcMacBits;
        dstMac = dstMacBits;
        vlanTci = tci;
    }

    /** @param itsPhase a {@link Phase} */
    public void state(int itsPhase, int itsEpoch, boolean isOwned) {
        phase = itsPhase;
        epoch = itsEpoch;
        owned = isOwned;
    }

    /** Underlay address of the host whose worker owns it; 0, 0: this host. */
    public void owner(long addressHigh, long addressLow) {
        ownerHigh = addressHigh;
        ownerLow = addressLow;
    }

    /**
     * A device translates.
     *
     * @param deviceTag whose
     * @param end {@link #SOURCE} or {@link #DESTINATION}
     * @param toPort port, or echo id; the one it had if that does not change
     * @return false when there are too many already
     */
    public boolean bind(long deviceTag, int end, long toHigh, long toLow, int toPort) {
        if (bindings == MAX_BINDINGS) {
            return false;
        }
        device[bindings] = deviceTag;
        kind[bindings] = end;
        high[bindings] = toHigh;
        low[bindings] = toLow;
        l4Port[bindings++] = toPort;
        return true;
    }

    /** The packet leaves at this device, and its answers enter there. */
    public void answerAt(long scope) {
        answer.copyFrom(forward);
        for (int i = 0; i < bindings; i++) {
            apply(i, answer);
        }
        answer.answering(answer);
        answer.scope(scope);
    }

    void apply(int binding, ConnectionKey to) {
        if (kind[binding] == SOURCE) {
            to.rewriteSrc(high[binding], low[binding], l4Port[binding]);
        } else {
            to.rewriteDst(high[binding], low[binding], l4Port[binding]);
        }
    }

    public long portHigh() {
        return portHigh;
    }

    public long portLow() {
        return portLow;
    }

    public long srcMac() {
        return srcMac;
    }

    public long dstMac() {
        return dstMac;
    }

    public int vlanTci() {
        return vlanTci;
    }

    public int phase() {
        return phase;
    }

    public int epoch() {
        return epoch;
    }

    public boolean isOwned() {
        return owned;
    }

    public long ownerHigh() {
        return ownerHigh;
    }

    public long ownerLow() {
        return ownerLow;
    }

    public int bindings() {
        return bindings;
    }

    public long device(int binding) {
        return device[binding];
    }

    public int kind(int binding) {
        return kind[binding];
    }

    public long high(int binding) {
        return high[binding];
    }

    public long low(int binding) {
        return low[binding];
    }

    public int l4Port(int binding) {
        return l4Port[binding];
    }
}
