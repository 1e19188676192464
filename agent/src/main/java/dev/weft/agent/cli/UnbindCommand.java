package dev.weft.agent.cli;

import dev.weft.topology.schema.Port;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Parameters;

/** {@code weft unbind}: takes a port off its interface. */
@Command(name = "unbind", description = "Takes a port off its interface; the port itself stays.")
final class UnbindCommand implements Callable<Integer> {
    @Mixin
    private PortUpdate update = new PortUpdate();

    @Parameters(index = "0", paramLabel = "PORT", description = "TENANT/NAME, NAME or an id.")
    private String port = "";

    @Override
    public Integer call() {
        return update.run(
                port,
                "unbound",
                (snapshot, old) -> Port.newBuilder(old)
                        .clearHostId()
                        .clearInterface()
                        .clearNamespace()
                        .build());
    }
}
