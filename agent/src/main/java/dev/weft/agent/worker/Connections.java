package dev.weft.agent.worker;

import dev.weft.base.HotPath;
import dev.weft.sim.Outcome;
import dev.weft.sim.flow.FlowKey;
import dev.weft.state.Connection;
import dev.weft.state.ConnectionTable;
import dev.weft.state.Journal;
import dev.weft.state.Phase;
import dev.weft.state.RecordCodec;
import java.lang.foreign.MemorySegment;
import org.jspecify.annotations.Nullable;

/**
 * The connections that packets here belong to: recorded, told to whoever will see the answers before the first packet
 * goes on. Not thread safe: touched only by its worker thread.
 */
@HotPath
final class Connections implements ConnectionTable.Sweep, ConnectionTable.Ending {
    /** No {@link #party}. */
    static final int NOBODY = -1;

    private static final int SWEPT_AT_ONCE = 4096;

    // Immutable after construction.
    private final ConnectionTable table;
    private final Flows flows;
    private final StateChannel channel;
    private final Siblings siblings;
    private final @Nullable Journal journal;
    private final ConnectionTable.TagConsumer invalidate;
    // Owned by the worker thread.
    private final Connection read = new Connection();
    private long now;
    private boolean used;
    private long refreshedBefore;
    private final ConnectionTable.TagConsumer lookForUse = this::lookForUse;

    /** @param journal null: what is known ends with the agent */
    Connections(
            ConnectionTable table, Flows flows, StateChannel channel, Siblings siblings, @Nullable Journal journal) {
        this.journal = journal;
        this.table = table;
        this.flows = flows;
        this.channel = channel;
        this.siblings = siblings;
        invalidate = flows::invalidate;
        table.setEnding(this);
        flows.setPartyUse(this::used);
    }

    /**
     * A packet of the forward direction got somewhere. Siblings and hosts have been told on return. The hosts are told
     * by every such packet, also of a connection known long ago: it came up because something on its way has changed,
     * and the host that the packet goes to now may be a new one.
     *
     * @return as {@code ConnectionTable.put}; when it is not {@link #isRecorded}, a packet that rests on the record must
     *     not go on
     */
    int began(Outcome outcome, long nowNanos) {
        Connection connection = outcome.connection();
        int result = table.put(connection, outcome.connectionTcpFlags(), nowNanos);
        if (!isRecorded(result)) {
            return result;
        }
        int slot = table.begunBy(connection.forward, nowNanos);
        if (result == ConnectionTable.ADDED) {
            table.tags(slot, invalidate);
        }
        table.read(slot, read);
        if (result == ConnectionTable.RENEWED) {
            flows.invalidate(table.phaseTag(slot)); // nobody has asked how far a new one is
        }
        if (result != ConnectionTable.KNOWN) {
            keep(slot);
        }
        if (opens(outcome) && result != ConnectionTable.ADDED) {
            table.tags(slot, invalidate); // what its flows have seen was said of the one before
        }
        int home = read.answer.homeHash();
        if (result != ConnectionTable.KNOWN && !siblings.isHome(home)) {
            siblings.handState(home, channel.frame(), 0, channel.writeConnection(read, home, false));
        }
        if (outcome.interestedCount() > 0) {
            channel.own(read);
            int length = channel.writeConnection(read, home, false);
            for (int i = 0; i < outcome.interestedCount(); i++) {
                channel.send(outcome.interestedHigh(i), outcome.interestedLow(i), length);
            }
            table.told(slot, outcome.interestedHigh(0), outcome.interestedLow(0));
        }
        return result;
    }

    /** Whether it is of the packet that begins a TCP connection, be it one with the tuple of an earlier one. */
    static boolean opens(Outcome outcome) {
        return outcome.hasConnection() && (outcome.connectionTcpFlags() & FlowKey.TCP_OPENS) != 0;
    }

    static boolean isRecorded(int result) {
        return result != ConnectionTable.NO_ROOM && result != ConnectionTable.TAKEN;
    }

    /**
     * One side of a connection, for as long as there are flows of it: whose packets the flow of this outcome carries.
     * {@link #NOBODY} when they are of no connection known here.
     */
    int party(Outcome outcome, long nowNanos) {
        if (outcome.answeredSlot() != ConnectionTable.NONE) {
            return outcome.answeredSlot() << 1 | 1;
        }
        int slot =
                outcome.hasConnection() ? table.begunBy(outcome.connection().forward, nowNanos) : ConnectionTable.NONE;
        return slot == ConnectionTable.NONE ? NOBODY : slot << 1;
    }

