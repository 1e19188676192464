package dev.weft.agent.worker;

import dev.weft.base.IpAddress;
import dev.weft.base.NanoClock;
import dev.weft.datapath.WorkerPort;
import dev.weft.sim.Tables;
import dev.weft.state.ConnectionTable;
import dev.weft.state.Journal;
import dev.weft.state.Lifetimes;
import org.jspecify.annotations.Nullable;

/**
 * What a worker is made of.
 *
 * @param index 0..workers-1: its seat and its share of the hashes
 * @param workers of this host
 * @param underlay of this host: where answers from other hosts come
 * @param tunnelMtu longest frame that fits the tunnel, Ethernet header included; 0: unknown
 * @param epoch of the connections it creates: larger after each restart, by signed subtraction
 * @param seed of its hash tables; secret
 * @param journal keeps its connections; null: they end with the agent
 */
public record WorkerSetup(
        int index,
        int workers,
        WorkerPort seat,
        IpAddress underlay,
        int tunnelMtu,
        NanoClock clock,
        Lifetimes lifetimes,
        int epoch,
        long seed,
        Limits limits,
        Learnings learnings,
        @Nullable Journal journal) {
    /**
     * How much one worker holds.
     *
     * @param flows that it may have installed
     * @param flowIdleNanos a flow unused for so long goes
     * @param connections of stateful ports, in all and per port, and how many ports
     * @param tables learned MACs and neighbours
     * @param parked packets waiting, in all
     * @param parkedPerPort of these
     * @param neighbours questions and answers under way
     * @param errorsPerSecond ICMP errors one port may be answered with
     * @param repliesPerSecond other answers of the virtual network to one port: ARP, ND, echo
     * @param macsPerPort MACs one port may have
     * @param commands that may wait
     * @param ruleLogs entries of the log that one rule gets each second
     * @param frameBytes memory for frames from siblings: a power of two
     */
    public record Limits(
            int flows,
            long flowIdleNanos,
            ConnectionTable.Limits connections,
            Tables.Limits tables,
            int parked,
            int parkedPerPort,
            int neighbours,
            int errorsPerSecond,
            int repliesPerSecond,
            int macsPerPort,
            int commands,
            int ruleLogs,
            int frameBytes) {}
}
