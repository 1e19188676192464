package dev.weft.agent.worker;

import dev.weft.base.HotPath;
import dev.weft.base.Tag;
import dev.weft.sim.Tables;
import dev.weft.sim.VirtualNetwork;
import dev.weft.state.StateMessage;
import java.lang.foreign.MemorySegment;
import java.util.UUID;
import org.agrona.collections.LongHashSet;

/**
 * What routers know of their neighbours: from packets, from siblings, from other hosts that were asked, from the shared
 * table. The table's word stays until the table takes it back; every other answer is looked after by the broker and ends
 * in a minute unless it is used. Not thread safe: touched only by its worker thread.
 */
@HotPath
final class Neighbours implements NeighbourBroker.Errands {
    private static final int LOOKED_AT_ONCE = 256;
    private static final int READY = 256;
    private static final UUID NOBODY = new UUID(0, 0);

    // Immutable after construction.
    private final Tables tables;
    private final Flows flows;
    private final NeighbourBroker broker;
    private final StateChannel channel;
    private final Siblings siblings;
    private final Macs macs;
    private final Learnings learnings;
    private final Asker asker;
    private final AskBook asks = new AskBook();
    private final AskBook.Answer toAsker = this::answerAsker;
    // Owned by the worker thread.
    private VirtualNetwork network = VirtualNetwork.EMPTY;
    private final LongHashSet inTable = new LongHashSet();
    private final int[] readyRouter = new int[READY];
    private final long[] readyHigh = new long[READY];
    private final long[] readyLow = new long[READY];
    private int ready;
    private final int[] dueRouter = new int[LOOKED_AT_ONCE];
    private final int[] duePort = new int[LOOKED_AT_ONCE];
    private final long[] dueHigh = new long[LOOKED_AT_ONCE];
    private final long[] dueLow = new long[LOOKED_AT_ONCE];
    private int due;
    private long now;
    private boolean placesCame;
    private final Answer answer = new Answer();

    /** The answer at hand; kept in fields so that telling many of it makes no object. */
    private static final class Answer {
        private int router;
        private int routerPort;
        private long high;
        private long low;
        private long mac;
        private int vmPort;

        void setTo(int ofRouter, int behindPort, long forHigh, long forLow, long itsMac, int itsPort) {
            router = ofRouter;
            routerPort = behindPort;
            high = forHigh;
            low = forLow;
            mac = itsMac;
            vmPort = itsPort;
        }
    }

    /** Sends the question into the virtual network. */
    interface Asker {
        void ask(int router, int routerPort, long high, long low, long nowNanos);
    }

    /** What waits for an answer that is known now, good or bad. */
    interface Ready {
        void onReady(int router, long high, long low);
    }

    Neighbours(
            Tables tables,
            Flows flows,
            NeighbourBroker broker,
            StateChannel channel,
            Siblings siblings,
            Macs macs,
            Learnings learnings,
            Asker asker) {
        this.tables = tables;
        this.flows = flows;
        this.broker = broker;
        this.channel = channel;
        this.siblings = siblings;
        this.macs = macs;
        this.learnings = learnings;
        this.asker = asker;
    }

    /** Neither asked for nor looked after: too many at once. */
    long refused() {
        return broker.refused();
    }

    void setNetwork(VirtualNetwork now) {
        network = now;
    }

    /** A simulation waits for this neighbour. Returns what the broker says. */
    int miss(int router, int routerPort, long high, long low, long nowNanos) {
        int result = broker.ask(router, routerPort, high, low, nowNanos);
        if (result == NeighbourBroker.SEND) {
            asker.ask(router, routerPort, high, low, nowNanos);
        }
        return result;
    }

    /** A packet from a VM of ours said it. Siblings, hosts that asked and the table hear of it. */
    void heard(int router, int routerPort, long high, long low, long mac, int vmPort, long nowNanos) {
        boolean changed = learn(router, routerPort, high, low, mac, nowNanos);
        answer.setTo(router, routerPort, high, low, mac, vmPort);
        siblings.tellState(channel.frame(), 0, writeAnswer(0));
        answerAskers(nowNanos);
        if (changed) {
            learnings.neighbourLearned(router, routerPort, high, low, mac, vmPort);
        }
    }

    /** A sibling heard it, or a host that we asked. */
    void told(MemorySegment segment, long offset, long nowNanos) {
        int router = routerOf(segment, offset);
        if (router < 0) {
            return;
        }
        long high = StateMessage.addressHigh(segment, offset);
        long low = StateMessage.addressLow(segment, offset);
        long mac = StateMessage.mac(segment, offset);
        int routerPort =
                portOf(StateMessage.routerPortHigh(segment, offset), StateMessage.routerPortLow(segment, offset));
        int vmPort = portOf(StateMessage.vmPortHigh(segment, offset), StateMessage.vmPortLow(segment, offset));
        // Else the answered packet would be flooded until the table says where the MAC is.
        macs.answered(mac, vmPort, routerPort, nowNanos);
        learn(router, routerPort, high, low, mac, nowNanos);
        answer.setTo(router, routerPort, high, low, mac, vmPort);
        answerAskers(nowNanos);
    }

