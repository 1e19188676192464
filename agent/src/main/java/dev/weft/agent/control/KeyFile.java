package dev.weft.agent.control;

import dev.weft.agent.AgentException;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Which tunnel key stands for what, in a file of the state folder, for as long as the datapath that knows the keys goes
 * on. Each change is one more line; opening writes the file anew. Not thread safe: touched only by its key ring's owner.
 *
 * <pre>
 * datapath INCARNATION epoch EPOCH run RUN     which datapath, the keys' epoch, how often an agent has begun with it
 * + TARGET KEY                                 given to a port, or a bridge's floods
 * - TARGET KEY                                     given back
 * </pre>
 */
final class KeyFile {
    private static final Logger LOG = LoggerFactory.getLogger(KeyFile.class);

    private final Path file;

    /**
     * What the file holds.
     *
     * @param keys in the order they were given
     * @param lastGiven the key given last, even if it was given back; 0 when there was none
     */
    record Content(long incarnation, int epoch, int run, Map<String, Integer> keys, int lastGiven) {}

    private KeyFile(Path file) {
        this.file = file;
    }

    /** Empty when there is no file, or not one that can be used: the keys are lost then. */
    static Optional<Content> read(Path file) {
        try {
            return Optional.of(parse(Files.readAllLines(file, StandardCharsets.UTF_8)));
        } catch (NoSuchFileException none) {
            return Optional.empty();
        } catch (IOException | IllegalArgumentException unusable) {
            LOG.warn("the tunnel keys in {} cannot be read ({}); new ones are given", file, unusable.toString());
            return Optional.empty();
        }
    }

    private static Content parse(Iterable<String> lines) {
        Content content = null;
        var keys = new LinkedHashMap<String, Integer>();
        int lastGiven = 0;
        for (String line : lines) {
            String[] words = line.split(" ", -1);
            if (content == null && words.length == 6) {
                content = new Content(
                        Long.parseUnsignedLong(words[1], 16),
                        Integer.parseInt(words[3]),
                        Integer.parseInt(words[5]),
                        keys,
                        0);
            } else if (words.length == 3 && words[0].equals("+")) {
                lastGiven = Integer.parseInt(words[2]);
                keys.put(words[1], lastGiven);
            } else if (words.length == 3 && words[0].equals("-")) {
                keys.remove(words[1]);
            } else {
                throw new IllegalArgumentException("line '" + line + "'");
            }
        }
        if (content == null) {
            throw new IllegalArgumentException("empty");
        }
        return new Content(content.incarnation, content.epoch, content.run, keys, lastGiven);
    }

    static KeyFile write(Path file, Content content) {
        var text = new StringBuilder("datapath " + Long.toHexString(content.incarnation) + " epoch " + content.epoch
                + " run " + content.run + "\n");
        content.keys.forEach((target, key) -> text.append(line("+", target, key)));
        if (content.lastGiven != 0 && !content.keys.containsValue(content.lastGiven)) {
            text.append(line("+", NOBODY, content.lastGiven)).append(line("-", NOBODY, content.lastGiven));
        }
        Path draft = file.resolveSibling(file.getFileName() + ".new");
        try {
            Files.writeString(draft, text, StandardCharsets.UTF_8);
            Files.move(draft, file, StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
        } catch (IOException failed) {
            throw unwritable(file, failed);
        }
        return new KeyFile(file);
    }

    private static final String NOBODY = "nobody";

    void given(String target, int key) {
        append(line("+", target, key));
    }

    void givenBack(String target, int key) {
        append(line("-", target, key));
    }

    private void append(String line) {
        try {
            Files.writeString(file, line, StandardCharsets.UTF_8, StandardOpenOption.APPEND);
        } catch (IOException failed) {
            throw unwritable(file, failed);
        }
    }

    private static AgentException unwritable(Path file, IOException cause) {
        return new AgentException(
                "tunnel keys cannot be written to " + file + ": " + cause + " (expected a writable folder)", cause);
    }

    private static String line(String sign, String target, int key) {
        return sign + " " + target + " " + key + "\n";
    }
}
