package dev.weft.datapath;

/** A port and its counters since it was attached; {@code received} is what came from the VM. */
public record PortStatistics(
        int port,
        PortSpec spec,
        long receivedPackets,
        long receivedBytes,
        long sentPackets,
        long sentBytes,
        long upcalls,
        long upcallsOverBudget) {}
