package dev.weft.datapath.kernel;

import static dev.weft.datapath.kernel.NativeCalls.impossible;
import static dev.weft.datapath.kernel.NativeCalls.ints;
import static dev.weft.datapath.kernel.NativeCalls.result;
import static dev.weft.datapath.kernel.NativeCalls.state;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.foreign.Arena;
import java.lang.invoke.MethodHandle;
import java.nio.file.Files;
import java.nio.file.Path;

/** Which processors there are, and where a thread runs. Safe from any thread. */
public final class CpuAffinity {
    private static final MethodHandle SET = ints("sched_setaffinity", JAVA_INT, JAVA_LONG, JAVA_LONG);
    private static final int MASK_SIZE = 128; // sizeof(cpu_set_t): 1,024 processors
    private static final Path POSSIBLE = Path.of("/sys/devices/system/cpu/possible");

    private CpuAffinity() {}

    /** Binds the calling operating system thread to one processor. Returns 0 or {@code -errno}. */
    public static int pin(int processor) {
        if (processor < 0 || processor >= MASK_SIZE * 8) {
            throw new IllegalArgumentException("processor " + processor + " (expected 0.." + (MASK_SIZE * 8 - 1) + ")");
        }
        var state = state();
        try (var arena = Arena.ofConfined()) {
            var mask = arena.allocate(MASK_SIZE, 8);
            mask.set(JAVA_LONG, (long) processor / 64 * 8, 1L << processor);
            return result((int) SET.invokeExact(state, 0, (long) MASK_SIZE, mask.address()), state);
        } catch (Throwable thrown) {
            throw impossible(thrown);
        }
    }

    /** How many values a per-CPU map has for a key: processors that may ever be there, also those not there now. */
    public static int possible() {
        try {
            return countOf(Files.readString(POSSIBLE).strip());
        } catch (IOException unreadable) {
            throw new UncheckedIOException(
                    POSSIBLE + " cannot be read; mount sysfs on /sys, per-CPU maps need it", unreadable);
        }
    }

    /** How many are in a list such as {@code 0-3,8}. */
    static int countOf(String list) {
        int count = 0;
        for (String range : list.split(",")) {
            String[] ends = range.split("-");
            count += Integer.parseInt(ends[ends.length - 1]) - Integer.parseInt(ends[0]) + 1;
        }
        return count;
    }
}
