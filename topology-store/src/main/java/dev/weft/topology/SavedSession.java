package dev.weft.topology;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The session of a process, kept in a file that only its owner may read: the next process goes on with it, and the
 * ephemeral nodes of the one before never blink. A file that cannot be read or written costs a new session, no more.
 * Thread safe.
 */
public final class SavedSession {
    private static final Logger LOG = LoggerFactory.getLogger(SavedSession.class);

    private final @Nullable Path file;

    /** A session as ZooKeeper knows it. */
    record Session(long id, byte[] password) {}

    private SavedSession(@Nullable Path file) {
        this.file = file;
    }

    public static SavedSession at(Path file) {
        return new SavedSession(file);
    }

    /** For processes whose session ends with them. */
    static SavedSession nowhere() {
        return new SavedSession(null);
    }

    synchronized Optional<Session> read() {
        if (file == null) {
            return Optional.empty();
        }
        try {
            String[] words =
                    Files.readString(file, StandardCharsets.UTF_8).strip().split(" ");
            if (words.length != 2) {
                throw new IllegalArgumentException("not two words");
            }
            return Optional.of(new Session(Long.parseUnsignedLong(words[0], 16), PrivateFile.HEX.parseHex(words[1])));
        } catch (NoSuchFileException none) {
            return Optional.empty();
        } catch (IOException | IllegalArgumentException unusable) {
            LOG.warn("the session in {} cannot be read ({}); a new one is made", file, unusable.toString());
            return Optional.empty();
        }
    }

    synchronized void write(long id, byte[] password) {
        if (file != null) {
            try {
                PrivateFile.write(file, Long.toHexString(id) + " " + PrivateFile.HEX.formatHex(password) + "\n");
            } catch (IOException failed) {
                LOG.warn("the session cannot be kept in {}: {}; after a restart it is a new one", file, failed);
            }
        }
    }

    /** The session is over. */
    public synchronized void forget() {
        if (file != null) {
            try {
                Files.deleteIfExists(file);
            } catch (IOException failed) {
                LOG.warn("{} cannot be deleted: {}", file, failed.toString());
            }
        }
    }
}
