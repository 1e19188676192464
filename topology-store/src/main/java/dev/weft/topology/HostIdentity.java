package dev.weft.topology;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.AtomicMoveNotSupportedException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.Locale;
import java.util.UUID;

/** The id of a host: made once, kept in a file, the same over all restarts of its agent. */
public final class HostIdentity {
    private HostIdentity() {}

    /**
     * Reads the id, or makes one and writes it; the directory is made when missing.
     *
     * @throws TopologyException when the file holds something else, or cannot be written
     */
    public static UUID loadOrCreate(Path file) {
        try {
            String text = Files.readString(file, StandardCharsets.UTF_8).strip();
            if (!Formats.isId(text)) {
                throw new TopologyException("host id '" + text + "' in " + file
                        + " (expected a UUID); restore the file," + " or remove it to join as a new host");
            }
            return UUID.fromString(text.toLowerCase(Locale.ROOT));
        } catch (NoSuchFileException first) {
            return create(file);
        } catch (IOException unreadable) {
            throw new TopologyException("host id in " + file + " cannot be read: " + unreadable, unreadable);
        }
    }

    private static UUID create(Path file) {
        UUID id = UUID.randomUUID();
        Path absolute = file.toAbsolutePath();
        Path draft = absolute.resolveSibling(absolute.getFileName() + ".new");
        try {
            Files.createDirectories(absolute.getParent());
            Files.writeString(draft, id + "\n", StandardCharsets.UTF_8);
            move(draft, absolute); // Whole or not at all, should the machine stop now.
            return id;
        } catch (IOException failed) {
            throw new TopologyException(
                    "host id cannot be written to " + file + ": " + failed + " (expected a writable directory)",
                    failed);
        }
    }

    private static void move(Path from, Path to) throws IOException {
        try {
            Files.move(from, to, StandardCopyOption.ATOMIC_MOVE);
        } catch (AtomicMoveNotSupportedException plain) {
            Files.move(from, to, StandardCopyOption.REPLACE_EXISTING);
        }
    }
}
