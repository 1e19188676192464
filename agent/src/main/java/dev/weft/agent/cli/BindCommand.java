package dev.weft.agent.cli;

import dev.weft.topology.Schema;
import dev.weft.topology.schema.Host;
import dev.weft.topology.schema.Port;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** {@code weft bind}: puts a port on an interface of a host. */
@Command(name = "bind", description = "Binds a port to an interface of a host; moves it when it is bound already.")
final class BindCommand implements Callable<Integer> {
    @Mixin
    private PortUpdate update = new PortUpdate();

    @Parameters(index = "0", paramLabel = "PORT", description = "TENANT/NAME, NAME or an id.")
    private String port = "";

    @Option(names = "--host", required = true, paramLabel = "HOST", description = "A host's name or id.")
    private String host = "";

    @Option(names = "--interface", required = true, paramLabel = "NAME", description = "As the host's kernel names it.")
    private String interfaceName = "";

    @Option(
            names = "--namespace",
            defaultValue = "",
            paramLabel = "NAME",
            description = "The interface's network namespace: a name under /run/netns or a path. Default: the agent's.")
    private String namespace = "";

    @Override
    public Integer call() {
        return update.run(port, "bound to " + interfaceName + " of " + host, (snapshot, old) -> {
            Host target = (Host) ObjectName.parse(host).in(snapshot, Schema.kindOf(Host.class));
            return Port.newBuilder(old)
                    .setHostId(target.getId())
                    .setInterface(interfaceName)
                    .setNamespace(namespace)
                    .build();
        });
    }
}
