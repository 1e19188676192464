package dev.weft.datapath.kernel;

import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemoryLayout;
import java.lang.foreign.MemoryLayout.PathElement;
import java.lang.foreign.MemorySegment;
import java.lang.invoke.MethodHandle;

/** Binds functions of the C library so that errno is kept: their first argument is the calling thread's state. */
final class NativeCalls {
    private static final Linker LINKER = Linker.nativeLinker();
    private static final MemoryLayout CAPTURE = Linker.Option.captureStateLayout();
    private static final long ERRNO_OFFSET = CAPTURE.byteOffset(PathElement.groupElement("errno"));
    private static final ThreadLocal<MemorySegment> STATE =
            ThreadLocal.withInitial(() -> Arena.ofAuto().allocate(CAPTURE));

    private NativeCalls() {}

    static MethodHandle ints(String name, MemoryLayout... arguments) {
        return bind(name, FunctionDescriptor.of(JAVA_INT, arguments));
    }

    static MethodHandle longs(String name, MemoryLayout... arguments) {
        return bind(name, FunctionDescriptor.of(JAVA_LONG, arguments));
    }

    /** @param fixed how many arguments come before the variadic ones */
    static MethodHandle variadic(String name, int fixed, MemoryLayout returned, MemoryLayout... arguments) {
        return bind(name, FunctionDescriptor.of(returned, arguments), Linker.Option.firstVariadicArg(fixed));
    }

    private static MethodHandle bind(String name, FunctionDescriptor descriptor, Linker.Option... more) {
        var options = new Linker.Option[more.length + 1];
        options[0] = Linker.Option.captureCallState("errno");
        System.arraycopy(more, 0, options, 1, more.length);
        return LINKER.downcallHandle(LINKER.defaultLookup().findOrThrow(name), descriptor, options);
    }

    static MemorySegment state() {
        return STATE.get();
    }

    static int result(int returned, MemorySegment state) {
        return returned >= 0 ? returned : -state.get(JAVA_INT, ERRNO_OFFSET);
    }

    /** For calls that fail with -1 alone, since a memory address may look negative. */
    static long result(long returned, MemorySegment state) {
        return returned != -1 ? returned : -state.get(JAVA_INT, ERRNO_OFFSET);
    }

    static AssertionError impossible(Throwable thrown) {
        return new AssertionError("a system call does not throw", thrown);
    }
}
