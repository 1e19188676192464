package dev.weft.it.bench;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonGenerator;
import java.io.IOException;
import java.io.OutputStream;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.function.Function;
import java.util.stream.Collectors;

/** A benchmark's answer for people (a table) and for programs (one JSON object). */
public final class Report {
    private Report() {}

    public static String table(String bench, List<Row> rows) {
        var lines = new ArrayList<String[]>();
        lines.add(new String[] {"ROW", "VALUE", "UNIT", "BAR", "HOLDS", "COMPARED WITH"});
        for (Row row : rows) {
            if (!row.ran()) {
                lines.add(new String[] {row.name(), "-", "-", "-", "no", "could not run: " + row.why()});
                continue;
            }
            for (int i = 0; i < row.figures().size(); i++) {
                Row.Figure figure = row.figures().get(i);
                String remark = row.why() == null ? row.against() : row.against() + "; " + row.why();
                lines.add(new String[] {
                    i == 0 ? row.name() : "",
                    figure.text(),
                    figure.unit(),
                    figure.bar() == null ? "-" : figure.bar().toString(),
                    figure.bar() == null ? "-" : figure.holds() ? "yes" : "NO",
                    i == 0 ? remark : ""
                });
            }
        }
        int[] widths = new int[6];
        lines.forEach(line -> {
            for (int i = 0; i < widths.length; i++) {
                widths[i] = Math.max(widths[i], line[i].length());
            }
        });
        return "bench " + bench + "\n"
                + lines.stream().map(line -> align(line, widths)).collect(Collectors.joining("\n"));
    }

    private static String align(String[] line, int[] widths) {
        var text = new StringBuilder();
        for (int i = 0; i < widths.length; i++) {
            text.append(line[i]).repeat(" ", widths[i] - line[i].length() + 2);
        }
        return text.toString().stripTrailing();
    }

    /**
     * {@code {"bench":…,"rows":[{"name":…,"value":…,"unit":…,"bar":…,"holds":…,"why":…}]}}; lists for several figures. A
     * row with medians of pairs has {@code "ratios":[{"unit":…,"low":…,"high":…,"pairs":[[subject,reference],…]}]} too.
     */
    public static void json(String bench, List<Row> rows, OutputStream out) throws IOException {
        try (JsonGenerator json = new JsonFactory().createGenerator(out)) {
            json.disable(JsonGenerator.Feature.AUTO_CLOSE_TARGET);
            json.writeStartObject();
            json.writeStringField("bench", bench);
            json.writeArrayFieldStart("rows");
            for (Row row : rows) {
                row(json, row);
            }
            json.writeEndArray();
            json.writeEndObject();
            json.writeRaw('\n');
        }
    }

    private static void row(JsonGenerator json, Row row) throws IOException {
        json.writeStartObject();
        json.writeStringField("name", row.name());
        json.writeFieldName("value");
        oneOrMany(json, row, Row.Figure::value);
        json.writeFieldName("unit");
        oneOrMany(json, row, Row.Figure::unit);
        json.writeFieldName("bar");
        oneOrMany(
                json, row, figure -> figure.bar() == null ? null : figure.bar().toString());
        json.writeBooleanField("holds", row.holds());
        ratios(json, row);
        if (!row.against().isEmpty()) {
            json.writeStringField("against", row.against());
        }
        if (row.why() != null) {
            json.writeStringField("why", row.why());
        }
        json.writeEndObject();
    }

    private static void ratios(JsonGenerator json, Row row) throws IOException {
        List<Row.Figure> paired =
                row.figures().stream().filter(f -> f.ratios() != null).toList();
        if (paired.isEmpty()) {
            return;
        }
        json.writeArrayFieldStart("ratios");
        for (Row.Figure figure : paired) {
            PairedRatios ratios = Objects.requireNonNull(figure.ratios());
            json.writeStartObject();
            json.writeStringField("unit", figure.unit());
            json.writeNumberField("low", ratios.low());
            json.writeNumberField("high", ratios.high());
            json.writeArrayFieldStart("pairs");
            for (PairedRatios.Pair pair : ratios.pairs()) {
                json.writeArray(new double[] {pair.subject(), pair.reference()}, 0, 2);
            }
            json.writeEndArray();
            json.writeEndObject();
        }
        json.writeEndArray();
    }

    private static void oneOrMany(
            JsonGenerator json,
            Row row,
            Function<Row.Figure, ? extends @org.jspecify.annotations.Nullable Object> field)
            throws IOException {
        if (row.figures().isEmpty()) {
            json.writeNull();
        } else if (row.figures().size() == 1) {
            json.writePOJO(field.apply(row.figures().getFirst()));
        } else {
            json.writeStartArray();
            for (Row.Figure figure : row.figures()) {
                json.writePOJO(field.apply(figure));
            }
            json.writeEndArray();
        }
    }
}
