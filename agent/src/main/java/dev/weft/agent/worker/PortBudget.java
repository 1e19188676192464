package dev.weft.agent.worker;

import dev.weft.base.HotPath;
import java.util.Arrays;

/**
 * How much work a port may cause: a bucket of tokens for each port, filled at a steady rate. Not thread safe: touched
 * only by its worker thread. What is taken without a token is the port's own loss, and counted.
 */
@HotPath
public final class PortBudget {
    private final long nanosPerToken;
    private final long burstNanos;
    private long[] fullAt; // when the port's bucket is full again; grows with the highest port number
    private boolean[] known;
    private long refused;

    /**
     * @param perSecond tokens a port gets each second
     * @param burst tokens it may have saved
     */
    public PortBudget(int perSecond, int burst) {
        Slabs.require("budget per second", perSecond, 1, 1_000_000_000);
        Slabs.require("burst", burst, 1, 1_000_000_000);
        nanosPerToken = 1_000_000_000L / perSecond;
        burstNanos = burst * nanosPerToken;
        fullAt = new long[64];
        known = new boolean[64];
    }

    /**
     * Takes a token of this port. It allocates only for a port number beyond all before.
     *
     * @param port 0 or more
     */
    public boolean take(int port, long nowNanos) {
        if (port >= fullAt.length) {
            int length = Math.max(port + 1, 2 * fullAt.length);
            fullAt = Arrays.copyOf(fullAt, length);
            known = Arrays.copyOf(known, length);
        }
        long full = known[port] && fullAt[port] - nowNanos > 0 ? fullAt[port] : nowNanos;
        if (full + nanosPerToken - nowNanos > burstNanos) {
            refused++;
            return false;
        }
        known[port] = true;
        fullAt[port] = full + nanosPerToken;
        return true;
    }

    public long refused() {
        return refused;
    }
}
