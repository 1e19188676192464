package dev.weft.agent.socket;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.ServerSocketChannel;
import java.nio.channels.SocketChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class ControlSocketTest {
    @TempDir
    Path folder;

    private Path path;
    private ControlServer server;

    @BeforeEach
    void open() {
        path = folder.resolve("agent.sock");
        server = ControlServer.open(path, ControlSocketTest::echo);
    }

    @AfterEach
    void close() {
        server.close();
    }

    private static Map<String, ?> echo(String command, Map<String, String> arguments) {
        if (command.equals("refuse")) {
            throw new ControlException("refused on purpose");
        }
        return Map.of("command", command, "arguments", arguments, "list", List.of(1, 2.5, true));
    }

    @Test
    void answersRequestsOnOneConnection() {
        try (var client = ControlClient.connect(path)) {
            assertThat(client.call("status", Map.of("a", "b")))
                    .containsEntry("command", "status")
                    .containsEntry("arguments", Map.of("a", "b"))
                    .containsEntry("list", List.of(1L, 2.5, true));
            assertThat(client.call("flows", Map.of())).containsEntry("command", "flows");
        }
    }

    @Test
    void aRefusalReachesTheClientInItsOwnWords() {
        try (var client = ControlClient.connect(path)) {
            assertThatThrownBy(() -> client.call("refuse", Map.of()))
                    .isInstanceOf(ControlException.class)
                    .hasMessage("refused on purpose");
        }
    }

    @Test
    void onlyItsOwnerMayOpenIt() throws IOException {
        assertThat(PosixFilePermissions.toString(Files.getPosixFilePermissions(path)))
                .isEqualTo("rw-------");
        try (var left = Files.list(folder)) {
            assertThat(left).containsExactly(path);
        }
    }

    @Test
    void replacesTheSocketOfAKilledAgentAndRemovesItsOwn() throws IOException {
        server.close();
        try (var killed = ServerSocketChannel.open(StandardProtocolFamily.UNIX)) {
            killed.bind(UnixDomainSocketAddress.of(path));
        }
        assertThat(path).exists();
        server = ControlServer.open(path, (command, arguments) -> Map.of("who", "second"));
        try (var client = ControlClient.connect(path)) {
            assertThat(client.call("status", Map.of())).containsEntry("who", "second");
        }
        server.close();
        assertThat(path).doesNotExist();
    }

    @Test
    void garbageIsAnsweredAndLongLinesCloseTheConnection() throws IOException {
        try (var raw = SocketChannel.open(StandardProtocolFamily.UNIX)) {
            raw.connect(UnixDomainSocketAddress.of(path));
            raw.write(ByteBuffer.wrap("][\n".getBytes(StandardCharsets.UTF_8)));
            var answer = ByteBuffer.allocate(4096);
            raw.read(answer);
            assertThat(new String(answer.array(), 0, answer.position(), StandardCharsets.UTF_8))
                    .contains("\"ok\":false");

            writeUntilClosed(raw);

            assertThat(raw.read(ByteBuffer.allocate(10))).isNegative();
        }
    }

    private static void writeUntilClosed(SocketChannel raw) {
        var junk = ByteBuffer.wrap("x".repeat(ControlServer.MAX_LINE_BYTES + 1).getBytes(StandardCharsets.UTF_8));
        try {
            while (junk.hasRemaining()) {
                raw.write(junk);
            }
        } catch (IOException closedMeanwhile) {
            assertThat(closedMeanwhile).hasMessageContaining("roken pipe");
        }
    }

    @Test
    void withoutAnAgentTheClientSaysWhatToDo() {
        assertThatThrownBy(() -> ControlClient.connect(folder.resolve("nobody.sock")))
                .isInstanceOf(ControlException.class)
                .hasMessageContaining("nobody.sock")
                .hasMessageContaining("weft agent");
    }
}
