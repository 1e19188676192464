package dev.weft.topology;

import java.io.IOException;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.nio.file.AccessDeniedException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.snakeyaml.engine.v2.api.LoadSettings;
import org.snakeyaml.engine.v2.api.lowlevel.Compose;
import org.snakeyaml.engine.v2.api.lowlevel.Parse;
import org.snakeyaml.engine.v2.events.CollectionEndEvent;
import org.snakeyaml.engine.v2.events.CollectionStartEvent;
import org.snakeyaml.engine.v2.events.Event;
import org.snakeyaml.engine.v2.exceptions.Mark;
import org.snakeyaml.engine.v2.exceptions.MarkedYamlEngineException;
import org.snakeyaml.engine.v2.exceptions.YamlEngineException;
import org.snakeyaml.engine.v2.nodes.Node;
import org.snakeyaml.engine.v2.schema.CoreSchema;

/**
 * Reads files of the schema, YAML or JSON (which is YAML 1.2), driven by the descriptors: a field added to the schema is
 * read without a line here. Every problem carries file, line and column; reading goes on after a problem so that one run
 * reports them all. Not thread safe; make one per run.
 */
public final class TopologyReader {
    /** Characters in one file; a topology of 10,000 ports is about a tenth of it. */
    private static final int MAX_FILE_LENGTH = 16 << 20;

    /** Levels of lists and mappings; the schema needs 6. The composer recurses and would run out of stack. */
    private static final int MAX_NESTING = 50;

    private final List<DesiredTopology.DesiredObject> objects = new ArrayList<>();
    private final List<Problem> problems = new ArrayList<>();

    /** Adds a file. A file that cannot be read is a problem like others. */
    public TopologyReader file(Path path) {
        try {
            return text(path.toString(), Files.readString(path, StandardCharsets.UTF_8));
        } catch (CharacterCodingException notText) {
            problems.add(fileProblem(path.toString(), "is not UTF-8 text (expected YAML or JSON)"));
        } catch (NoSuchFileException missing) {
            problems.add(fileProblem(path.toString(), "there is no such file"));
        } catch (AccessDeniedException refused) {
            problems.add(fileProblem(path.toString(), "cannot be read: permission denied"));
        } catch (IOException unreadable) {
            problems.add(fileProblem(path.toString(), "cannot be read: " + unreadable.getMessage()));
        }
        return this;
    }

    /** Adds text as if it stood in {@code file}. */
    public TopologyReader text(String file, String text) {
        var settings = LoadSettings.builder()
                .setLabel(file)
                .setUseMarks(true)
                .setSchema(new CoreSchema())
                .setCodePointLimit(MAX_FILE_LENGTH)
                .build();
        var collector = new DocumentReader(file, objects, problems);
        String source = withoutTabs(text);
        try {
            Optional<Mark> tooDeep = tooDeep(settings, source);
            if (tooDeep.isPresent()) {
                String what = "lists and mappings nested too deep (expected at most " + MAX_NESTING + " levels)";
                problems.add(new Problem(position(file, tooDeep.get()), "", "", "", "", what));
                return this;
            }
            for (Node document : new Compose(settings).composeAllFromString(source)) {
                collector.read(document);
            }
        } catch (MarkedYamlEngineException malformed) {
            Position at =
                    malformed.getProblemMark().map(mark -> position(file, mark)).orElse(null);
            problems.add(new Problem(at, "", "", "", "", "malformed YAML: " + malformed.getProblem()));
        } catch (YamlEngineException malformed) {
            problems.add(fileProblem(file, "malformed YAML: " + malformed.getMessage()));
        }
        return this;
    }

    /** Where the nesting passes what is allowed; parsing, unlike composing, does not recurse. */
    private static Optional<Mark> tooDeep(LoadSettings settings, String source) {
        int depth = 0;
        for (Event event : new Parse(settings).parseString(source)) {
            if (event instanceof CollectionStartEvent) {
                if (++depth > MAX_NESTING) {
                    return event.getStartMark();
                }
            } else if (event instanceof CollectionEndEvent) {
                depth--;
            }
        }
        return Optional.empty();
    }

    /** All that was read, with the problems found on the way. */
    public DesiredTopology desired() {
        return new DesiredTopology(objects, problems);
    }

    /** JSON may be indented by tabs, YAML may not; outside of quotes they mean the same as a blank. */
    private static String withoutTabs(String text) {
        String start = text.stripLeading();
        return start.startsWith("{") || start.startsWith("[") ? text.replace('\t', ' ') : text;
    }

    static Position position(String file, Mark mark) {
        return new Position(file, mark.getLine() + 1, mark.getColumn() + 1);
    }

    static Position position(String file, Node node) {
        Optional<Mark> mark = node.getStartMark();
        return mark.map(m -> position(file, m)).orElse(new Position(file, 1, 1));
    }

    private static Problem fileProblem(String file, String what) {
        return new Problem(new Position(file, 1, 1), "", "", "", "", what);
    }
}
