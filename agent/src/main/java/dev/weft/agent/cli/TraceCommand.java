package dev.weft.agent.cli;

import dev.weft.agent.socket.Json;
import dev.weft.agent.trace.OfflineTrace;
import dev.weft.agent.trace.TraceResult;
import dev.weft.topology.ChangeSet;
import dev.weft.topology.Schema;
import dev.weft.topology.TopologySnapshot;
import dev.weft.topology.schema.Port;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** {@code weft trace}: explains what becomes of a packet. */
@Command(
        name = "trace",
        description = {
            "Explains what becomes of a packet that enters at a port: every device, decision and rewrite.",
            "With -f the network is in files and nothing else is needed; else the agent of this host is asked,",
            "which answers with what it knows now. Nothing is sent either way."
        },
        footer = {
            "",
            "Examples of packets (MACs, when left out, are what the VM would use):",
            "  udp 10.0.1.5:1000 > 10.0.2.9:53 ttl 64",
            "  tcp [fd00:1::5]:1000 > [fd00:2::9]:80 flags syn",
            "  icmp echo-request 10.0.1.5 > 10.0.2.9 id 7 seq 1",
            "  arp request 10.0.1.5 > 10.0.1.1"
        })
final class TraceCommand implements Callable<Integer> {
    @Mixin
    private SocketOptions socket = new SocketOptions();

    @Mixin
    private Output output = new Output();

    @Option(
            names = "--port",
            required = true,
            paramLabel = "PORT",
            description = "Where it enters: TENANT/NAME, NAME or an id.")
    private String port = "";

    @Option(
            names = {"-f", "--file"},
            paramLabel = "FILE",
            description = "The network, as YAML or JSON; several may be given. Without: the agent of this host.")
    private List<Path> files = List.of();

    @Parameters(arity = "1..*", paramLabel = "PACKET", description = "The packet; quoted or not.")
    private List<String> words = List.of();

    @Override
    public Integer call() throws IOException {
        String packet = String.join(" ", words);
        Map<String, Object> answer = files.isEmpty()
                ? socket.ask("trace", Map.of("port", port, "packet", packet))
                : offline(packet).toMap();
        output.print(TraceResult.text(answer), json -> {
            for (Map.Entry<String, Object> field : answer.entrySet()) {
                json.writeFieldName(field.getKey());
                json.writeRawValue(Json.write(field.getValue()));
            }
        });
        return ExitCode.OK;
    }

    private TraceResult offline(String packet) throws IOException {
        TopologySnapshot snapshot = ChangeSet.offlineSnapshot(ApplyCommand.read(files));
        Port ingress = (Port) ObjectName.parse(port).in(snapshot, Schema.kindOf(Port.class));
        return new OfflineTrace(snapshot).run(ingress, packet);
    }
}
