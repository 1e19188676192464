package dev.weft.agent.socket;

import java.util.Map;

/** Answers requests. Called from several threads at a time; may block. */
@FunctionalInterface
public interface RequestHandler {
    /**
     * @param command such as {@code status}
     * @param arguments text by name
     * @return what {@link Json#write} can write
     * @throws RuntimeException whose message the client gets
     */
    Map<String, ?> handle(String command, Map<String, String> arguments);
}
