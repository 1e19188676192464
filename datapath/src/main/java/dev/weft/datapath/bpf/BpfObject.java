package dev.weft.datapath.bpf;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;
import static java.lang.foreign.ValueLayout.JAVA_SHORT;

import dev.weft.datapath.kernel.Errno;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.invoke.MethodHandle;
import java.util.ArrayList;
import java.util.List;

/**
 * An object file of the compiler, from open to loaded: maps and programs in it are sized, replaced and left out before
 * {@link #load} makes them in the kernel. Belongs to one thread at a time. Closing it lets go of everything that has no
 * other holder: {@link BpfMap}s and program descriptors got from here are its own, duplicate or pin what must stay.
 */
public final class BpfObject implements AutoCloseable {
    private static final int KIND_DATA_SECTION = 15; // BTF_KIND_DATASEC

    private final Libbpf library = Libbpf.get();
    private final Arena arena = Arena.ofShared();
    private final MemorySegment state = Libbpf.newState(arena);
    private final String name;
    private final long object;
    private final List<BpfMap> borrowed = new ArrayList<>();
    private boolean loaded;
    private boolean closed;

    private BpfObject(byte[] elf, String name) {
        this.name = name;
        // struct bpf_object_open_opts as far as we fill it: size(64) object_name(64). The file is read again by load.
        var options = arena.allocate(16, 8);
        options.set(JAVA_LONG, 0, 16);
        options.set(JAVA_LONG, 8, arena.allocateFrom(name).address());
        var file = arena.allocateFrom(JAVA_BYTE, elf);
        Libbpf.takePrinted();
        long opened;
        try {
            opened = (long) library.open.invokeExact(state, file, file.byteSize(), options);
        } catch (Throwable thrown) {
            throw impossible(thrown);
        }
        if (opened == 0) {
            var refusal = refusal(Libbpf.errno(state), "open object file " + name);
            arena.close();
            throw refusal;
        }
        this.object = opened;
    }

    /**
     * Reads an object file; nothing is in the kernel yet.
     *
     * @param elf its bytes, made by {@code clang -target bpf}
     * @param name it goes by in messages; also the beginning of the names of its data sections' maps
     * @throws BpfException when it cannot be read, or libbpf is not on this machine
     */
    public static BpfObject open(byte[] elf, String name) {
        return new BpfObject(elf, name);
    }

    public BpfObject maxEntries(String map, int entries) {
        return configure(library.setMaxEntries, map, entries, "size map " + map + " for " + entries + " entries");
    }

    /** @param flags as in {@link BpfMap#create}, instead of those in the file */
    public BpfObject flags(String map, int flags) {
        return configure(library.setMapFlags, map, flags, "give map " + map + " flags 0x" + Integer.toHexString(flags));
    }

    /** @param innerFd of a map that all inside the outer one are like; it may be closed at once */
    public BpfObject innerMap(String outer, int innerFd) {
        var inner = BpfMap.duplicate(innerFd); // load reads the descriptor, which libbpf only borrows
        borrowed.add(inner);
        return configure(library.setInnerMap, outer, inner.fd(), "set the inner map of " + outer);
    }

    /** Takes a map that is there already instead of making one; type and sizes must be the same. */
    public BpfObject reuse(String map, int fd) {
        return configure(library.reuseMap, map, fd, "use an existing map as " + map);
    }

    private BpfObject configure(MethodHandle function, String map, int value, String tried) {
        long handle = find(library.findMap, map, "map");
        try {
            int result = (int) function.invokeExact(state, handle, value);
            if (result < 0) {
                throw refusal(-result, tried + " of " + name);
            }
            return this;
        } catch (BpfException refused) {
            throw refused;
        } catch (Throwable thrown) {
            throw impossible(thrown);
        }
    }

    /** Whether {@link #load} takes the program in; all are unless told otherwise. */
    public BpfObject autoload(String program, boolean wanted) {
        long handle = find(library.findProgram, program, "program");
        try {
            int result = (int) library.setAutoload.invokeExact(state, handle, wanted);
            if (result < 0) {
                throw refusal(-result, "leave out program " + program + " of " + name);
            }
            return this;
        } catch (BpfException refused) {
            throw refused;
        } catch (Throwable thrown) {
            throw impossible(thrown);
        }
    }

    /**
     * The bytes a global variable begins with: of section {@code .rodata} (constants the verifier knows), {@code .data}
     * or {@code .bss}. To be written before {@link #load}.
     *
     * @throws BpfException when the file has no such variable
     */
    public MemorySegment variable(String section, String variable) {
        if (loaded) {
            throw new IllegalStateException(
                    "variable " + variable + " of " + name + " (expected to be set before load())");
        }
        try {
            long btf = (long) library.btf.invokeExact(state, object);
            int id = btf == 0
                    ? -1
                    : (int) library.findType.invokeExact(state, btf, arena.allocateFrom(section), KIND_DATA_SECTION);
            if (id >= 0) {
                var place = place(btf, id, variable);
                if (place != MemorySegment.NULL) {
                    return initialValue(section).asSlice(place.address(), place.byteSize());
                }
            }
            throw new BpfException("object file " + name + " has no variable " + variable + " in " + section
                    + " (expected a volatile global, compiled with -g)");
        } catch (BpfException refused) {
            throw refused;
        } catch (Throwable thrown) {
            throw impossible(thrown);
        }
    }

