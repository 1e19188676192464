package dev.weft.datapath.kernel;

import static dev.weft.datapath.kernel.NativeCalls.impossible;
import static dev.weft.datapath.kernel.NativeCalls.ints;
import static dev.weft.datapath.kernel.NativeCalls.longs;
import static dev.weft.datapath.kernel.NativeCalls.result;
import static dev.weft.datapath.kernel.NativeCalls.state;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.invoke.MethodHandle;

/** Memory shared with the kernel: mmap(2). Safe from any thread. */
public final class MemoryMap {
    private static final int PROTECTION_READ = 1;
    private static final int PROTECTION_WRITE = 2;
    private static final int SHARED = 1;

    private static final MethodHandle MMAP =
            longs("mmap", JAVA_LONG, JAVA_LONG, JAVA_INT, JAVA_INT, JAVA_INT, JAVA_LONG);
    private static final MethodHandle MUNMAP = ints("munmap", JAVA_LONG, JAVA_LONG);
    private static final MethodHandle GET_PAGE_SIZE = ints("getpagesize");
    private static final int PAGE_SIZE = pageSizeNow();

    private MemoryMap() {}

    /** In bytes; offsets of mappings are multiples of it. */
    public static int pageSize() {
        return PAGE_SIZE;
    }

    /** @return the address of the mapping, or {@code -errno} */
    public static long map(int fd, long offset, long size, boolean writable) {
        int protection = writable ? PROTECTION_READ | PROTECTION_WRITE : PROTECTION_READ;
        var state = state();
        try {
            return result((long) MMAP.invokeExact(state, 0L, size, protection, SHARED, fd, offset), state);
        } catch (Throwable thrown) {
            throw impossible(thrown);
        }
    }

    /** A mapping as a segment that goes with the arena; a read-only mapping makes a read-only segment. */
    public static MemorySegment segment(long address, long size, boolean writable, Arena arena) {
        var segment = MemorySegment.ofAddress(address).reinterpret(size, arena, ended -> unmap(ended.address(), size));
        return writable ? segment : segment.asReadOnly();
    }

    private static void unmap(long address, long size) {
        var state = state();
        try {
            int unmapped = result((int) MUNMAP.invokeExact(state, address, size), state);
            if (unmapped < 0) {
                throw new IllegalStateException("munmap of our own mapping: " + Errno.name(-unmapped));
            }
        } catch (IllegalStateException refused) {
            throw refused;
        } catch (Throwable thrown) {
            throw impossible(thrown);
        }
    }

    private static int pageSizeNow() {
        try {
            return (int) GET_PAGE_SIZE.invokeExact(state());
        } catch (Throwable thrown) {
            throw impossible(thrown);
        }
    }
}
