package dev.weft.datapath;

/**
 * A port and its counters since it was attached; {@code received} is what came from the VM.
 *
 * @param up false once the interface is gone: the port then stays, silent, until it is detached
 */
public record PortStatistics(
        int port,
        PortSpec spec,
        boolean up,
        long receivedPackets,
        long receivedBytes,
        long sentPackets,
        long sentBytes,
        long upcalls,
        long upcallsOverBudget) {}
