package dev.weft.agent.worker;

import dev.weft.base.HotPath;
import dev.weft.base.MacAddress;
import dev.weft.sim.Outcome;
import dev.weft.sim.Simulator;
import dev.weft.sim.Tables;
import dev.weft.sim.flow.ActionList;
import dev.weft.sim.flow.FlowKey;
import dev.weft.sim.packet.Ipv4;
import dev.weft.sim.packet.Packet;
import dev.weft.sim.sal.SalKey;
import dev.weft.state.ConnectionKey;
import dev.weft.state.ConnectionTable;
import java.lang.foreign.Arena;

/**
 * Flows for packets that have not come yet: what follows the first packet of a connection, and what answers it. They are
 * simulated as if they had come, now that the connection is recorded, and nothing but a flow comes of it; a packet whose
 * simulation would do more comes up when it is there. Not thread safe: touched only by its worker thread.
 */
@HotPath
final class FlowsAhead {
    // Immutable after construction.
    private final Simulator simulator;
    private final Flows flows;
    private final Connections connections;
    private final Siblings siblings;
    // Owned by the worker thread.
    private final ImaginedPacket answer;
    private final Outcome outcome = new Outcome();
    private int outPort;
    private long srcMac;
    private long dstMac;
    private int vlanTci;

    FlowsAhead(Simulator simulator, Flows flows, Connections connections, Siblings siblings, Arena arena) {
        this.simulator = simulator;
        this.flows = flows;
        this.connections = connections;
        this.siblings = siblings;
        answer = new ImaginedPacket(arena);
    }

    /**
     * @param packet about to leave as {@code of} says, which is not changed
     * @param begins whether its connection was recorded just now
     */
    void install(Packet packet, int port, Outcome of, boolean begins, long now) {
        boolean isTcp = packet.key.protocol() == Ipv4.TCP;
        if (isTcp && simulator.network().asksForTcpPhases()) {
            return;
        }
        if (of.isForOnePacket()) {
            forNext(packet, port, isTcp, now);
        }
        if (begins) {
            forAnswer(packet, of, isTcp, now);
        }
    }

    /**
     * What comes after this packet in its direction need not come up then, and only use that is read of its flow tells
     * that the connection is open. A connection that is ending has its flow.
     */
    private void forNext(Packet packet, int port, boolean isTcp, long now) {
        int flags = packet.key.tcpFlags();
        if (isTcp && (flags & (FlowKey.TCP_FIN | FlowKey.TCP_RST)) != 0) {
            return;
        }
        packet.key.setTcpFlags(0);
        simulator.simulate(packet, port, now, outcome);
        if (isFlow()) {
            flows.install(packet.key, outcome, connections.party(outcome, now), now);
        }
        packet.key.setTcpFlags(flags);
    }

    /**
     * The answer comes in where the packet leaves, if that is one port of this host, from the MAC that it goes to. It is
     * installed where it would come up: other workers see to their answers themselves.
     */
    private void forAnswer(Packet packet, Outcome of, boolean isTcp, long now) {
        ConnectionKey tuple = of.connection().answer;
        boolean isPlain =
                isTcp || packet.key.protocol() == Ipv4.UDP && !SalKey.isEncapsulation(tuple.srcPort(), tuple.dstPort());
        if (!isPlain
                || packet.key.fragment() != FlowKey.NOT_FRAGMENT
                || !siblings.isHome(tuple.homeHash())
                || !leaves(packet.key, of.actions)) {
            return;
        }
        int port = simulator.tables().portOfDatapathPort(outPort);
        if (port == Tables.NONE) {
            return;
        }
        answer.fill(tuple, outPort, dstMac, srcMac, vlanTci);
        simulator.simulate(answer.packet, port, now, outcome);
        if (outcome.answeredSlot() != ConnectionTable.NONE && isFlow() && teachesNothing()) {
            flows.install(answer.packet.key, outcome, connections.party(outcome, now), now);
        }
    }

    /** Whether it leaves once, by a port of this host: which, and with which MACs and tag. */
    private boolean leaves(FlowKey key, ActionList actions) {
        srcMac = key.srcMac();
        dstMac = key.dstMac();
        vlanTci = key.vlanTci();
        outPort = Tables.NONE;
        for (int i = 0; i < actions.length(); i += ActionList.size(actions.word(i))) {
            long word = actions.word(i);
            switch (ActionList.operation(word)) {
                case ActionList.SET_SRC_MAC -> srcMac = ActionList.mac(word);
                case ActionList.SET_DST_MAC -> dstMac = ActionList.mac(word);
                case ActionList.PUSH_VLAN -> vlanTci = ActionList.operand(word) | FlowKey.VLAN_PRESENT;
                case ActionList.POP_VLAN -> vlanTci = 0;
                case ActionList.TUNNEL -> {
                    return false;
                }
                case ActionList.OUTPUT -> {
                    if (outPort != Tables.NONE) {
                        return false;
                    }
                    outPort = ActionList.port(word);
                }
                default -> {} // of layers that the connection's tuple has
            }
        }
        return outPort != Tables.NONE && !MacAddress.isGroup(dstMac);
    }

    private boolean isFlow() {
        return outcome.kind() == Outcome.Kind.FORWARD && outcome.cacheable() && outcome.emitCount() == 0;
    }

    /** Where it is not known yet who answers, the answer has to come up to be learned from. */
    private boolean teachesNothing() {
        return outcome.learnedMacCount() == 0
                && outcome.learnedNeighbourCount() == 0
                && outcome.serviceCount() == 0
                && !outcome.isSaidToGuard();
    }
}
