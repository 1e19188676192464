package dev.weft.state;

import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

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
 * The Serval flows that one worker's guards know, on disk as {@link Journal} has connections: a place for each slot,
 * mapped into memory, written in place; one that is torn counts as empty.
 *
 * <pre>
 * file   magic (64) | places, {@value #PLACE} bytes each
 * place  sum of the rest (64), 0 when empty | port id (128) | own nonce (64) | peer's nonce (64)
 *        flow (32) | peer's flow (32) | verno (32) | bits (32)
 * </pre>
 *
 * <p>Not thread safe: touched only by its worker thread. The mapping ends with the arena.
 */
@HotPath
public final class SalJournal {
    /** "WEFTSAL" and the layout's version. */
    private static final long MAGIC = 0x5745_4654_5341_4c01L;

    static final int PLACE = 56;
    private static final int HEADER = JournalFile.HEADER;
    private static final int SUMMED = 8;

    private final MemorySegment file;

    private SalJournal(MemorySegment file) {
        this.file = file;
    }

    /**
     * Begins an empty journal in place of what is there; it takes no room on disk before it is used.
     *
     * @param slots of the table it is for
     * @param arena whose end unmaps it
     * @throws UncheckedIOException when the file cannot be made
     */
    public static SalJournal create(Path path, int slots, Arena arena) {
        return new SalJournal(JournalFile.create(path, MAGIC, (long) PLACE * slots, arena));
    }

    /** The flow is in this slot now. */
    public void write(
            int slot,
            long portHigh,
            long portLow,
            int flow,
            int peerFlow,
            int verno,
            int bits,
            long ownNonce,
            long peerNonce) {
        long at = at(slot);
        file.set(JAVA_LONG, at, 0);
        file.set(JAVA_LONG, at + 8, portHigh);
        file.set(JAVA_LONG, at + 16, portLow);
        file.set(JAVA_LONG, at + 24, ownNonce);
        file.set(JAVA_LONG, at + 32, peerNonce);
        file.set(JAVA_INT, at + 40, flow);
        file.set(JAVA_INT, at + 44, peerFlow);
        file.set(JAVA_INT, at + 48, verno);
        file.set(JAVA_INT, at + 52, bits);
        file.set(JAVA_LONG, at, sum(file, at));
    }

    /** Nothing is in this slot any more. */
    public void erase(int slot) {
        file.set(JAVA_LONG, at(slot), 0);
    }

    /**
     * Reads what an earlier run left. A file that is not there, or of another layout, has nothing.
     *
     * @throws UncheckedIOException when there is a file that cannot be read
     */
    public static void read(Path path, Consumer<SalFlow> to) {
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
            for (long at = HEADER; at + PLACE <= file.byteSize(); at += PLACE) {
                long sum = file.get(JAVA_LONG, at);
                if (sum != 0 && sum == sum(file, at)) {
                    to.accept(new SalFlow(
                            file.get(JAVA_LONG, at + 8),
                            file.get(JAVA_LONG, at + 16),
                            file.get(JAVA_INT, at + 40),
                            file.get(JAVA_INT, at + 44),
                            file.get(JAVA_INT, at + 48),
                            file.get(JAVA_INT, at + 52),
                            file.get(JAVA_LONG, at + 24),
                            file.get(JAVA_LONG, at + 32)));
                }
            }
        } catch (IOException e) {
            throw new UncheckedIOException("journal " + path + " cannot be read", e);
        }
    }

    private static long sum(MemorySegment file, long at) {
        long hash = PLACE;
        for (int here = SUMMED; here < PLACE; here += Long.BYTES) {
            hash = Hashing.combine(hash, file.get(JAVA_LONG, at + here));
        }
        return hash | 1;
    }

    private static long at(int slot) {
        return HEADER + (long) PLACE * slot;
    }
}
