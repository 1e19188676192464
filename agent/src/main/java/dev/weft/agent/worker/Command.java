package dev.weft.agent.worker;

import dev.weft.agent.trace.TraceResult;
import dev.weft.base.ServicePrefix;
import dev.weft.sim.VirtualNetwork;
import dev.weft.sim.service.ServiceInstance;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicInteger;

/**
 * What others ask of a worker, by its {@link Backchannel}. Rare: per change, not per packet. Ports, bridges and routers
 * are the network's dense numbers.
 */
public sealed interface Command {
    /** From now on this is the network; flows that rest on what differs go. The other numbers here are its. */
    record NetworkChanged(VirtualNetwork network) implements Command {}

    /** An exterior port is at a port of this host's datapath. */
    record LocalPort(int port, int datapathPort) implements Command {}

    record NoLocalPort(int port) implements Command {}

    /** An exterior port is at another host, behind this tunnel key of it. */
    record RemotePort(int port, long hostHigh, long hostLow, int key) implements Command {}

    record NoRemotePort(int port) implements Command {}

    /**
     * A flood on a bridge goes to this host too, by this key of it.
     *
     * @param vlan whose frames, untagged; 0: those of all VLANs, with their tags
     */
    record FloodTarget(int bridge, int vlan, UUID host, long hostHigh, long hostLow, int key) implements Command {}

    record NoFloodTarget(int bridge, int vlan, UUID host) implements Command {}

    /** The key by which others send this host their floods on a bridge in a VLAN; -1: none any more. */
    record FloodKey(int bridge, int vlan, int key) implements Command {}

    /** The table says that a MAC is behind an exterior port, wherever that is. */
    record MacLearned(int bridge, int vlan, long mac, int port) implements Command {}

    /** A sibling heard the MAC at a port of this host. */
    record MacHeard(int bridge, int vlan, long mac, int port) implements Command {}

    /** Another host told a sibling. */
    record MacHinted(int bridge, int vlan, long mac, int port) implements Command {}

    /** A sibling has not seen the MAC in use for long. */
    record MacAged(int bridge, int vlan, long mac, int port) implements Command {}

    record MacForgotten(int bridge, int vlan, long mac, int port) implements Command {}

    /**
     * Another host learned a router's neighbour; it says itself when the answer is over.
     *
     * @param macPort the exterior port the MAC is behind, -1 when that is gone
     */
    record NeighbourLearned(int router, long high, long low, long mac, int port, int macPort) implements Command {}

    record NeighbourForgotten(int router, long high, long low, long mac, int port) implements Command {}

    /** The worker may give out these public ports from now on. */
    record BlockGranted(long pool, long high, long low, int first, int count) implements Command {}

    /** There are no public ports of this pool to be had for a while. */
    record BlocksExhausted(long pool, long forNanos) implements Command {}

    /** A member of a pool, as the network names it, is down or up again; the tag is the pool's. */
    record MemberHealth(long poolTag, long member, boolean down) implements Command {}

    /**
     * A client of a sticky balancer stays with a member, whatever the balancer's table says: it has a connection there.
     *
     * @param rule tag of the balancer
     * @param memberPort as the pool has it, 0 for none of its own
     */
    record ClientStays(long rule, long clientHigh, long clientLow, long memberHigh, long memberLow, int memberPort)
            implements Command {}

    /** Flows that carry one of these tags go. The array is not changed after it was sent. */
    @SuppressWarnings("ArrayRecordComponent")
    record Invalidate(long[] tags) implements Command {}

    /**
     * Judge the flows that an earlier agent left: take over what still holds.
     *
     * @param replace what does not hold, too; else it is left for a second round
     * @param waiting counts those that cannot be judged yet: a neighbour has to be asked for
     * @param latch counted down when all were looked at
     */
    record Adopt(boolean replace, AtomicInteger waiting, CountDownLatch latch) implements Command {}

    /** From now on frames of so many octets fit the tunnel; 0: unknown. */
    record TunnelMtu(int octets) implements Command {}

    /** Ask the datapath of another host whether it still forwards; the answer names the token. */
    record Probe(long hostHigh, long hostLow, long token) implements Command {}

    /** Count down once everything told before this is in effect. */
    record Done(CountDownLatch latch) implements Command {}

    /**
     * Show the connections in these slots of the table.
     *
     * @param from first slot
     * @param slots how many to look at
     */
    record ShowConnections(int from, int slots, CompletableFuture<ConnectionPage> answer) implements Command {}

    /** Somebody serves services, or serves them otherwise than before. */
    record InstanceUp(ServiceInstance instance) implements Command {}

    record InstanceDown(ServicePrefix prefix, UUID port) implements Command {}

    /**
     * Show some rules of the service tables.
     *
     * @param table dense index of the table to go on with
     * @param entry place of the first entry there
     * @param entries how many places to look at
     */
    record ShowServices(int table, int entry, int entries, CompletableFuture<ServicePage> answer) implements Command {}

    /** Simulate a frame as if it had come from this port's VM, without any effect, and say every step. */
    @SuppressWarnings("ArrayRecordComponent")
    record Inspect(int port, byte[] frame, CompletableFuture<TraceResult> answer) implements Command {}
}
