package dev.weft.topology;

/**
 * What one session may own and write. The transaction that closes a session lists all its ephemeral nodes; above
 * jute.maxbuffer it takes the whole ensemble down (ZOOKEEPER-4306), hence the first two.
 *
 * @param entries nodes of one session
 * @param pathBytes their paths together
 * @param writesPerSecond sustained
 * @param burst writes at once
 */
public record TableLimits(int entries, int pathBytes, int writesPerSecond, int burst) {
    public static final TableLimits DEFAULT = new TableLimits(4_000, 512 << 10, 200, 2_000);
}