    /**
     * Another host wants to hear when this neighbour answers; its question to the VMs follows. False when the asker is
     * no host of the fabric: answers go to no other address.
     */
    boolean asked(MemorySegment segment, long offset, long nowNanos) {
        if (!network.isTunnelEndpoint(
                StateMessage.askerHigh(segment, offset), StateMessage.askerLow(segment, offset))) {
            return false;
        }
        asks.remember(
                StateMessage.routerHigh(segment, offset),
                StateMessage.routerLow(segment, offset),
                StateMessage.addressHigh(segment, offset),
                StateMessage.addressLow(segment, offset),
                StateMessage.askerHigh(segment, offset),
                StateMessage.askerLow(segment, offset),
                StateMessage.askerHome(segment, offset),
                nowNanos);
        return true;
    }

    /** The shared table has it. */
    void inTable(int router, int routerPort, long high, long low, long mac) {
        inTable.add(tag(router, high, low));
        broker.forget(router, high, low);
        set(router, routerPort, high, low, mac);
    }

    /** The shared table has it no more. */
    void outOfTable(int router, long high, long low, long mac) {
        inTable.remove(tag(router, high, low));
        if (tables.forgetNeighbour(router, high, low, mac)) {
            flows.invalidate(tag(router, high, low));
        }
    }

    /** Ports or hosts have come: whoever was silent may be there now. Many come at once, so the next tick sees to it. */
    void placesCame() {
        placesCame = true;
    }

    void tick(long nowNanos) {
        now = nowNanos;
        if (placesCame) {
            placesCame = false;
            broker.askAnew(nowNanos, this);
        }
        broker.tick(nowNanos, LOOKED_AT_ONCE, this);
        while (due > 0) {
            due--;
            asker.ask(dueRouter[due], duePort[due], dueHigh[due], dueLow[due], nowNanos);
        }
    }

    /** Tells a host that the question about to reach it is ours. */
    void askHost(long hostHigh, long hostLow, int router, long high, long low) {
        UUID id = network.routerId(router);
        channel.neighbourAsk(
                hostHigh,
                hostLow,
                id.getMostSignificantBits(),
                id.getLeastSignificantBits(),
                high,
                low,
                siblings.ownHash());
    }

    /** Hands over what became ready since the last call. Not to be called from within a simulation. */
    void drainReady(Ready to) {
        while (ready > 0) {
            ready--;
            to.onReady(readyRouter[ready], readyHigh[ready], readyLow[ready]);
        }
    }

    private boolean learn(int router, int routerPort, long high, long low, long mac, long nowNanos) {
        if (!inTable.contains(tag(router, high, low))) {
            broker.answered(router, routerPort, high, low, nowNanos);
        }
        return set(router, routerPort, high, low, mac);
    }

    private boolean set(int router, int routerPort, long high, long low, long mac) {
        boolean changed = tables.learnNeighbour(router, high, low, mac, routerPort, Tables.NEVER);
        if (changed) {
            flows.invalidate(tag(router, high, low));
        }
        makeReady(router, high, low);
        return changed;
    }

    private void makeReady(int router, long high, long low) {
        if (ready < READY) {
            readyRouter[ready] = router;
            readyHigh[ready] = high;
            readyLow[ready] = low;
            ready++;
        }
    }

    private void answerAskers(long nowNanos) {
        UUID id = network.routerId(answer.router);
        asks.answer(
                id.getMostSignificantBits(), id.getLeastSignificantBits(), answer.high, answer.low, nowNanos, toAsker);
    }

    private void answerAsker(long askerHigh, long askerLow, int askerHome) {
        channel.send(askerHigh, askerLow, writeAnswer(askerHome));
    }

    private int writeAnswer(int home) {
        return channel.writeNeighbour(
                home,
                network.routerId(answer.router),
                answer.high,
                answer.low,
                answer.mac,
                idOf(answer.routerPort),
                idOf(answer.vmPort));
    }

    private UUID idOf(int port) {
        return network.hasPort(port) ? network.portId(port) : NOBODY;
    }

    private int portOf(long high, long low) {
        int port = network.portIndex(new UUID(high, low));
        return network.hasPort(port) ? port : VirtualNetwork.NONE;
    }

    /** -1 when the router is not in the network (yet, or any more). */
    private int routerOf(MemorySegment segment, long offset) {
        int router = network.routerIndex(
                new UUID(StateMessage.routerHigh(segment, offset), StateMessage.routerLow(segment, offset)));
        return network.hasRouter(router) ? router : VirtualNetwork.NONE;
    }

    /** 0, which no flow has, when the router is gone: its flows went with it. */
    private long tag(int router, long high, long low) {
        return network.hasRouter(router) ? Tag.neighbour(network.routerId(router), high, low) : 0;
    }

    // The broker's errands.

    @Override
    public void send(int router, int routerPort, long high, long low) {
        // The broker must not change while it is looked at, and an answer may come at once.
        dueRouter[due] = router;
        duePort[due] = routerPort;
        dueHigh[due] = high;
        dueLow[due] = low;
        due++;
    }

    @Override
    public boolean isUsed(int router, long high, long low, long nanos) {
        return flows.usedSince(tag(router, high, low), now - nanos);
    }

    @Override
    public void failed(int router, int routerPort, long high, long low) {
        if (tables.failNeighbour(router, high, low, routerPort, Tables.NEVER)) {
            flows.invalidate(tag(router, high, low));
        }
        makeReady(router, high, low);
    }

    @Override
    public void ended(int router, int routerPort, long high, long low) {
        if (tables.forgetNeighbour(router, high, low)) {
            flows.invalidate(tag(router, high, low));
        }
    }
}