    /** Sets an integer of {@code .rodata}, 1 to 8 bytes wide. */
    public BpfObject constant(String variable, long value) {
        var place = variable(".rodata", variable);
        switch ((int) place.byteSize()) {
            case 1 -> place.set(JAVA_BYTE, 0, (byte) value);
            case 2 -> place.set(JAVA_SHORT, 0, (short) value);
            case 4 -> place.set(JAVA_INT, 0, (int) value);
            case 8 -> place.set(JAVA_LONG, 0, value);
            default ->
                throw new BpfException("constant " + variable + " of " + name + " is " + place.byteSize()
                        + " bytes wide (expected 1, 2, 4 or 8)");
        }
        return this;
    }

    /** Offset and size, as a segment that is never read. */
    private MemorySegment place(long btf, int id, String variable) throws Throwable {
        // struct btf_type: name_off(32) info(32, count in its lower half) size(32); then count times
        // struct btf_var_secinfo: type(32) offset(32) size(32).
        long at = (long) library.typeById.invokeExact(state, btf, id);
        int count = MemorySegment.ofAddress(at).reinterpret(12).get(JAVA_INT, 4) & 0xffff;
        var members = MemorySegment.ofAddress(at + 12).reinterpret(12L * count);
        for (long member = 0; member < members.byteSize(); member += 12) {
            long type = (long) library.typeById.invokeExact(state, btf, members.get(JAVA_INT, member));
            int nameOffset = MemorySegment.ofAddress(type).reinterpret(12).get(JAVA_INT, 0);
            long text = (long) library.typeName.invokeExact(state, btf, nameOffset);
            if (text != 0
                    && MemorySegment.ofAddress(text)
                            .reinterpret(256)
                            .getString(0)
                            .equals(variable)) {
                return MemorySegment.ofAddress(members.get(JAVA_INT, member + 4))
                        .reinterpret(members.get(JAVA_INT, member + 8));
            }
        }
        return MemorySegment.NULL;
    }

    private MemorySegment initialValue(String section) throws Throwable {
        long handle = find(library.findMap, section, "section");
        var size = arena.allocate(JAVA_LONG);
        long address = (long) library.initialValue.invokeExact(state, handle, size);
        if (address == 0) {
            throw refusal(Libbpf.errno(state), "find the bytes of " + section + " of " + name);
        }
        return MemorySegment.ofAddress(address).reinterpret(size.get(JAVA_LONG, 0));
    }

    /**
     * Makes maps and programs in the kernel.
     *
     * @throws BpfException with the end of the verifier's log when it refuses a program
     */
    public BpfObject load() {
        Libbpf.takePrinted();
        try {
            int result = (int) library.load.invokeExact(state, object);
            if (result < 0) {
                throw refusal(-result, "load object file " + name);
            }
            loaded = true;
            return this;
        } catch (BpfException refused) {
            throw refused;
        } catch (Throwable thrown) {
            throw impossible(thrown);
        }
    }

    /** A holder of its own, to be closed apart from this. After {@link #load}. */
    public BpfMap map(String map) {
        return BpfMap.duplicate(descriptor(library.findMap, library.mapFd, map, "map"));
    }

    /** The descriptor of a program, this object's own. After {@link #load}. */
    public int program(String program) {
        return descriptor(library.findProgram, library.programFd, program, "program");
    }

    private int descriptor(MethodHandle finder, MethodHandle getter, String wanted, String kind) {
        if (!loaded) {
            throw new IllegalStateException(kind + " " + wanted + " of " + name + " (expected after load())");
        }
        long handle = find(finder, wanted, kind);
        try {
            int fd = (int) getter.invokeExact(state, handle);
            return BpfException.check(fd, "use " + kind + " " + wanted + " of " + name + " (was it left out?)");
        } catch (BpfException refused) {
            throw refused;
        } catch (Throwable thrown) {
            throw impossible(thrown);
        }
    }

    private long find(MethodHandle finder, String wanted, String kind) {
        if (closed) {
            throw new IllegalStateException("object file " + name + " is closed");
        }
        try (var local = Arena.ofConfined()) {
            long found = (long) finder.invokeExact(state, object, local.allocateFrom(wanted));
            if (found == 0) {
                throw BpfException.of(Errno.ENOENT.number, "find " + kind + " " + wanted + " in object file " + name);
            }
            return found;
        } catch (BpfException refused) {
            throw refused;
        } catch (Throwable thrown) {
            throw impossible(thrown);
        }
    }

    private static BpfException refusal(int errno, String tried) {
        return BpfException.of(errno, tried, VerifierLog.end(Libbpf.takePrinted()));
    }

    private static AssertionError impossible(Throwable thrown) {
        return new AssertionError("libbpf does not throw", thrown);
    }

    @Override
    public void close() {
        if (!closed) {
            closed = true;
            try {
                library.close.invokeExact(state, object);
            } catch (Throwable thrown) {
                throw impossible(thrown);
            }
            borrowed.forEach(BpfMap::close);
            arena.close();
        }
    }
}