    /** Flows go with their connection, so the slot is that of the connection that they are of. */
    private void used(int party, int tcpFlags, long nowNanos) {
        int slot = party >> 1;
        boolean isAnswer = (party & 1) != 0;
        boolean closes = tcpFlags != 0 && table.phase(slot) != Phase.CLOSING;
        if (closes && table.isOwner(slot)) {
            table.closed(slot, nowNanos);
            flows.invalidate(table.phaseTag(slot));
            table.read(slot, read);
            keep(slot);
            tellCopies(slot);
        } else if (closes && isAnswer) {
            answered(slot, tcpFlags);
        }
        if (isAnswer) {
            table.answered(slot, table.phase(slot));
        } else if (table.opened(slot)) {
            flows.invalidate(table.phaseTag(slot));
        }
    }

    /** A packet of the other direction went by: the owner hears when it opens or closes the connection. */
    void answered(int slot, int tcpFlags) {
        table.read(slot, read);
        int phase = Phase.afterAnswer(read.phase(), read.forward.protocol(), tcpFlags);
        if (!table.answered(slot, phase)) {
            return;
        }
        flows.invalidate(table.phaseTag(slot));
        if (table.isOwner(slot)) {
            return;
        }
        table.read(slot, read);
        int home = read.forward.homeHash();
        int length = channel.writeConnection(read, home, true);
        if ((read.ownerHigh() | read.ownerLow()) != 0) {
            channel.send(read.ownerHigh(), read.ownerLow(), length);
        } else if (!siblings.isHome(home)) {
            siblings.handState(home, channel.frame(), 0, length);
        }
    }

    /** A sibling or another host owns this connection, or knows more of one that is ours. */
    void received(MemorySegment segment, long offset, long nowNanos) {
        RecordCodec.read(segment, offset, read);
        if (RecordCodec.isFromCopy(segment, offset)) {
            int slot = table.begunBy(read.forward, nowNanos);
            if (slot != ConnectionTable.NONE && table.isOwner(slot) && table.epoch(slot) == read.epoch()) {
                table.answered(slot, read.phase());
                if (read.phase() == Phase.CLOSING) {
                    table.closed(slot, nowNanos);
                }
                flows.invalidate(table.phaseTag(slot));
            }
            return;
        }
        int result = table.putCopy(read, nowNanos);
        int slot = table.begunBy(read.forward, nowNanos);
        if (result == ConnectionTable.ADDED || result == ConnectionTable.RENEWED && read.phase() == Phase.OPENING) {
            table.tags(slot, invalidate);
        }
        if (result == ConnectionTable.ADDED || result == ConnectionTable.RENEWED) {
            flows.invalidate(table.phaseTag(slot));
            table.read(slot, read);
            keep(slot);
        }
    }

    /** What an earlier run knew, before this worker's first packet. */
    void restore(Connection connection, long nowNanos) {
        if (table.restore(connection, nowNanos) == ConnectionTable.ADDED) {
            int slot = table.begunBy(connection.forward, nowNanos);
            table.read(slot, read);
            keep(slot);
        }
    }

    /** What was read last, of this slot, outlives the agent. */
    private void keep(int slot) {
        if (journal != null) {
            journal.write(slot, read);
        }
    }

    /** Its way does not lead anywhere any more: it ends here and where it is known. */
    void end(int slot) {
        table.read(slot, read);
        read.state(Phase.ENDED, read.epoch(), false);
        tellCopies(slot);
        table.remove(slot);
    }

    /** What was read last, of this slot, which is ours. */
    private void tellCopies(int slot) {
        int home = read.answer.homeHash();
        if (!siblings.isHome(home)) {
            siblings.handState(home, channel.frame(), 0, channel.writeConnection(read, home, false));
        }
        if ((table.toldHigh(slot) | table.toldLow(slot)) != 0) {
            channel.own(read);
            channel.send(table.toldHigh(slot), table.toldLow(slot), channel.writeConnection(read, home, false));
        }
    }

    void sweep(long nowNanos) {
        now = nowNanos;
        table.expire(nowNanos, SWEPT_AT_ONCE, this);
    }

    /**
     * A connection in use that has copies comes up again by its next packet, which tells them: the simulation of that
     * packet knows where they are now. One that nobody else knows is refreshed as it is, since a packet that comes up may
     * be overtaken.
     */
    @Override
    public boolean inUse(ConnectionTable from, int slot) {
        used = false;
        refreshedBefore = now - from.idleNanos(slot, now);
        from.tags(slot, lookForUse);
        if (used && isCopied(from, slot)) {
            from.tags(slot, invalidate);
            return false;
        }
        return used;
    }

    private boolean isCopied(ConnectionTable from, int slot) {
        from.read(slot, read);
        return (from.toldHigh(slot) | from.toldLow(slot)) != 0 || !siblings.isHome(read.answer.homeHash());
    }

    private void lookForUse(long tag) {
        used |= flows.usedSince(tag, refreshedBefore);
    }

    /** Flows go that rested on it. */
    @Override
    public void onEnd(ConnectionTable from, int slot) {
        from.tags(slot, invalidate);
        if (journal != null) {
            journal.erase(slot);
        }
    }
}
