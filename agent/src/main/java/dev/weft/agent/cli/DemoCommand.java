package dev.weft.agent.cli;

import dev.weft.agent.demo.DemoRun;
import dev.weft.agent.lab.Underlay;
import dev.weft.datapath.Datapaths;
import java.nio.file.Path;
import java.util.Optional;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** {@code weft demo}: the whole of Weft on this machine, in about a minute. */
@Command(
        name = "demo",
        description = {
            "Three hosts and real programs in network namespaces of this machine: two tenants with the same addresses,",
            "or, as 'weft demo serval', services by packets that name them and by addresses.",
            "Tells what it does, checks it, and takes everything away again.",
            "Needs root, or a system that allows user namespaces."
        })
final class DemoCommand implements Callable<Integer> {
    @Mixin
    private Clutter clutter = new Clutter();

    @Parameters(
            paramLabel = "SUBJECT",
            arity = "0..1",
            defaultValue = "network",
            description = "network or serval. Default: network.")
    private DemoRun.Subject subject = DemoRun.Subject.NETWORK;

    @Option(
            names = "--datapath",
            defaultValue = Datapaths.AUTO,
            description = "auto (the best this machine can run), or a kind by name. Default: auto.")
    private String datapath = Datapaths.AUTO;

    @Option(
            names = "--underlay",
            paramLabel = "FAMILY",
            defaultValue = "ipv4",
            description = "What the fabric between the hosts is: ipv4 or ipv6. Default: ipv4.")
    private Underlay underlay = Underlay.IPV4;

    @Option(names = "--folder", paramLabel = "DIR", description = "For logs and state. Default: a new one under /tmp.")
    private Optional<Path> folder = Optional.empty();

    /** What to do about what is left, or to be left, on the machine. */
    static final class Clutter {
        @Option(names = "--keep", description = "Leaves everything up at the end and says what to try next.")
        private boolean keep;

        @Option(names = "--clean", description = "Only takes away what a kept or killed demo left.")
        private boolean clean;
    }

    @Override
    public Integer call() {
        if (clutter.clean) {
            System.out.println(DemoRun.clean());
            return ExitCode.OK;
        }
        return new DemoRun(System.out, new DemoRun.Options(subject, datapath, underlay, folder, clutter.keep)).run()
                ? ExitCode.OK
                : ExitCode.FAILED;
    }
}
