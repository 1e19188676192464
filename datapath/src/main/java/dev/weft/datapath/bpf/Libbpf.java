package dev.weft.datapath.bpf;

import static java.lang.foreign.ValueLayout.ADDRESS;
import static java.lang.foreign.ValueLayout.JAVA_BOOLEAN;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import dev.weft.datapath.kernel.Errno;
import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemoryLayout;
import java.lang.foreign.MemoryLayout.PathElement;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.SymbolLookup;
import java.lang.invoke.MethodHandle;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.MethodType;
import org.jspecify.annotations.Nullable;

/**
 * The C library libbpf, which reads object files of the compiler. Looked for when first used, so that a machine without
 * it can do all the rest. Safe from any thread. Functions return their result or {@code -errno}; pointers are addresses,
 * 0 for none.
 */
final class Libbpf {
    private static final String FILE = "libbpf.so.1";
    private static final int WARN = 0; // LIBBPF_WARN; 1 is info, 2 is debug
    private static final Linker LINKER = Linker.nativeLinker();
    private static final MemoryLayout CAPTURE = Linker.Option.captureStateLayout();
    private static final long ERRNO_OFFSET = CAPTURE.byteOffset(PathElement.groupElement("errno"));
    // What the library printed for the calling thread since it last asked.
    private static final ThreadLocal<StringBuilder> PRINTED = ThreadLocal.withInitial(StringBuilder::new);
    private static final MethodHandle FORMAT = LINKER.downcallHandle(
            LINKER.defaultLookup().findOrThrow("vasprintf"),
            FunctionDescriptor.of(JAVA_INT, ADDRESS, ADDRESS, ADDRESS));
    private static final MethodHandle FREE =
            LINKER.downcallHandle(LINKER.defaultLookup().findOrThrow("free"), FunctionDescriptor.ofVoid(ADDRESS));

    // Guarded by the class.
    private static @Nullable Libbpf loaded;

    final MethodHandle open;
    final MethodHandle load;
    final MethodHandle close;
    final MethodHandle btf;
    final MethodHandle findMap;
    final MethodHandle mapFd;
    final MethodHandle setMaxEntries;
    final MethodHandle setMapFlags;
    final MethodHandle setInnerMap;
    final MethodHandle reuseMap;
    final MethodHandle initialValue;
    final MethodHandle findProgram;
    final MethodHandle programFd;
    final MethodHandle setAutoload;
    final MethodHandle findType;
    final MethodHandle typeById;
    final MethodHandle typeName;
    private final SymbolLookup symbols;

    private Libbpf(SymbolLookup symbols) {
        this.symbols = symbols;
        this.open = bind("bpf_object__open_mem", JAVA_LONG, ADDRESS, JAVA_LONG, ADDRESS);
        this.load = bind("bpf_object__load", JAVA_INT, JAVA_LONG);
        this.close = bind("bpf_object__close", null, JAVA_LONG);
        this.btf = bind("bpf_object__btf", JAVA_LONG, JAVA_LONG);
        this.findMap = bind("bpf_object__find_map_by_name", JAVA_LONG, JAVA_LONG, ADDRESS);
        this.mapFd = bind("bpf_map__fd", JAVA_INT, JAVA_LONG);
        this.setMaxEntries = bind("bpf_map__set_max_entries", JAVA_INT, JAVA_LONG, JAVA_INT);
        this.setMapFlags = bind("bpf_map__set_map_flags", JAVA_INT, JAVA_LONG, JAVA_INT);
        this.setInnerMap = bind("bpf_map__set_inner_map_fd", JAVA_INT, JAVA_LONG, JAVA_INT);
        this.reuseMap = bind("bpf_map__reuse_fd", JAVA_INT, JAVA_LONG, JAVA_INT);
        this.initialValue = bind("bpf_map__initial_value", JAVA_LONG, JAVA_LONG, ADDRESS);
        this.findProgram = bind("bpf_object__find_program_by_name", JAVA_LONG, JAVA_LONG, ADDRESS);
        this.programFd = bind("bpf_program__fd", JAVA_INT, JAVA_LONG);
        this.setAutoload = bind("bpf_program__set_autoload", JAVA_INT, JAVA_LONG, JAVA_BOOLEAN);
        this.findType = bind("btf__find_by_name_kind", JAVA_INT, JAVA_LONG, ADDRESS, JAVA_INT);
        this.typeById = bind("btf__type_by_id", JAVA_LONG, JAVA_LONG, JAVA_INT);
        this.typeName = bind("btf__name_by_offset", JAVA_LONG, JAVA_LONG, JAVA_INT);
    }

