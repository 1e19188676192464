package dev.weft.agent.control;

/** What {@code status} shows of the other hosts: written by the fabric's actor, read by anyone. */
public final class FabricBoard {
    private volatile Counts counts = new Counts(0, 0, 0);

    /**
     * @param peers hosts that may send to us
     * @param remotePorts ports at other hosts that packets can be sent to
     * @param floodTargets pairs of a bridge and a host that its floods go to
     */
    public record Counts(int peers, int remotePorts, int floodTargets) {}

    void show(Counts now) {
        counts = now;
    }

    public Counts counts() {
        return counts;
    }
}
