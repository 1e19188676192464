package dev.weft.datapath.bpf;

import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import dev.weft.base.HotPath;
import dev.weft.datapath.kernel.CpuAffinity;
import dev.weft.datapath.kernel.Errno;
import dev.weft.datapath.kernel.Libc;
import dev.weft.datapath.kernel.MemoryMap;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.file.Path;
import java.util.Optional;

/**
 * A map of the kernel, held by a descriptor. May be used from any thread while open. Entry operations take addresses of
 * {@link #keySize} and {@link #valueBytes} bytes, which the caller keeps alive, allocate nothing and return the
 * kernel's answer: 0 or {@code -errno} ({@link Errno#ENOENT} when there is no such key).
 */
public final class BpfMap implements AutoCloseable {
    /** Flags of {@link #update}: create or replace, only create ({@code -EEXIST}), only replace ({@code -ENOENT}). */
    public static final long ANY = 0;

    public static final long NO_EXIST = 1;
    public static final long EXIST = 2;

    /** Flags of {@link #create}: BPF_F_NO_PREALLOC, BPF_F_MMAPABLE, BPF_F_INNER_MAP. */
    public static final int NO_PREALLOCATION = 1;

    public static final int MMAPABLE = 1 << 10;
    public static final int INNER_MAP = 1 << 12;

    private static final int ELEMENT_BLOCK = 32; // map_fd(32) pad(32) key(64) value or next_key(64) flags(64)
    private static final int BATCH_BLOCK = 56;
    private static final int INFO_SIZE = 80; // struct bpf_map_info

    private final int fd;
    private final BpfMapType type;
    private final int id;
    private final int keySize;
    private final int valueSize;
    private final int maxEntries;
    private final int flags;
    private final String name;
    private boolean closed; // guarded by this

    /** Takes over the descriptor. */
    BpfMap(int fd) {
        this.fd = fd;
        try (var arena = Arena.ofConfined()) {
            // type(32) id(32) key_size(32) value_size(32) max_entries(32) map_flags(32) name(16 bytes) ...
            var info = arena.allocate(INFO_SIZE, 8);
            Bpf.info(fd, info, "read about map of descriptor " + fd);
            this.type = BpfMapType.of(info.get(JAVA_INT, 0));
            this.id = info.get(JAVA_INT, 4);
            this.keySize = info.get(JAVA_INT, 8);
            this.valueSize = info.get(JAVA_INT, 12);
            this.maxEntries = info.get(JAVA_INT, 16);
            this.flags = info.get(JAVA_INT, 20);
            this.name = info.getString(24);
        }
    }

    /** @param name up to 15 bytes are kept */
    public static BpfMap create(BpfMapType type, String name, int keySize, int valueSize, int maxEntries, int flags) {
        int fd = tryCreate(type, name, keySize, valueSize, maxEntries, flags, 0);
        return new BpfMap(BpfException.check(
                fd,
                "create " + type + " map " + name + " of " + maxEntries + " entries, key " + keySize + " B, value "
                        + valueSize + " B, flags 0x" + Integer.toHexString(flags)));
    }

    /** A table of maps that all are like the inner one. */
    public static BpfMap createOuter(BpfMapType type, String name, int maxEntries, BpfMap inner) {
        int fd = tryCreate(type, name, 4, 4, maxEntries, 0, inner.fd);
        return new BpfMap(BpfException.check(fd, "create " + type + " map " + name + " of maps like " + inner));
    }

    static int tryCreate(
            BpfMapType type, String name, int keySize, int valueSize, int maxEntries, int flags, int innerFd) {
        var block = Bpf.clearBlock();
        block.set(JAVA_INT, 0, type.number);
        block.set(JAVA_INT, 4, keySize);
        block.set(JAVA_INT, 8, valueSize);
        block.set(JAVA_INT, 12, maxEntries);
        block.set(JAVA_INT, 16, flags);
        block.set(JAVA_INT, 20, innerFd);
        Bpf.putName(block, 28, name);
        return Bpf.call(Bpf.MAP_CREATE, block);
    }

    /** What is pinned there; empty when nothing is. */
    public static Optional<BpfMap> pinned(Path path) {
        int fd = Bpf.pinned(path, "map");
        return fd < 0 ? Optional.empty() : Optional.of(new BpfMap(fd));
    }

    /** Another holder of the same map, closed on its own. */
    public static BpfMap duplicate(int fd) {
        return new BpfMap(BpfException.check(Libc.duplicate(fd), "duplicate descriptor " + fd + " of a map"));
    }

    public BpfMap duplicate() {
        return duplicate(fd);
    }

    /** Gives it a name in a bpf file system, where it outlives this process. */
    public void pin(Path path) {
        Bpf.pin(fd, path, "map " + name);
    }

    @HotPath
    public int update(long keyAddress, long valueAddress, long updateFlags) {
        return element(Bpf.MAP_UPDATE, keyAddress, valueAddress, updateFlags);
    }

    @HotPath
    public int lookup(long keyAddress, long valueAddress) {
        return element(Bpf.MAP_LOOKUP, keyAddress, valueAddress, 0);
    }

