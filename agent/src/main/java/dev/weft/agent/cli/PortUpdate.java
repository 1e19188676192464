package dev.weft.agent.cli;

import dev.weft.topology.Schema;
import dev.weft.topology.TopologySnapshot;
import dev.weft.topology.Transaction;
import dev.weft.topology.schema.Port;
import java.util.List;
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
            long number = open.topology()
                    .apply(Transaction.builder()
                            .put(change.apply(before, old), before.version(old))
                            .build());
            List<String> answered = waiting.await(open, before, number);
            output.print("change " + number + ": port " + ObjectName.of(before, old) + " " + done, json -> {
                json.writeNumberField("change", number);
                json.writeStringField("port", ObjectName.of(before, old).toString());
                json.writeFieldName("in-effect-at");
                Table.value(json, answered);
            });
        }
        return ExitCode.OK;
    }
}
