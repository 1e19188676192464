package dev.weft.agent.cli;

import com.google.protobuf.Descriptors.FieldDescriptor;
import com.google.protobuf.Message;
import dev.weft.topology.ChangeSet;
import dev.weft.topology.DesiredTopology;
import dev.weft.topology.Problem;
import dev.weft.topology.TopologyReader;
import dev.weft.topology.TopologySnapshot;
import java.io.IOException;
import java.io.PrintWriter;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.stream.Collectors;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/** {@code weft apply}: makes the topology as files describe it, in one transaction. */
@Command(
        name = "apply",
        description = {
            "Makes the topology as files describe it, in one transaction: all or nothing.",
            "Applying the same files again changes nothing. What they do not mention stays."
        })
final class ApplyCommand implements Callable<Integer> {
    private static final int SHOWN_WARNINGS = 100;

    @Mixin
    private StoreOptions store = new StoreOptions();

    @Mixin
    private WaitOptions waiting = new WaitOptions();

    @Mixin
    private Output output = new Output();

    @Option(
            names = {"-f", "--file"},
            required = true,
            paramLabel = "FILE",
            description = "YAML or JSON; several may be given; - is standard input.")
    private List<Path> files = List.of();

    @Option(names = "--dry-run", description = "Says what would change and checks it; writes nothing.")
    private boolean dryRun;

    @Spec
    private CommandSpec spec = CommandSpec.create();

    @Override
    public Integer call() throws IOException {
        DesiredTopology desired = read(files);
        try (var open = store.open()) {
            TopologySnapshot before = open.topology().refresh();
            ChangeSet planned = ChangeSet.plan(before, desired);
            warn(planned.warnings());
            if (dryRun) {
                print(planned, new WaitOptions.Applied(before.changeNumber(), List.of(), List.of()));
                return ExitCode.OK;
            }
            print(planned, waiting.apply(open, before, planned.transaction()));
        }
        return ExitCode.OK;
    }

    static DesiredTopology read(List<Path> files) throws IOException {
        var reader = new TopologyReader();
        for (Path file : files) {
            if (file.toString().equals("-")) {
                reader.text("standard input", new String(System.in.readAllBytes(), StandardCharsets.UTF_8));
            } else {
                reader.file(file);
            }
        }
        return reader.desired();
    }

    /** Beside the answer: programs find them in it. */
    private void warn(List<Problem> warnings) {
        PrintWriter err = spec.commandLine().getErr();
        if (!output.isJson()) {
            warnings.stream().limit(SHOWN_WARNINGS).forEach(warning -> err.println("warning: " + warning));
            if (warnings.size() > SHOWN_WARNINGS) {
                err.println("and " + (warnings.size() - SHOWN_WARNINGS) + " warnings more; -o json has all");
            }
        }
    }

    private static Table table(List<Problem> warnings) {
        var table = new Table("at", "kind", "name", "field", "value", "warning");
        warnings.forEach(each -> table.row(
                each.at() == null ? "" : each.at().toString(),
                each.kind(),
                each.name(),
                each.field(),
                each.value(),
                each.expected()));
        return table;
    }

    private void print(ChangeSet planned, WaitOptions.Applied applied) {
        var table = new Table("change", "kind", "tenant", "name", "fields");
        for (ChangeSet.Change each : planned.changes()) {
            table.row(
                    each.before().isEmpty() ? "create" : "update",
                    each.kind().name(),
                    each.tenant(),
                    each.name(),
                    each.before().map(old -> changedFields(old, each.after())).orElse(List.of()));
        }
        String summary = (dryRun ? "dry run at change " : "change ") + applied.change() + ": "
                + planned.changes().size() + " changed, " + planned.unchanged() + " as described already"
                + applied.text();
        output.print((table.size() == 0 ? "" : table.text()) + summary, json -> {
            json.writeNumberField("change", applied.change());
            json.writeBooleanField("dry-run", dryRun);
            json.writeNumberField("unchanged", planned.unchanged());
            json.writeFieldName("changes");
            table.json(json);
            json.writeFieldName("warnings");
            table(planned.warnings()).json(json);
            applied.json(json);
        });
    }

    private static List<String> changedFields(Message before, Message after) {
        return after.getDescriptorForType().getFields().stream()
                .filter(field -> !before.getField(field).equals(after.getField(field)))
                .map(FieldDescriptor::getName)
                .collect(Collectors.toList());
    }
}
