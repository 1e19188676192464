package dev.weft.agent.worker;

import dev.weft.base.HotPath;
import dev.weft.base.IpAddress;
import dev.weft.datapath.Datapath;
import dev.weft.datapath.ProbeFrame;
import dev.weft.datapath.WorkerPort;
import dev.weft.sim.flow.ActionList;
import dev.weft.sim.flow.FlowKey;
import dev.weft.state.Connection;
import dev.weft.state.RecordCodec;
import dev.weft.state.StateMessage;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.UUID;

/**
 * How one worker tells other hosts what it knows: state messages through the tunnel, ahead of the packet they are about.
 * Not thread safe: touched only by its worker thread.
 */
@HotPath
final class StateChannel {
    // Immutable after construction.
    private final WorkerPort seat;
    private final IpAddress self;
    private final WorkerCounters counters;
    // Owned by the worker thread.
    private final MemorySegment frame;
    private final MemorySegment question;
    private final ActionList actions = new ActionList();

    /** @param self our underlay address, to which answers come */
    StateChannel(WorkerPort seat, IpAddress self, Arena arena, WorkerCounters counters) {
        this.seat = seat;
        this.self = self;
        this.counters = counters;
        frame = arena.allocate(StateMessage.MAX_GUARDED_LENGTH, Long.BYTES);
        question = arena.allocate(ProbeFrame.LENGTH, Long.BYTES);
    }

    /** Where the message written last is. */
    MemorySegment frame() {
        return frame;
    }

    /** Names this host as the owner's, for those who are not on it. */
    void own(Connection connection) {
        connection.owner(self.high(), self.low());
    }

    /**
     * Writes a connection record without sending it.
     *
     * @param home hash of the tuple whose home is to get it
     * @param fromCopy it tells the owner what we, who hold a copy, have seen
     * @return its length
     */
    int writeConnection(Connection connection, int home, boolean fromCopy) {
        return RecordCodec.write(frame, 0, connection, home, fromCopy);
    }

    /**
     * Writes a control packet of a guarded port without sending it.
     *
     * @param said it came from the port's VM
     * @return its length
     */
    int writeGuarded(UUID port, boolean said, MemorySegment packet, long offset, int length) {
        return StateMessage.writeGuarded(
                frame, 0, port.getMostSignificantBits(), port.getLeastSignificantBits(), said, packet, offset, length);
    }

    /**
     * Writes a neighbour's answer without sending it.
     *
     * @param home hash of whom it is for
     * @return its length
     */
    int writeNeighbour(int home, UUID router, long high, long low, long mac, UUID routerPort, UUID vmPort) {
        return StateMessage.writeNeighbourAnswer(
                frame,
                0,
                home,
                router.getMostSignificantBits(),
                router.getLeastSignificantBits(),
                high,
                low,
                mac,
                routerPort.getMostSignificantBits(),
                routerPort.getLeastSignificantBits(),
                vmPort.getMostSignificantBits(),
                vmPort.getLeastSignificantBits());
    }

    /** Tells a host that the question that follows comes from us. */
    void neighbourAsk(
            long hostHigh, long hostLow, long routerHigh, long routerLow, long high, long low, int answerHome) {
        send(
                hostHigh,
                hostLow,
                StateMessage.writeNeighbourAsk(
                        frame, 0, routerHigh, routerLow, high, low, self.high(), self.low(), answerHome));
    }

    /** Tells a host where a MAC is, ahead of the first frame from it. */
    void macLearned(long hostHigh, long hostLow, UUID bridge, UUID port, long mac, int vlan) {
        send(
                hostHigh,
                hostLow,
                StateMessage.writeMacLearned(
                        frame,
                        0,
                        bridge.getMostSignificantBits(),
                        bridge.getLeastSignificantBits(),
                        port.getMostSignificantBits(),
                        port.getLeastSignificantBits(),
                        mac,
                        vlan));
    }

    /** Asks a host's datapath whether it forwards; its answer comes up to some worker. */
    void probe(long hostHigh, long hostLow, long token) {
        ProbeFrame.writeQuestion(question, 0, token);
        actions.clear();
        actions.tunnel(hostHigh, hostLow, Datapath.PROBE_KEY, 0);
        seat.execute(question, 0, ProbeFrame.LENGTH, FlowKey.TUNNEL_PORT, actions);
    }

    /** Sends what was written last, of this length. */
    void send(long hostHigh, long hostLow, int length) {
        actions.clear();
        actions.tunnel(hostHigh, hostLow, StateMessage.TUNNEL_KEY, 0);
        seat.execute(frame, 0, length, FlowKey.TUNNEL_PORT, actions);
        counters.count(WorkerCounter.STATE_SENT);
    }
}