    @HotPath
    public int delete(long keyAddress) {
        return element(Bpf.MAP_DELETE, keyAddress, 0, 0);
    }

    /** @param keyAddress 0 for the first key; {@code -ENOENT} comes after the last */
    @HotPath
    public int nextKey(long keyAddress, long nextKeyAddress) {
        return element(Bpf.MAP_NEXT_KEY, keyAddress, nextKeyAddress, 0);
    }

    private int element(int command, long key, long value, long updateFlags) {
        var block = Bpf.block();
        block.set(JAVA_INT, 0, fd);
        block.set(JAVA_INT, 4, 0);
        block.set(JAVA_LONG, 8, key);
        block.set(JAVA_LONG, 16, value);
        block.set(JAVA_LONG, 24, updateFlags);
        return Bpf.call(command, block, ELEMENT_BLOCK);
    }

    /**
     * Writes many entries, keys and values packed one after another.
     *
     * @return how many were written, fewer than asked when the next was refused; {@code -errno} when the first was
     */
    @HotPath
    public int updateBatch(long keysAddress, long valuesAddress, int count, long updateFlags) {
        return batch(Bpf.MAP_UPDATE_BATCH, 0, 0, keysAddress, valuesAddress, count, updateFlags, false);
    }

    /** Deletes many; the result is as in {@link #updateBatch}: a key that is not there ends it. */
    @HotPath
    public int deleteBatch(long keysAddress, int count) {
        return batch(Bpf.MAP_DELETE_BATCH, 0, 0, keysAddress, 0, count, 0, false);
    }

    /** To read all entries in batches. */
    public MapCursor cursor() {
        return new MapCursor(this);
    }

    /** @return entries read, with {@link MapCursor#END} when these are the last; or {@code -errno} */
    int lookupBatch(long from, long next, long keys, long values, int count) {
        return batch(Bpf.MAP_LOOKUP_BATCH, from, next, keys, values, count, 0, true);
    }

    private int batch(
            int command, long from, long next, long keys, long values, int count, long updateFlags, boolean reading) {
        var block = Bpf.block();
        block.set(JAVA_LONG, 0, from);
        block.set(JAVA_LONG, 8, next);
        block.set(JAVA_LONG, 16, keys);
        block.set(JAVA_LONG, 24, values);
        block.set(JAVA_INT, 32, count);
        block.set(JAVA_INT, 36, fd);
        block.set(JAVA_LONG, 40, updateFlags);
        block.set(JAVA_LONG, 48, 0);
        int result = Bpf.call(command, block, BATCH_BLOCK);
        if (reading) {
            boolean end = Errno.ENOENT.is(result);
            return result < 0 && !end ? result : block.get(JAVA_INT, 32) | (end ? MapCursor.END : 0);
        }
        if (result >= 0) {
            return count;
        }
        // The kernel tells how far it came, except when it did not begin.
        int done = block.get(JAVA_INT, 32);
        return done > 0 && done < count ? done : result;
    }

    /**
     * The values of an array made with {@link #MMAPABLE}, in place: index i begins at {@code i *} {@link #valueBytes}.
     * Goes with the arena.
     */
    public MemorySegment map(Arena arena) {
        long page = MemoryMap.pageSize();
        long used = (long) alignedValueSize() * maxEntries;
        long size = (used + page - 1) / page * page;
        long address = MemoryMap.map(fd, 0, size, true);
        if (address < 0 && address > -4096) {
            throw BpfException.of((int) -address, "map " + this + " into memory");
        }
        return MemoryMap.segment(address, size, true, arena).asSlice(0, used);
    }

    /** Room for one value as entry operations see it: on a per-CPU map one aligned value for each possible processor. */
    public int valueBytes() {
        return type.perCpu() ? alignedValueSize() * CpuAffinity.possible() : valueSize;
    }

    private int alignedValueSize() {
        return (valueSize + 7) & ~7;
    }

    /**
     * Adds the 64-bit counters of all processors.
     *
     * @param values what {@link #lookup} of a per-CPU map filled, {@link #valueBytes} long
     * @param offset of the counter within the value
     */
    public long sum(MemorySegment values, int offset) {
        long sum = 0;
        int stride = alignedValueSize();
        for (long at = offset; at < values.byteSize(); at += stride) {
            sum += values.get(JAVA_LONG, at);
        }
        return sum;
    }

    public int fd() {
        return fd;
    }

    public BpfMapType type() {
        return type;
    }

    /** The kernel's own number, the same for all holders. */
    public int id() {
        return id;
    }

    public int keySize() {
        return keySize;
    }

    /** As declared; see {@link #valueBytes} for the room it takes. */
    public int valueSize() {
        return valueSize;
    }

    public int maxEntries() {
        return maxEntries;
    }

    public int flags() {
        return flags;
    }

    public String name() {
        return name;
    }

    @Override
    public String toString() {
        return type + " map " + name + " (id " + id + ", " + maxEntries + " entries of " + keySize + " + " + valueSize
                + " B)";
    }

    /** Lets go; the map itself lives as long as a program, a pin or another holder has it. */
    @Override
    public synchronized void close() {
        if (!closed) {
            closed = true;
            Libc.close(fd);
        }
    }
}
