package dev.weft.agent.cli;

import dev.weft.topology.Schema;
import dev.weft.topology.TopologySnapshot;
import dev.weft.topology.Transaction;
import dev.weft.topology.schema.Port;
import java.util.function.BiFunction;
import picocli.CommandLine.Mixin;

/** What the commands that change one port have in common. */
final class PortUpdate {
    @Mixin
    private StoreOptions store = new StoreOptions();

    @Mixin
    private WaitOptions waiting = new WaitOptions();

    @Mixin
    private Output output = new Output();

    int run(String name, String done, BiFunction<TopologySnapshot, Port, Port> change) {
        try (var open = store.open()) {
            TopologySnapshot before = open.topology().refresh();
            Port old = (Port) ObjectName.parse(name).in(before, Schema.kindOf(Port.class));
            WaitOptions.Applied applied = waiting.apply(
                    open,
                    before,
                    Transaction.builder()
                            .put(change.apply(before, old), before.version(old))
                            .build());
            output.print(
                    "change " + applied.change() + ": port " + ObjectName.of(before, old) + " " + done + applied.text(),
                    json -> {
                        json.writeNumberField("change", applied.change());
                        json.writeStringField("port", ObjectName.of(before, old).toString());
                        applied.json(json);
                    });
        }
        return ExitCode.OK;
    }
}
