package dev.weft.agent.cli;

import com.fasterxml.jackson.core.JsonGenerator;
import java.io.IOException;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Locale;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/**
 * Rows under named columns: aligned for people, an array of objects for programs. A cell is text, a number, a truth
 * value, a collection of these, or null (printed as {@code -}). Numbers stand right.
 */
public final class Table {
    private static final String GAP = "  ";

    private final List<String> columns;
    private final List<List<@Nullable Object>> rows = new ArrayList<>();

    /** @param columns in JSON's spelling ({@code tunnel-key}); the heading is the same in capitals */
    public Table(String... columns) {
        this.columns = List.of(columns);
    }

    /** Adds a row. @throws IllegalArgumentException when it has not one cell per column */
    public Table row(@Nullable Object... cells) {
        if (cells.length != columns.size()) {
            throw new IllegalArgumentException(
                    "row of " + cells.length + " cells (expected " + columns.size() + ": " + columns + ")");
        }
        var row = new ArrayList<@Nullable Object>(cells.length);
        for (Object cell : cells) {
            row.add(cell);
        }
        rows.add(row);
        return this;
    }

    public int size() {
        return rows.size();
    }

    /** Heading and rows, each line ended; no blanks at the end of a line. */
    String text() {
        var out = new StringBuilder();
        int[] widths = widths();
        line(
                out,
                widths,
                columns.stream().map(name -> name.toUpperCase(Locale.ROOT)).toList(),
                null);
        for (List<@Nullable Object> row : rows) {
            line(out, widths, row.stream().map(Table::shown).toList(), row);
        }
        return out.toString();
    }

    /** The rows as a JSON array at the generator's place. */
    void json(JsonGenerator json) throws IOException {
        json.writeStartArray();
        for (List<@Nullable Object> row : rows) {
            json.writeStartObject();
            for (int i = 0; i < columns.size(); i++) {
                json.writeFieldName(columns.get(i));
                value(json, row.get(i));
            }
            json.writeEndObject();
        }
        json.writeEndArray();
    }

    static void value(JsonGenerator json, @Nullable Object value) throws IOException {
        switch (value) {
            case null -> json.writeNull();
            case Boolean truth -> json.writeBoolean(truth);
            case Integer number -> json.writeNumber(number);
            case Long number -> json.writeNumber(number);
            case Double number -> json.writeNumber(number);
            case Collection<?> many -> {
                json.writeStartArray();
                for (Object one : many) {
                    value(json, one);
                }
                json.writeEndArray();
            }
            default -> json.writeString(value.toString());
        }
    }

    private static String shown(@Nullable Object cell) {
        return switch (cell) {
            case null -> "-";
            case Boolean truth -> truth ? "yes" : "no";
            case Collection<?> many ->
                many.isEmpty() ? "-" : many.stream().map(Table::shown).collect(Collectors.joining(", "));
            default -> cell.toString();
        };
    }

    private int[] widths() {
        var widths = new int[columns.size()];
        for (int i = 0; i < widths.length; i++) {
            widths[i] = columns.get(i).length();
            for (List<@Nullable Object> row : rows) {
                widths[i] = Math.max(widths[i], shown(row.get(i)).length());
            }
        }
        return widths;
    }

    private void line(StringBuilder out, int[] widths, List<String> cells, @Nullable List<@Nullable Object> values) {
        for (int i = 0; i < cells.size(); i++) {
            String padding = " ".repeat(widths[i] - cells.get(i).length());
            boolean right = values == null ? isNumeric(i) : values.get(i) instanceof Number;
            out.append(right ? padding + cells.get(i) : cells.get(i) + padding).append(GAP);
        }
        while (out.charAt(out.length() - 1) == ' ') {
            out.setLength(out.length() - 1);
        }
        out.append('\n');
    }

    private boolean isNumeric(int column) {
        return !rows.isEmpty() && rows.stream().allMatch(row -> row.get(column) instanceof Number);
    }
}
