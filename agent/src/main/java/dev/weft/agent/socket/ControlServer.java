package dev.weft.agent.socket;

import java.io.BufferedInputStream;
import java.io.IOException;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.Channels;
import java.nio.channels.ClosedChannelException;
import java.nio.channels.ServerSocketChannel;
import java.nio.channels.SocketChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.Semaphore;
import java.util.stream.Collectors;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Listens at a Unix domain socket and answers lines of JSON. Thread safe; a virtual thread serves each connection. */
public final class ControlServer implements AutoCloseable {
    /** A longer request closes its connection. */
    public static final int MAX_LINE_BYTES = 64 << 10;

    private static final Logger LOG = LoggerFactory.getLogger(ControlServer.class);
    private static final int MAX_CONNECTIONS = 32;

    // Immutable after construction.
    private final Path path;
    private final ServerSocketChannel listener;
    private final RequestHandler handler;
    // Shared.
    private final Semaphore seats = new Semaphore(MAX_CONNECTIONS);
    private final Set<SocketChannel> connections = ConcurrentHashMap.newKeySet();

    private ControlServer(Path path, ServerSocketChannel listener, RequestHandler handler) {
        this.path = path;
        this.listener = listener;
        this.handler = handler;
    }

    /**
     * Takes over the path; a socket that a killed agent left there is replaced.
     *
     * @throws ControlException when the path cannot be a socket
     */
    public static ControlServer open(Path path, RequestHandler handler) {
        try {
            var server = new ControlServer(path, bind(path), handler);
            Thread.ofVirtual().name("control-accept").start(server::accept);
            return server;
        } catch (IOException | UnsupportedOperationException | IllegalArgumentException e) {
            throw new ControlException(
                    "control socket " + path + " cannot be opened: " + e.getMessage()
                            + " (expected a path of at most 80 bytes in a folder this user may write to)",
                    e);
        }
    }

    /** Bound inside a folder nobody else can enter and moved when its permissions are set: never open to others. */
    private static ServerSocketChannel bind(Path path) throws IOException {
        Path folder = path.toAbsolutePath().getParent();
        Path closed = Files.createTempDirectory(
                folder, ".c", PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rwx------")));
        ServerSocketChannel channel = ServerSocketChannel.open(StandardProtocolFamily.UNIX);
        try {
            Path inner = closed.resolve("s");
            channel.bind(UnixDomainSocketAddress.of(inner));
            Files.setPosixFilePermissions(inner, PosixFilePermissions.fromString("rw-------"));
            Files.move(inner, path, StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
            return channel;
        } catch (IOException | RuntimeException e) {
            channel.close();
            throw e;
        } finally {
            Files.deleteIfExists(closed.resolve("s"));
            Files.deleteIfExists(closed);
        }
    }

    private void accept() {
        while (listener.isOpen()) {
            try {
                SocketChannel connection = listener.accept();
                if (seats.tryAcquire()) {
                    connections.add(connection);
                    Thread.ofVirtual().name("control").start(() -> serve(connection));
                } else {
                    connection.close();
                }
            } catch (ClosedChannelException closed) {
                return;
            } catch (IOException e) {
                LOG.warn("control socket {}: a connection could not be accepted", path, e);
            }
        }
    }

    private void serve(SocketChannel connection) {
        try (connection) {
            var lines = new LineReader(new BufferedInputStream(Channels.newInputStream(connection)), MAX_LINE_BYTES);
            for (String line = lines.next(); line != null; line = lines.next()) {
                send(connection, answer(line));
            }
        } catch (ControlException tooLong) {
            LOG.info("control socket {}: closed a connection that sent {}", path, tooLong.getMessage());
        } catch (IOException gone) {
            LOG.debug("control socket {}: a client went away", path, gone);
        } finally {
            connections.remove(connection);
            seats.release();
        }
    }

    private Map<String, ?> answer(String line) {
        try {
            Map<String, Object> request = Json.readObject(line);
            if (!(request.remove("command") instanceof String command)) {
                throw new ControlException("a request without a command (expected {\"command\":\"status\"})");
            }
            Map<String, String> arguments = request.entrySet().stream()
                    .filter(e -> e.getValue() != null)
                    .collect(Collectors.toMap(
                            Map.Entry::getKey, e -> e.getValue().toString()));
            return Map.of("ok", true, "result", handler.handle(command, arguments));
        } catch (RuntimeException refused) {
            LOG.debug("control socket {}: request refused", path, refused);
            String why = refused.getMessage();
            return Map.of("ok", false, "error", why == null ? refused.toString() : why);
        }
    }

    private static void send(SocketChannel connection, Map<String, ?> answer) throws IOException {
        var bytes = ByteBuffer.wrap((Json.write(answer) + "\n").getBytes(StandardCharsets.UTF_8));
        while (bytes.hasRemaining()) {
            connection.write(bytes);
        }
    }

    @Override
    public void close() {
        try {
            listener.close();
            for (SocketChannel connection : connections) {
                connection.close();
            }
            Files.deleteIfExists(path);
        } catch (IOException e) {
            LOG.warn("control socket {} could not be closed", path, e);
        }
    }
}
