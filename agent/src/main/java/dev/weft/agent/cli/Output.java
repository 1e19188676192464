package dev.weft.agent.cli;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonGenerator;
import java.io.IOException;
import java.io.StringWriter;
import java.io.UncheckedIOException;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;
import picocli.CommandLine.Spec.Target;

/**
 * The {@code -o} option and what it means: a command that answers with data has it as {@code @Mixin Output output} and
 * prints through it alone. JSON is one document on one line.
 */
public final class Output {
    private static final JsonFactory JSON = new JsonFactory();

    enum Format {
        table,
        json
    }

    /** Writes fields into an object that is already open. */
    @FunctionalInterface
    public interface Fields {
        void write(JsonGenerator json) throws IOException;
    }

    @Option(
            names = {"-o", "--output"},
            defaultValue = "table",
            paramLabel = "FORMAT",
            description = "${COMPLETION-CANDIDATES}: a table for people, JSON for programs. Default: table.")
    private Format format = Format.table;

    @Spec(Target.MIXEE)
    private CommandSpec command = CommandSpec.create();

    public boolean isJson() {
        return format == Format.json;
    }

    /** Prints the table, or {@code {"<name>":[{column:value,...},...]}}. */
    public void print(String name, Table table) {
        print(table.text(), json -> {
            json.writeFieldName(name);
            table.json(json);
        });
    }

    /** Prints text that has one form only. */
    public void printText(String text) {
        var out = command.commandLine().getOut();
        out.print(text);
        out.flush();
    }

    /** Prints {@code text} for people as it is, or an object with these fields for programs. */
    public void print(String text, Fields fields) {
        var out = command.commandLine().getOut();
        if (isJson()) {
            out.println(document(fields));
        } else {
            out.print(text);
            if (!text.isEmpty() && !text.endsWith("\n")) {
                out.println();
            }
        }
        out.flush();
    }

    private static String document(Fields fields) {
        var text = new StringWriter();
        try (JsonGenerator json = JSON.createGenerator(text)) {
            json.writeStartObject();
            fields.write(json);
            json.writeEndObject();
        } catch (IOException e) {
            throw new UncheckedIOException("a StringWriter does not fail", e);
        }
        return text.toString();
    }
}
