package dev.weft.agent.cli;

import ch.qos.logback.classic.Level;
import ch.qos.logback.classic.LoggerContext;
import java.io.PrintWriter;
import org.slf4j.LoggerFactory;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.HelpCommand;
import picocli.CommandLine.IVersionProvider;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.ParseResult;
import picocli.CommandLine.ScopeType;
import picocli.CommandLine.Spec;

/** The {@code weft} program. A new command is a class beside this one and a word in the list of {@code subcommands}. */
@Command(
        name = "weft",
        versionProvider = Weft.Version.class,
        mixinStandardHelpOptions = true,
        synopsisSubcommandLabel = "COMMAND",
        description = "A virtual network over many hosts, simulated once where a packet enters.",
        subcommands = {
            DemoCommand.class,
            StoreCommand.class,
            AgentCommand.class,
            ApplyCommand.class,
            GetCommand.class,
            DeleteCommand.class,
            BindCommand.class,
            UnbindCommand.class,
            HostsCommand.class,
            StatusCommand.class,
            FlowsCommand.class,
            DatapathCommand.class,
            ConnectionsCommand.class,
            ServiceCommand.class,
            LogCommand.class,
            TraceCommand.class,
            HelpCommand.class
        },
        exitCodeListHeading = "%nExit codes:%n",
        exitCodeList = {
            ExitCode.OK + ":done; all that was checked held",
            ExitCode.FAILED + ":a check did not hold, or what was waited for did not come in time",
            ExitCode.USAGE + ":wrong arguments",
            ExitCode.UNREACHABLE + ":the store or the agent cannot be reached",
            ExitCode.REFUSED + ":the input is refused; nothing was half-applied",
            ExitCode.INTERNAL + ":a mistake in Weft itself (--debug shows where)"
        },
        commandListHeading = "%nCommands:%n",
        footerHeading = "%nBy the launcher ./weft itself:%n",
        footer = {
            "  verify [MAVEN-ARGUMENT...]  Builds everything and runs every test.",
            "  bench [NAME] [-o json]      Runs a benchmark and prints its rows; lists them without a name.",
            "  --no-install                Goes on without installing what the machine lacks."
        })
public final class Weft implements Runnable {
    @Option(
            names = "--debug",
            scope = ScopeType.INHERIT,
            description = "Shows the stack trace of an error, and logs in detail.")
    private boolean debug;

    @Spec
    private CommandSpec spec = CommandSpec.create();

    public static void main(String[] args) {
        System.exit(run(new PrintWriter(System.out, true), new PrintWriter(System.err, true), args));
    }

    /** Runs a command line in this process. Returns its {@link ExitCode}. */
    public static int run(PrintWriter out, PrintWriter err, String... args) {
        return lineOf(new Weft(), out, err).execute(args);
    }

    /** @param more commands that a test adds */
    static CommandLine lineOf(Weft weft, PrintWriter out, PrintWriter err, Object... more) {
        var line = new CommandLine(weft);
        for (Object command : more) {
            line.addSubcommand(command);
        }
        addHelpOptions(line);
        var errors = new Errors(() -> weft.debug);
        return line.setOut(out)
                .setErr(err)
                .setCaseInsensitiveEnumValuesAllowed(true)
                .setUsageHelpAutoWidth(true)
                .setParameterExceptionHandler(errors::wrongArguments)
                .setExecutionExceptionHandler(errors::failed)
                .setExecutionStrategy(parsed -> {
                    weft.setLogLevel(parsed);
                    return new CommandLine.RunLast().execute(parsed);
                });
    }

    /** Every command knows {@code --help}, so that none has to say so. */
    private static void addHelpOptions(CommandLine line) {
        for (CommandLine command : line.getSubcommands().values()) {
            if (command.getCommandSpec().findOption("--help") == null
                    && !(command.getCommand() instanceof HelpCommand)) {
                command.getCommandSpec().addMixin("help", CommandSpec.forAnnotatedObject(new HelpOption()));
            }
            addHelpOptions(command);
        }
    }

    private void setLogLevel(ParseResult parsed) {
        ParseResult last = parsed;
        while (last.hasSubcommand()) {
            last = last.subcommand();
        }
        boolean serves = last.commandSpec().userObject() instanceof LongRunning;
        boolean given = System.getenv("WEFT_LOG_LEVEL") != null;
        if ((debug || serves && !given) && LoggerFactory.getILoggerFactory() instanceof LoggerContext context) {
            context.getLogger("dev.weft").setLevel(debug ? Level.DEBUG : Level.INFO);
        }
    }

    /** Without a command: says so, and what there is. */
    @Override
    public void run() {
        throw new ParameterException(spec.commandLine(), "a command is missing");
    }

    @Command
    static final class HelpOption {
        @Option(
                names = {"-h", "--help"},
                usageHelp = true,
                description = "Shows this text and ends.")
        private boolean help;
    }

    static final class Version implements IVersionProvider {
        @Override
        public String[] getVersion() {
            String version = Weft.class.getPackage().getImplementationVersion();
            return new String[] {
                "weft " + (version == null ? "(not packaged)" : version) + ", Java "
                        + Runtime.version().feature()
            };
        }
    }
}
