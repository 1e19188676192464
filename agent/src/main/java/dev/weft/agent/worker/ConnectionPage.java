package dev.weft.agent.worker;

import java.util.List;
import java.util.UUID;

/**
 * Some of the connections that a worker knows, for people.
 *
 * @param next first slot after those looked at; {@link #END} when there are no more
 */
public record ConnectionPage(List<Row> rows, int next) {
    public static final int END = -1;

    /**
     * One connection.
     *
     * @param portId of the port it entered by
     * @param port name of the port it entered by; its id when that is gone
     * @param forward the tuple as it entered
     * @param answer the tuple of its answers
     * @param state {@code opening}, {@code open} or {@code closing}
     * @param answered an answer was seen by this worker
     * @param owner {@code here}, {@code sibling} or the owner's host
     * @param told the host that was told of it last; empty for none
     * @param translations what devices on its way made of it, in order
     */
    public record Row(
            int worker,
            UUID portId,
            String port,
            String forward,
            String answer,
            String state,
            boolean answered,
            String owner,
            String told,
            int epoch,
            long idleSeconds,
            long endsInSeconds,
            List<String> translations) {
        public Row {
            translations = List.copyOf(translations);
        }
    }

    public ConnectionPage {
        rows = List.copyOf(rows);
    }
}
