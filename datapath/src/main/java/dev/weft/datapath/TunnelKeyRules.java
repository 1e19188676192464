package dev.weft.datapath;

/** What a tunnel key may be bound to, the same for every kind. */
public final class TunnelKeyRules {
    private TunnelKeyRules() {}

    /** @throws DatapathException when the key is out of range, or its target is not one */
    public static void check(int key, int target) {
        if (key < 1 || key > Datapath.STATE_KEY || key == Datapath.PROBE_KEY) {
            throw new DatapathException("tunnel key " + key + " (expected 1.." + (Datapath.PROBE_KEY - 1) + ", or "
                    + Datapath.STATE_KEY + ")");
        }
        if (key == Datapath.STATE_KEY && target != Datapath.TO_WORKER) {
            throw new DatapathException("tunnel key " + key + " bound to port " + target
                    + ": the key of state frames belongs to the workers; bind it to TO_WORKER");
        }
        if (target != Datapath.TO_WORKER && target < 1) {
            throw new DatapathException(
                    "tunnel key " + key + " bound to port " + target + " (expected 1 or more, or TO_WORKER)");
        }
    }
}
