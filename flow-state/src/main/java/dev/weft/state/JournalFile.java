package dev.weft.state;

import static java.lang.foreign.ValueLayout.JAVA_LONG;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.channels.FileChannel;
import java.nio.channels.FileChannel.MapMode;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;

/** The file of a journal: a magic number (64), then places of one size, mapped into memory. */
final class JournalFile {
    static final int HEADER = 8;

    private JournalFile() {}

    /**
     * Begins an empty one in place of what is there; it takes no room on disk before it is used.
     *
     * @param places bytes of all of them
     * @param arena whose end unmaps it
     * @throws UncheckedIOException when the file cannot be made
     */
    static MemorySegment create(Path path, long magic, long places, Arena arena) {
        try {
            Files.deleteIfExists(path); // not truncated: an older agent may still have it mapped
            try (var channel = FileChannel.open(
                    path, StandardOpenOption.CREATE_NEW, StandardOpenOption.READ, StandardOpenOption.WRITE)) {
                MemorySegment file = channel.map(MapMode.READ_WRITE, 0, HEADER + places, arena);
                file.set(JAVA_LONG, 0, magic);
                return file;
            }
        } catch (IOException e) {
            throw new UncheckedIOException("journal " + path + " cannot be made (expected a writable place)", e);
        }
    }
}
