package dev.weft.agent.cli;

import com.fasterxml.jackson.core.JsonGenerator;
import dev.weft.base.NanoClock;
import dev.weft.topology.ChangeWaits;
import dev.weft.topology.HostsConcerned;
import dev.weft.topology.TopologySnapshot;
import dev.weft.topology.Transaction;
import dev.weft.topology.schema.Host;
import java.io.IOException;
import java.time.Duration;
import java.util.Collection;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.UUID;
import picocli.CommandLine.Option;

/** Whether a command that changes the topology waits until the change is in effect. */
final class WaitOptions {
    @Option(names = "--wait", description = "Returns when every host concerned treats packets the new way.")
    private boolean wait;

    @Option(
            names = "--timeout",
            paramLabel = "SECONDS",
            defaultValue = "30",
            description = "How long --wait waits; exit code 1 when hosts are missing then. Default: 30.")
    private int timeoutSeconds = 30;

    /**
     * A transaction that was applied, and where it is in effect.
     *
     * @param change its number
     * @param hosts that answered, by name; empty when nobody waited
     * @param gone hosts concerned whose agent is not alive: it reads the change when it comes back
     */
    record Applied(long change, List<String> hosts, List<String> gone) {
        /** For people, to follow the sentence about the change. */
        String text() {
            return (hosts.isEmpty() ? "" : "; in effect at " + String.join(", ", hosts))
                    + (gone.isEmpty() ? "" : "; no agent alive at " + String.join(", ", gone));
        }

        void json(JsonGenerator json) throws IOException {
            json.writeFieldName("in-effect-at");
            Table.value(json, hosts);
            json.writeFieldName("not-alive");
            Table.value(json, gone);
        }
    }

    /** Applies, and waits if that is wanted. @throws Failure when living hosts did not answer in time */
    Applied apply(StoreOptions.OpenStore open, TopologySnapshot before, Transaction transaction) {
        long change = open.topology().apply(transaction);
        TopologySnapshot after = open.topology().snapshot();
        if (!wait) {
            return new Applied(change, List.of(), List.of());
        }
        Set<UUID> concerned = HostsConcerned.of(before, after, transaction);
        var living = new HashSet<>(concerned);
        living.retainAll(open.livingHosts());
        Set<UUID> missing = new ChangeWaits(open.connection(), NanoClock.SYSTEM)
                .await(change, living, Duration.ofSeconds(timeoutSeconds));
        if (!missing.isEmpty()) {
            throw Failure.failed("change %d is stored, but not in effect at %s within %d s; see 'weft status' there"
                    .formatted(change, String.join(", ", names(after, missing)), timeoutSeconds));
        }
        var gone = new HashSet<>(concerned);
        gone.removeAll(living);
        return new Applied(change, names(after, living), names(after, gone));
    }

    private static List<String> names(TopologySnapshot snapshot, Collection<UUID> hosts) {
        return hosts.stream()
                .map(id -> snapshot.host(id).map(Host::getName).orElse(id.toString()))
                .sorted()
                .toList();
    }
}
