package dev.weft.state;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;
import static java.lang.foreign.ValueLayout.JAVA_LONG_UNALIGNED;

import dev.weft.base.Hashing;
import dev.weft.base.HotPath;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.channels.FileChannel;
import java.nio.channels.FileChannel.MapMode;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.function.Consumer;

/**
 * The connections of one worker on disk, so that a restarted agent has them: a file with one place for each slot of the
 * table, mapped into memory. Written in place, without a system call; what was written is there when the process is
 * killed. After a crash of the machine a place may be torn: its sum says so, and it counts as empty.
 *
 * <pre>
 * file   magic (64) | places, {@value #PLACE} bytes each
 * place  length of the message (32), 0 when empty | sum of the message (32) | the message of RecordCodec
 * </pre>
 *
 * <p>Not thread safe: touched only by its worker thread. The mapping ends with the arena.
 */
@HotPath
public final class Journal {
    /** "WEFTCON" and the layout's version. */
    static final long MAGIC = 0x5745_4654_434f_4e01L;

    static final int PLACE = 264;

    private static final int HEADER = JournalFile.HEADER;
    private static final int LENGTH_AT = 0;
    private static final int SUM_AT = 4;
    private static final int MESSAGE_AT = 8;

    private final MemorySegment file;

    private Journal(MemorySegment file) {
        this.file = file;
    }

    /**
     * Begins an empty journal in place of what is there.
     *
     * @param slots of the table it is for
     * @param arena whose end unmaps it
     * @throws UncheckedIOException when the file cannot be made
     */
    public static Journal create(Path path, int slots, Arena arena) {
        return new Journal(JournalFile.create(path, MAGIC, (long) PLACE * slots, arena));
    }

    /** The connection is in this slot now. */
    public void write(int slot, Connection connection) {
        long at = at(slot);
        file.set(JAVA_INT, at + LENGTH_AT, 0);
        int length = RecordCodec.write(file, at + MESSAGE_AT, connection, connection.isOwned() ? 1 : 0, false);
        file.set(JAVA_INT, at + SUM_AT, sum(file, at + MESSAGE_AT, length));
        file.set(JAVA_INT, at + LENGTH_AT, length);
    }

    /** Nothing is in this slot any more. */
    public void erase(int slot) {
        file.set(JAVA_INT, at(slot) + LENGTH_AT, 0);
    }

    /**
     * Reads what an earlier run left. A file that is not there, or of another layout, has nothing.
     *
     * @param to gets each connection, in an object that is used again for the next
     * @throws UncheckedIOException when there is a file that cannot be read
     */
    public static void read(Path path, Consumer<Connection> to) {
        if (!Files.exists(path)) {
            return;
        }
        try (var arena = Arena.ofConfined();
                var channel = FileChannel.open(path, StandardOpenOption.READ)) {
            if (channel.size() < HEADER) {
                return;
            }
            MemorySegment file = channel.map(MapMode.READ_ONLY, 0, channel.size(), arena);
            if (file.get(JAVA_LONG, 0) != MAGIC) {
                return;
            }
            var connection = new Connection();
            for (long at = HEADER; at + PLACE <= file.byteSize(); at += PLACE) {
                if (isWhole(file, at)) {
                    RecordCodec.read(file, at + MESSAGE_AT, connection);
                    boolean owned = StateMessage.homeHash(file, at + MESSAGE_AT) == 1;
                    connection.state(connection.phase(), connection.epoch(), owned);
                    to.accept(connection);
                }
            }
        } catch (IOException e) {
            throw new UncheckedIOException("journal " + path + " cannot be read", e);
        }
    }

    private static boolean isWhole(MemorySegment file, long at) {
        int length = file.get(JAVA_INT, at + LENGTH_AT);
        return length > 0
                && length <= PLACE - MESSAGE_AT
                && StateMessage.check(file, at + MESSAGE_AT, length) == StateMessage.OK
                && StateMessage.kind(file, at + MESSAGE_AT) == StateMessage.CONNECTION
                && file.get(JAVA_INT, at + SUM_AT) == sum(file, at + MESSAGE_AT, length);
    }

    private static int sum(MemorySegment file, long at, int length) {
        long hash = length;
        int here = 0;
        for (; here + Long.BYTES <= length; here += Long.BYTES) {
            hash = Hashing.combine(hash, file.get(JAVA_LONG_UNALIGNED, at + here));
        }
        for (; here < length; here++) {
            hash = Hashing.combine(hash, file.get(JAVA_BYTE, at + here));
        }
        return (int) (hash >>> 32);
    }

    private static long at(int slot) {
        return HEADER + (long) PLACE * slot;
    }
}
