package dev.weft.agent.cli;

import dev.weft.datapath.Datapaths;
import dev.weft.datapath.Feature;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;

/** {@code weft datapath probe}: needs no agent. */
@Command(
        name = "probe",
        description = "Shows what each kind of datapath needs, and whether this machine has it for this user.")
final class DatapathProbeCommand implements Callable<Integer> {
    @Mixin
    private Output output = new Output();

    @Override
    public Integer call() {
        var table = new Table("kind", "feature", "there", "detail");
        for (Feature feature : Datapaths.features()) {
            table.row(feature.kind(), feature.name(), feature.there(), feature.detail());
        }
        output.print("features", table);
        return ExitCode.OK;
    }
}
