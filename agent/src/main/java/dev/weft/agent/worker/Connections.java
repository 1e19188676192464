package dev.weft.agent.worker;

import dev.weft.base.HotPath;
import dev.weft.sim.Outcome;
import dev.weft.state.ConnectionKey;
import dev.weft.state.ConnectionTable;
import dev.weft.state.StateMessage;
import java.lang.foreign.MemorySegment;

/**
 * The connections of stateful ports: recorded here, told to whoever will see the return packets, before the first packet
 * goes on. Not thread safe: touched only by its worker thread.
 */
@HotPath
final class Connections implements ConnectionTable.Sweep {
    private static final int SWEPT_AT_ONCE = 4096;

    // Immutable after construction.
    private final ConnectionTable table;
    private final Flows flows;
    private final StateChannel channel;
    private final Siblings siblings;
    // Owned by the worker thread.
    private final ConnectionKey read = new ConnectionKey();

    Connections(ConnectionTable table, Flows flows, StateChannel channel, Siblings siblings) {
        this.table = table;
        this.flows = flows;
        this.channel = channel;
        this.siblings = siblings;
    }

    /**
     * The VM behind a stateful port sent a packet. Siblings and hosts have been told on return. The hosts are told by
     * every such packet, also of a connection known long ago: it came up because something on its way has changed, and
     * the host that the packet goes to now may be a new one.
     */
    void began(Outcome outcome, long nowNanos) {
        ConnectionKey key = outcome.connection();
        int result = table.put(key, outcome.connectionTcpFlags(), nowNanos);
        if (result == ConnectionTable.NO_ROOM) {
            return;
        }
        settle(result, key);
        int slot = table.find(key);
        int phase = table.phase(slot);
        int epoch = table.epoch(slot);
        if (result != ConnectionTable.KNOWN && !siblings.isHome(key.homeHash())) {
            int length = channel.writeConnection(key, phase, epoch);
            siblings.handState(key.homeHash(), channel.frame(), 0, length);
        }
        for (int i = 0; i < outcome.interestedCount(); i++) {
            channel.connection(outcome.interestedHigh(i), outcome.interestedLow(i), key, phase, epoch);
        }
    }

    /** A sibling or another host owns this connection. */
    void received(MemorySegment segment, long offset, long nowNanos) {
        StateMessage.readKey(segment, offset, read);
        int phase = StateMessage.phase(segment, offset);
        int epoch = StateMessage.epoch(segment, offset);
        settle(table.putCopy(read, phase, epoch, nowNanos), read);
    }

    /** Flows go that rested on the connection's absence, or on one that made room for it. */
    private void settle(int result, ConnectionKey key) {
        if (table.evictedTag() != 0) {
            flows.invalidate(table.evictedTag());
        }
        if (result == ConnectionTable.ADDED) {
            flows.invalidate(table.tag(key));
        }
    }

    void sweep(long nowNanos) {
        table.expire(nowNanos, SWEPT_AT_ONCE, this);
    }

    /**
     * A connection in use comes up again by its next packet, which tells its copies: the simulation of that packet knows
     * where they are now.
     */
    @Override
    public boolean inUse(ConnectionTable from, int slot) {
        long tag = from.tag(slot);
        if (flows.usedSince(tag, from.refreshedNanos(slot))) {
            flows.invalidate(tag);
        }
        return false;
    }

    @Override
    public void onExpired(ConnectionTable from, int slot) {
        flows.invalidate(from.tag(slot));
    }
}