    static synchronized Libbpf get() {
        var known = loaded;
        if (known == null) {
            known = load(FILE);
            known.keepWarnings();
            loaded = known;
        }
        return known;
    }

    /** @throws BpfException when the library or one of its functions is not there */
    static Libbpf load(String file) {
        SymbolLookup symbols;
        try {
            symbols = SymbolLookup.libraryLookup(file, Arena.global());
        } catch (IllegalArgumentException absent) {
            throw new BpfException(
                    file + " is not on this machine (expected libbpf 1.0 or newer); install the package libbpf1"
                            + " (Debian, Ubuntu) or libbpf (Fedora, Alpine, Arch)",
                    absent);
        }
        return new Libbpf(symbols);
    }

    private MethodHandle bind(String name, @Nullable MemoryLayout returned, MemoryLayout... arguments) {
        var function = symbols.find(name)
                .orElseThrow(() -> new BpfException(
                        "libbpf has no function " + name + " (expected libbpf 1.0 or newer); upgrade package libbpf1"));
        var descriptor =
                returned == null ? FunctionDescriptor.ofVoid(arguments) : FunctionDescriptor.of(returned, arguments);
        return LINKER.downcallHandle(function, descriptor, Linker.Option.captureCallState("errno"));
    }

    /** The calls below go through here: results are {@code -errno} where C says -1 or NULL. */
    static MemorySegment newState(Arena arena) {
        return arena.allocate(CAPTURE);
    }

    static int errno(MemorySegment state) {
        int errno = state.get(JAVA_INT, ERRNO_OFFSET);
        return errno == 0 ? Errno.EINVAL.number : errno;
    }

    private void keepWarnings() {
        try {
            var handler = MethodHandles.lookup()
                    .findStatic(
                            Libbpf.class,
                            "print",
                            MethodType.methodType(int.class, int.class, MemorySegment.class, MemorySegment.class));
            // va_list is passed as a pointer on x86-64 and aarch64 alike.
            var stub = LINKER.upcallStub(
                    handler, FunctionDescriptor.of(JAVA_INT, JAVA_INT, ADDRESS, ADDRESS), Arena.global());
            var setPrint = LINKER.downcallHandle(
                    symbols.findOrThrow("libbpf_set_print"), FunctionDescriptor.of(ADDRESS, ADDRESS));
            var before = (MemorySegment) setPrint.invokeExact(stub);
            assert before != null;
        } catch (Throwable thrown) {
            throw new AssertionError("the print function of libbpf cannot be set", thrown);
        }
    }

    /** Called by the library on the thread that called it. Nothing may be thrown from here: it would end the JVM. */
    @SuppressWarnings("unused") // by method handle
    private static int print(int level, MemorySegment format, MemorySegment arguments) {
        if (level != WARN) {
            return 0;
        }
        try (var arena = Arena.ofConfined()) {
            var text = arena.allocate(ADDRESS);
            int length = (int) FORMAT.invokeExact(text, format, arguments);
            if (length >= 0) {
                var printed = text.get(ADDRESS, 0);
                PRINTED.get().append(printed.reinterpret(length + 1L).getString(0));
                FREE.invokeExact(printed);
            }
            return length;
        } catch (Throwable lost) {
            return 0;
        }
    }

    /** What the library warned of on this thread since the last time. */
    static String takePrinted() {
        var printed = PRINTED.get();
        String text = printed.toString();
        printed.setLength(0);
        return text;
    }
}
