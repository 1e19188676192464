package dev.weft.datapath.bpf;

import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import dev.weft.datapath.kernel.Errno;
import dev.weft.datapath.kernel.Libc;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.file.Path;
import java.util.Optional;

/** A program of the kernel, held by a descriptor. May be used from any thread while open. */
public final class BpfProgram implements AutoCloseable {
    /** BPF_PROG_TYPE_SCHED_CLS: what traffic control runs. */
    static final int TRAFFIC_CONTROL = 3;

    private static final int INFO_SIZE = 8; // the beginning of struct bpf_prog_info: type(32) id(32)

    /**
     * What one run of a program came to.
     *
     * @param returned by the program, such as TC_ACT_REDIRECT (7)
     * @param length of the packet as the program left it, in bytes
     * @param nanosPerRun mean of all repetitions
     */
    public record TestRun(int returned, int length, int nanosPerRun) {}

    private final int fd;
    private boolean closed; // guarded by this

    BpfProgram(int fd) {
        this.fd = fd;
    }

    /** What is pinned there; empty when nothing is. */
    public static Optional<BpfProgram> pinned(Path path) {
        int fd = Bpf.pinned(path, "prog");
        return fd < 0 ? Optional.empty() : Optional.of(new BpfProgram(fd));
    }

    /**
     * Loads instructions as they are, of the kind that traffic control runs.
     *
     * @throws BpfException with the end of the verifier's log
     */
    public static BpfProgram load(String name, long... instructions) {
        try (var arena = Arena.ofConfined()) {
            var log = arena.allocate(1 << 16);
            int fd = tryLoad(name, log, instructions);
            if (fd < 0) {
                throw BpfException.of(-fd, "load program " + name, VerifierLog.end(log.getString(0)));
            }
            return new BpfProgram(fd);
        }
    }

    static int tryLoad(String name, MemorySegment log, long... instructions) {
        try (var arena = Arena.ofConfined()) {
            var block = Bpf.clearBlock();
            block.set(JAVA_INT, 0, TRAFFIC_CONTROL);
            block.set(JAVA_INT, 4, instructions.length);
            block.set(JAVA_LONG, 8, arena.allocateFrom(JAVA_LONG, instructions).address());
            block.set(JAVA_LONG, 16, arena.allocateFrom("GPL").address());
            block.set(JAVA_INT, 24, 1);
            block.set(JAVA_INT, 28, (int) log.byteSize());
            block.set(JAVA_LONG, 32, log.address());
            Bpf.putName(block, 48, name);
            int fd = Bpf.call(Bpf.PROGRAM_LOAD, block);
            if (!Errno.ENOSPC.is(fd)) {
                return fd;
            }
            // The log did not fit; the program may be right all the same.
            block.set(JAVA_INT, 24, 0);
            block.set(JAVA_INT, 28, 0);
            block.set(JAVA_LONG, 32, 0);
            return Bpf.call(Bpf.PROGRAM_LOAD, block);
        }
    }

    /**
     * Runs a program on a packet of ours without any interface: BPF_PROG_TEST_RUN.
     *
     * @param packet from its Ethernet header on, at least 14 bytes
     * @param context a struct __sk_buff to begin with (only some fields may be set, see the kernel's
     *     convert___skb_to_skb), or {@link MemorySegment#NULL}
     * @param out filled with the packet as the program left it, or {@link MemorySegment#NULL}
     * @param repeat how often, for its time; 1 for its effect
     */
    public static TestRun testRun(
            int programFd, MemorySegment packet, MemorySegment context, MemorySegment out, int repeat) {
        var block = Bpf.clearBlock();
        block.set(JAVA_INT, 0, programFd);
        block.set(JAVA_INT, 8, (int) packet.byteSize());
        block.set(JAVA_INT, 12, (int) out.byteSize());
        block.set(JAVA_LONG, 16, packet.address());
        block.set(JAVA_LONG, 24, out.address());
        block.set(JAVA_INT, 32, repeat);
        block.set(JAVA_INT, 40, (int) context.byteSize());
        block.set(JAVA_LONG, 48, context.address());
        BpfException.check(
                Bpf.call(Bpf.PROGRAM_TEST_RUN, block),
                "run a program on a packet of " + packet.byteSize() + " bytes with " + out.byteSize()
                        + " bytes of room for its outcome");
        return new TestRun(block.get(JAVA_INT, 4), block.get(JAVA_INT, 12), block.get(JAVA_INT, 36));
    }

    public TestRun testRun(MemorySegment packet, MemorySegment context, MemorySegment out, int repeat) {
        return testRun(fd, packet, context, out, repeat);
    }

    /** Gives it a name in a bpf file system, where it outlives this process. */
    public void pin(Path path) {
        Bpf.pin(fd, path, "program");
    }

    /** The kernel's own number, the same for all holders. */
    public int id() {
        return idOf(fd);
    }

    /** The kernel's own number of the program behind a descriptor. */
    public static int idOf(int programFd) {
        try (var arena = Arena.ofConfined()) {
            var info = arena.allocate(INFO_SIZE, 8);
            Bpf.info(programFd, info, "read about program of descriptor " + programFd);
            return info.get(JAVA_INT, 4);
        }
    }

    public int fd() {
        return fd;
    }

    /** Lets go; the program itself lives as long as a link, a pin or another holder has it. */
    @Override
    public synchronized void close() {
        if (!closed) {
            closed = true;
            Libc.close(fd);
        }
    }
}
