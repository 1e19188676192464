package dev.weft.datapath.bpf;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import dev.weft.datapath.kernel.Errno;
import dev.weft.datapath.kernel.Libc;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Locale;

/**
 * The system call bpf(2): a command and its member of union bpf_attr (linux/bpf.h). Safe from any thread: each has an
 * attribute block of its own. Results are the kernel's, {@code -errno} included.
 */
final class Bpf {
    static final int MAP_CREATE = 0;
    static final int MAP_LOOKUP = 1;
    static final int MAP_UPDATE = 2;
    static final int MAP_DELETE = 3;
    static final int MAP_NEXT_KEY = 4;
    static final int PROGRAM_LOAD = 5;
    static final int PROGRAM_TEST_RUN = 10;
    static final int MAP_LOOKUP_BATCH = 24;
    static final int MAP_UPDATE_BATCH = 26;
    static final int MAP_DELETE_BATCH = 27;
    static final int LINK_CREATE = 28;
    static final int LINK_UPDATE = 29;
    static final int LINK_DETACH = 34;
    static final int NAME_LENGTH = 16; // BPF_OBJ_NAME_LEN

    private static final int OBJECT_PIN = 6;
    private static final int OBJECT_GET = 7;
    private static final int OBJECT_INFO = 15;
    private static final long NUMBER = numberOn(System.getProperty("os.arch"));
    // More than any command here uses; the kernel accepts a longer block when the rest is zero, and a shorter one.
    private static final int BLOCK_SIZE = 128;
    private static final ThreadLocal<MemorySegment> BLOCK =
            ThreadLocal.withInitial(() -> Arena.ofAuto().allocate(BLOCK_SIZE, 8));

    private Bpf() {}

    /** The calling thread's attribute block, holding what its last call left. */
    static MemorySegment block() {
        return BLOCK.get();
    }

    /** The same, zeroed. */
    static MemorySegment clearBlock() {
        return BLOCK.get().fill((byte) 0);
    }

    /** @param size how many bytes of the block the command looks at */
    static int call(int command, MemorySegment block, int size) {
        return (int) Libc.call(NUMBER, command, block.address(), size);
    }

    static int call(int command, MemorySegment block) {
        return call(command, block, BLOCK_SIZE);
    }

    /** Fills a structure such as struct bpf_map_info as far as the kernel knows it. */
    static void info(int fd, MemorySegment into, String tried) {
        var block = clearBlock();
        block.set(JAVA_INT, 0, fd);
        block.set(JAVA_INT, 4, (int) into.byteSize());
        block.set(JAVA_LONG, 8, into.address());
        BpfException.check(call(OBJECT_INFO, block), tried);
    }

    /** Gives a descriptor's object a name in a bpf file system. */
    static void pin(int fd, Path path, String what) {
        try (var arena = Arena.ofConfined()) {
            var block = clearBlock();
            block.set(JAVA_LONG, 0, arena.allocateFrom(path.toString()).address());
            block.set(JAVA_INT, 8, fd);
            BpfException.check(call(OBJECT_PIN, block), "pin " + what + " as " + path);
        }
    }

    /**
     * Opens what is pinned there.
     *
     * @param kind as the kernel calls it: {@code map}, {@code prog} or {@code link}
     * @return a descriptor, or {@code -ENOENT}
     */
    static int pinned(Path path, String kind) {
        if (!Files.exists(path)) {
            return -Errno.ENOENT.number;
        }
        int fd;
        try (var arena = Arena.ofConfined()) {
            var block = clearBlock();
            block.set(JAVA_LONG, 0, arena.allocateFrom(path.toString()).address());
            fd = BpfException.check(call(OBJECT_GET, block), "open pin " + path);
        }
        String found = kindOf(fd);
        if (!found.contains(kind)) {
            Libc.close(fd);
            throw new BpfException("pin " + path + " is a " + found + " (expected a bpf " + kind + "); remove it");
        }
        return fd;
    }

    private static String kindOf(int fd) {
        try {
            return Files.readSymbolicLink(Path.of("/proc/self/fd/" + fd)).toString();
        } catch (IOException unreadable) {
            throw new BpfException("/proc/self/fd/" + fd + " cannot be read: is /proc mounted?", unreadable);
        }
    }

    /** Writes a name as the kernel keeps it: letters, digits, '_' and '.', cut to 15 bytes. */
    static void putName(MemorySegment block, long at, String name) {
        byte[] text = name.getBytes(StandardCharsets.US_ASCII);
        for (int i = 0; i < Math.min(text.length, NAME_LENGTH - 1); i++) {
            block.set(JAVA_BYTE, at + i, text[i]);
        }
    }

    private static long numberOn(String architecture) {
        return switch (architecture.toLowerCase(Locale.ROOT)) {
            case "amd64", "x86_64" -> 321;
            // The generic table of asm-generic/unistd.h.
            case "aarch64", "riscv64", "loongarch64" -> 280;
            default ->
                throw new BpfException(
                        "architecture " + architecture + " (expected amd64, aarch64, riscv64 or loongarch64)");
        };
    }
}
