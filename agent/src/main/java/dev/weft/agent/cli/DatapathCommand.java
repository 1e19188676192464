package dev.weft.agent.cli;

import picocli.CommandLine.Command;
import picocli.CommandLine.HelpCommand;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/** {@code weft datapath}: what is in the flow cache of this host, and what it needs. */
@Command(
        name = "datapath",
        description = "Looks into the datapath of this host.",
        synopsisSubcommandLabel = "COMMAND",
        subcommands = {
            DatapathPortsCommand.class,
            FlowsCommand.class,
            DatapathMasksCommand.class,
            DatapathStatsCommand.class,
            CaptureCommand.class,
            DatapathProbeCommand.class,
            DatapathRemoveCommand.class,
            HelpCommand.class
        })
final class DatapathCommand implements Runnable {
    @Spec
    private CommandSpec spec = CommandSpec.create();

    @Override
    public void run() {
        throw new ParameterException(spec.commandLine(), "a command is missing");
    }
}
