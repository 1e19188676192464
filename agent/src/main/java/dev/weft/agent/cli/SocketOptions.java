package dev.weft.agent.cli;

import dev.weft.agent.socket.ControlClient;
import dev.weft.agent.socket.ControlException;
import java.nio.file.Path;
import java.util.Map;
import picocli.CommandLine.Option;

/** Where the agent of this host listens for commands. */
final class SocketOptions {
    @Option(
            names = "--socket",
            paramLabel = "PATH",
            defaultValue = "${env:WEFT_SOCKET:-/var/lib/weft/agent.sock}",
            description = "The agent's control socket. Default: $WEFT_SOCKET, else /var/lib/weft/agent.sock.")
    private Path path = Path.of("/var/lib/weft/agent.sock");

    /** For several questions. @throws Failure when no agent answers */
    ControlClient open() {
        return connect();
    }

    /** One question, one answer. @throws Failure when no agent answers or it refuses */
    Map<String, Object> ask(String command, Map<String, String> arguments) {
        try (var client = connect()) {
            return client.call(command, arguments);
        } catch (ControlException refused) {
            throw Failure.refused(refused.getMessage());
        }
    }

    private ControlClient connect() {
        try {
            return ControlClient.connect(path);
        } catch (ControlException absent) {
            throw Failure.unreachable(absent.getMessage(), absent);
        }
    }
}
