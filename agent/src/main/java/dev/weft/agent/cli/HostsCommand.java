package dev.weft.agent.cli;

import dev.weft.topology.schema.Host;
import java.util.Comparator;
import java.util.Set;
import java.util.UUID;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;

/** {@code weft hosts}: who is there. */
@Command(name = "hosts", description = "Shows the hosts that agents registered, and whether their agent is alive.")
final class HostsCommand implements Callable<Integer> {
    @Mixin
    private StoreOptions store = new StoreOptions();

    @Mixin
    private Output output = new Output();

    @Override
    public Integer call() {
        try (var open = store.open()) {
            Set<UUID> alive = open.livingHosts();
            var table = new Table("name", "underlay", "agent", "ports", "id");
            var snapshot = open.topology().refresh();
            snapshot.hosts().stream()
                    .sorted(Comparator.comparing(Host::getName))
                    .forEach(host -> table.row(
                            host.getName(),
                            host.getUnderlay(),
                            alive.contains(UUID.fromString(host.getId())) ? "alive" : "gone",
                            snapshot.ports().stream()
                                    .filter(port -> port.getHostId().equals(host.getId()))
                                    .count(),
                            host.getId()));
            output.print("hosts", table);
        }
        return ExitCode.OK;
    }
}
