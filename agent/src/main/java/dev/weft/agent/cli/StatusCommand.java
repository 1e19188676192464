package dev.weft.agent.cli;

import dev.weft.agent.socket.Json;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;

/** {@code weft status}: how the agent of this host is. */
@Command(
        name = "status",
        description = "Shows the agent of this host: session, ports, flows, upcalls, and every drop by reason.")
final class StatusCommand implements Callable<Integer> {
    private static final int WIDEST = 10;

    @Mixin
    private SocketOptions socket = new SocketOptions();

    @Mixin
    private Output output = new Output();

    @Override
    public Integer call() {
        Map<String, Object> status = socket.ask("status", Map.of());
        var text = new StringBuilder();
        lines(text, "", status);
        output.print(text.toString(), json -> {
            for (Map.Entry<String, Object> field : status.entrySet()) {
                json.writeFieldName(field.getKey());
                json.writeRawValue(Json.write(field.getValue()));
            }
        });
        return ExitCode.OK;
    }

    /** Nested objects are indented under their name; lists of objects become tables. */
    private static void lines(StringBuilder text, String indent, Map<?, ?> fields) {
        int width = fields.keySet().stream()
                .mapToInt(key -> key.toString().length())
                .max()
                .orElse(0);
        fields.forEach((key, value) -> {
            if (value instanceof Map<?, ?> nested) {
                text.append(indent).append(key).append('\n');
                lines(text, indent + "  ", nested);
            } else if (value instanceof List<?> many && !many.isEmpty() && many.getFirst() instanceof Map<?, ?> first) {
                text.append(indent).append(key).append('\n');
                table(many, first)
                        .text()
                        .lines()
                        .forEach(line ->
                                text.append(indent).append("  ").append(line).append('\n'));
            } else {
                text.append(indent)
                        .append(key)
                        .append(" ".repeat(width - key.toString().length() + 2))
                        .append(shown(value))
                        .append('\n');
            }
        });
    }

    /** Wider than a screen, a table is turned on its side: a line per field, a column per row. */
    private static Table table(List<?> rows, Map<?, ?> first) {
        if (first.size() > WIDEST) {
            var columns = new ArrayList<String>();
            columns.add("");
            rows.forEach(row -> columns.add(
                    String.valueOf(((Map<?, ?>) row).values().iterator().next())));
            var table = new Table(columns.toArray(String[]::new));
            first.keySet().stream().skip(1).forEach(key -> {
                var cells = new ArrayList<@Nullable Object>();
                cells.add(key);
                rows.forEach(row -> cells.add(((Map<?, ?>) row).get(key)));
                table.row(cells.toArray());
            });
            return table;
        }
        var table = new Table(first.keySet().stream().map(Object::toString).toArray(String[]::new));
        rows.forEach(row -> table.row(
                first.keySet().stream().map(key -> ((Map<?, ?>) row).get(key)).toArray()));
        return table;
    }

    private static String shown(@Nullable Object value) {
        return switch (value) {
            case null -> "-";
            case List<?> many ->
                many.isEmpty()
                        ? "-"
                        : String.join(", ", many.stream().map(Object::toString).toList());
            default -> value.toString();
        };
    }
}
