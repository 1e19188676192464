package dev.weft.datapath;

import dev.weft.base.HotPath;
import dev.weft.sim.flow.ActionList;
import dev.weft.sim.flow.FlowKey;
import dev.weft.sim.flow.FlowMask;
import dev.weft.sim.packet.Packet;
import java.lang.foreign.MemorySegment;

/**
 * A worker's seat at the datapath: its upcalls, its flows. Only {@link #wakeUp()} may be called from another thread.
 * Nothing here allocates in the steady state.
 */
@HotPath
public interface WorkerPort {
    int INSTALLED = 0;
    /** An equal flow (same masked key, same mask) is there already, ours or another worker's: only execute the packet. */
    int EXISTS = 1;
    /** The cache is full, or the ingress port is detached: nothing was installed. */
    int FULL = 2;

    /** Hands up to {@code limit} waiting frames to the handler, oldest first. Returns how many. */
    int poll(UpcallHandler handler, int limit);

    /** Returns when an upcall waits, {@link #wakeUp()} was called, or after {@code nanos}. Spurious returns happen. */
    void await(long nanos);

    /** Makes the present or next {@link #await} return. From any thread. */
    void wakeUp();

    /**
     * Gives the key of a later fragment, its ingress set, what its packet's first one had behind the IP header, as the
     * datapath does when it looks the fragment up: the ports, or ICMP type, code and id. They stay 0 when the first one
     * has not come yet, or long ago. Other keys stay as they are.
     */
    void completeKey(Packet packet);

    /**
     * Installs a flow of this worker. {@code flowId} is the worker's own number for it; its low 32 bits are a small number,
     * unique among the worker's live flows.
     * When an equal flow survived an earlier process and is nobody's yet, it becomes this one in place: no packet finds
     * it missing, the actions are the new ones from then on, its counters go on.
     * When the ingress port has its most masks (64) already and {@code mask} is new to it, the flow goes in exact.
     *
     * @return {@link #INSTALLED}, {@link #EXISTS} or {@link #FULL}
     */
    int install(long flowId, FlowKey key, FlowMask mask, ActionList actions);

    /** Removes one of this worker's flows; unknown ids are ignored. */
    void remove(long flowId);

    /**
     * Runs actions on a frame, as a flow would: a TTL or MTU that does not allow them makes an upcall (with tunnel key
     * 0), within the port's budget. The frame is not kept and not changed for the caller.
     *
     * @param inPort where it is thought to come from; never an output
     */
    void execute(MemorySegment segment, long offset, int length, int inPort, ActionList actions);

    /**
     * Reads the counters of this worker's flows that were used since they were read last: some of them, at most {@code
     * limit}, in bounded time. Readings make rounds: see {@link #isRoundOver}.
     *
     * @return how many
     */
    int readUsed(FlowUse use, int limit);

    /**
     * Whether the last {@link #readUsed} came to the end of a round: every flow that was used before the round's first
     * call has been reported.
     */
    boolean isRoundOver();

    /**
     * Hands this worker its share of the flows that survived an earlier process and are nobody's yet, at most {@code
     * limit}; each flow is in one worker's share, and is handed once in a round. Adopting, installing, discarding and
     * executing are allowed within the call.
     *
     * @return how many; fewer than {@code limit}: the round is over, and the next call begins one with what is left
     */
    int readSurvivors(SurvivorHandler handler, int limit);

    /**
     * Takes a survivor over as it is: mask, actions and counters stay, and it is this worker's flow {@code flowId} from
     * then on. False when it is gone meanwhile, or somebody else's.
     */
    boolean adopt(long flowId, long survivor);

    /** Removes a survivor; ignored when it is gone, or taken over. */
    void discard(long survivor);

    /** A flow that survived. */
    @FunctionalInterface
    interface SurvivorHandler {
        /**
         * @param survivor names it at this datapath until it is taken over or gone
         * @param key under the mask: other bits are 0; valid until the call returns, as mask and actions
         * @param lastUsedNanos on the datapath's clock; 0 when not known
         */
        void onSurvivor(long survivor, FlowKey key, FlowMask mask, ActionList actions, long lastUsedNanos);
    }

    /** A frame no flow answered. The memory is valid until the call returns. */
    @FunctionalInterface
    interface UpcallHandler {
        /** No flow matched. */
        int MISS = 0;
        /** A flow's DEC_TTL met a TTL of 1 or less. */
        int TTL = 1;
        /** A flow's output met a frame longer than its MTU. */
        int MTU = 2;

        void onUpcall(MemorySegment segment, long offset, int length, int inPort, int tunnelKey, int reason);
    }

    /** A flow was used. */
    @FunctionalInterface
    interface FlowUse {
        /** @param tcpFlags FIN and RST, if any packet that it ever carried had them, as in the TCP header */
        void onUsed(long flowId, long packets, long bytes, long lastUsedNanos, int tcpFlags);
    }
}
