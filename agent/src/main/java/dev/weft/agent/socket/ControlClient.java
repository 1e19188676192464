package dev.weft.agent.socket;

import java.io.BufferedInputStream;
import java.io.IOException;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.Channels;
import java.nio.channels.SocketChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;

/** A connection to a running agent. One thread. */
public final class ControlClient implements AutoCloseable {
    private static final int MAX_ANSWER_BYTES = 64 << 20;

    private final Path path;
    private final SocketChannel channel;
    private final LineReader answers;

    private ControlClient(Path path, SocketChannel channel) {
        this.path = path;
        this.channel = channel;
        this.answers = new LineReader(new BufferedInputStream(Channels.newInputStream(channel)), MAX_ANSWER_BYTES);
    }

    /** @throws ControlException when no agent listens there */
    public static ControlClient connect(Path path) {
        try {
            SocketChannel channel = SocketChannel.open(StandardProtocolFamily.UNIX);
            try {
                channel.connect(UnixDomainSocketAddress.of(path));
                return new ControlClient(path, channel);
            } catch (IOException | RuntimeException e) {
                channel.close();
                throw e;
            }
        } catch (IOException | IllegalArgumentException e) {
            throw new ControlException(
                    "no agent answers at " + path + ": " + e.getMessage()
                            + "; start one with 'weft agent', or give --socket PATH",
                    e);
        }
    }

    /**
     * Asks and waits for the answer.
     *
     * @return the result, as {@link Json} reads it
     * @throws ControlException with the agent's words when it refuses
     */
    @SuppressWarnings("unchecked") // Json makes maps with text keys only.
    public Map<String, Object> call(String command, Map<String, String> arguments) {
        var request = new LinkedHashMap<String, Object>(arguments);
        request.put("command", command);
        Map<String, Object> answer = Json.readObject(exchange(Json.write(request)));
        if (Boolean.TRUE.equals(answer.get("ok")) && answer.get("result") instanceof Map<?, ?> result) {
            return (Map<String, Object>) result;
        }
        throw new ControlException(String.valueOf(answer.get("error")));
    }

    private String exchange(String line) {
        try {
            var bytes = ByteBuffer.wrap((line + "\n").getBytes(StandardCharsets.UTF_8));
            while (bytes.hasRemaining()) {
                channel.write(bytes);
            }
            String answer = answers.next();
            if (answer == null) {
                throw new ControlException("the agent at " + path + " closed the connection without an answer");
            }
            return answer;
        } catch (IOException e) {
            throw new ControlException("the agent at " + path + " went away: " + e.getMessage(), e);
        }
    }

    @Override
    public void close() {
        try {
            channel.close();
        } catch (IOException e) {
            throw new ControlException("the connection to " + path + " could not be closed", e);
        }
    }
}
