package dev.weft.agent.worker;

import java.util.List;

/**
 * Some of the rules of a worker's service tables, with what it used them for.
 *
 * @param totals of the table whose rules these are; empty after its last page
 * @param nextTable where to go on; {@link #END} when there is no more
 * @param nextEntry where to go on in that table
 */
public record ServicePage(List<Row> rows, List<Totals> totals, int nextTable, int nextEntry) {
    public static final int END = -1;

    /** @param counts whether it is of its entry's highest priority */
    public record Row(
            String table,
            String prefix,
            String target,
            int priority,
            int weight,
            boolean counts,
            long packets,
            long bytes) {}

    /** Of one table. */
    public record Totals(
            String table,
            int entries,
            long resolvedPackets,
            long resolvedBytes,
            long droppedPackets,
            long droppedBytes,
            long unresolvedPackets) {}

    public ServicePage {
        rows = List.copyOf(rows);
        totals = List.copyOf(totals);
    }
}
