package dev.weft.agent.cli;

import dev.weft.topology.ObjectKind;
import dev.weft.topology.Schema;
import dev.weft.topology.TopologySnapshot;
import dev.weft.topology.Transaction;
import java.util.List;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Parameters;

/** {@code weft delete}: removes objects, and what the schema says goes with them. */
@Command(
        name = "delete",
        description = "Deletes objects of a kind and, in the same transaction, what goes with them: a tenant's devices,"
                + " a device's ports, a port's routes.")
final class DeleteCommand implements Callable<Integer> {
    @Mixin
    private StoreOptions store = new StoreOptions();

    @Mixin
    private WaitOptions waiting = new WaitOptions();

    @Mixin
    private Output output = new Output();

    @Parameters(index = "0", paramLabel = "KIND", description = "tenant, host, bridge, router, port or route.")
    private String kindName = "";

    @Parameters(index = "1..*", arity = "1..*", paramLabel = "NAME", description = "TENANT/NAME, NAME or an id.")
    private List<String> names = List.of();

    @Override
    public Integer call() {
        ObjectKind kind = Kinds.parse(kindName);
        try (var open = store.open()) {
            TopologySnapshot before = open.topology().refresh();
            var transaction = Transaction.builder();
            for (String name : names) {
                var object = ObjectName.parse(name).in(before, kind);
                transaction.delete(kind, kind.idOf(object), before.version(object));
            }
            WaitOptions.Applied applied = waiting.apply(open, before, transaction.build());
            List<String> gone = Schema.kinds().stream()
                    .flatMap(each -> before.all(each).stream()
                            .filter(object -> open.topology()
                                    .snapshot()
                                    .find(each, each.idOf(object))
                                    .isEmpty())
                            .map(object -> each + " " + ObjectName.of(before, object)))
                    .toList();
            output.print(
                    "change " + applied.change() + ": deleted " + String.join(", ", gone) + applied.text(), json -> {
                        json.writeNumberField("change", applied.change());
                        json.writeFieldName("deleted");
                        Table.value(json, gone);
                        applied.json(json);
                    });
        }
        return ExitCode.OK;
    }
}
