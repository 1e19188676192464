package dev.weft.datapath.kernel;

import static dev.weft.datapath.kernel.NativeCalls.impossible;
import static dev.weft.datapath.kernel.NativeCalls.ints;
import static dev.weft.datapath.kernel.NativeCalls.result;
import static dev.weft.datapath.kernel.NativeCalls.state;
import static java.lang.foreign.ValueLayout.ADDRESS;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import java.lang.foreign.Arena;
import java.lang.invoke.MethodHandle;
import java.nio.file.Path;

/** File systems put on folders and taken off: mount(2). Safe from any thread; acts on the caller's mount namespace. */
public final class Mounts {
    private static final MethodHandle MOUNT = ints("mount", ADDRESS, ADDRESS, ADDRESS, JAVA_LONG, ADDRESS);
    private static final MethodHandle UNMOUNT = ints("umount2", ADDRESS, JAVA_INT);
    private static final int DETACH = 2; // MNT_DETACH: gone from the tree now, freed with its last user

    private Mounts() {}

    /** @return 0 or {@code -errno} */
    public static int mount(String type, Path folder, String options) {
        var state = state();
        try (var arena = Arena.ofConfined()) {
            var kind = arena.allocateFrom(type);
            return result(
                    (int) MOUNT.invokeExact(
                            state, kind, arena.allocateFrom(folder.toString()), kind, 0L, arena.allocateFrom(options)),
                    state);
        } catch (Throwable thrown) {
            throw impossible(thrown);
        }
    }

    /** @return 0 or {@code -errno} */
    public static int unmount(Path folder) {
        var state = state();
        try (var arena = Arena.ofConfined()) {
            return result((int) UNMOUNT.invokeExact(state, arena.allocateFrom(folder.toString()), DETACH), state);
        } catch (Throwable thrown) {
            throw impossible(thrown);
        }
    }
}
