package dev.weft.agent.cli;

import dev.weft.agent.Agent;
import dev.weft.agent.AgentConfig;
import dev.weft.datapath.Datapaths;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.UUID;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** {@code weft datapath remove}: for a datapath that goes on without its agent. */
@Command(
        name = "remove",
        description = {
            "Takes away the datapath that an agent left, and what it published. No agent may run there.",
            "Its VMs are cut off until an agent is started again."
        })
final class DatapathRemoveCommand implements Callable<Integer> {
    @Option(names = "--state-dir", paramLabel = "DIR", description = "Of the agent. Default: /var/lib/weft.")
    private Optional<String> stateDir = Optional.empty();

    @Option(names = "--store", paramLabel = "HOST:PORT[,...]", description = "ZooKeeper. Default: 127.0.0.1:2181.")
    private Optional<String> store = Optional.empty();

    @Option(
            names = "--host",
            paramLabel = "ID",
            description = "Only the datapath of this host, when its state folder is lost.")
    private Optional<UUID> host = Optional.empty();

    @Mixin
    private Output output = new Output();

    @Override
    public Integer call() {
        List<String> gone = host.map(Datapaths::remove).orElseGet(() -> Agent.removeLeftovers(config()));
        var table = new Table("removed");
        gone.forEach(table::row);
        output.print("removed", table);
        return ExitCode.OK;
    }

    private AgentConfig config() {
        Map<String, Object> given = new HashMap<>();
        stateDir.ifPresent(dir -> given.put("state-dir", dir));
        store.ifPresent(address -> given.put("store", address));
        given.put("underlay", "127.0.0.1"); // Not used: nothing is opened.
        return AgentConfig.load(given);
    }
}
