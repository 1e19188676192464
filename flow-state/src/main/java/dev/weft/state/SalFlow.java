package dev.weft.state;

/**
 * What a guard knows of a Serval flow of a port's VM.
 *
 * @param flow the VM's own flow id
 * @param peerFlow the other end's
 * @param verno of the VM's SYN
 * @param bits which of these are known, and how far the connection is; the guard's own
 */
public record SalFlow(
        long portHigh, long portLow, int flow, int peerFlow, int verno, int bits, long ownNonce, long peerNonce) {}
