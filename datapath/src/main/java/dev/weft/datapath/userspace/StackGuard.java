package dev.weft.datapath.userspace;

import static java.lang.foreign.ValueLayout.ADDRESS;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import dev.weft.datapath.link.NetworkNamespace;
import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemoryLayout;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.StructLayout;
import java.lang.invoke.MethodHandle;
import java.lang.invoke.VarHandle;
import java.util.OptionalInt;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Keeps what a VM sends away from the host's own stack. A capture only copies: without a guard the host would answer
 * ARP, serve its sockets and even route for the VM, past the virtual network. A two-instruction program (return
 * TC_ACT_SHOT) hangs at the interface's TCX ingress, which the kernel runs after the capture has its copy
 * (net/core/dev.c, __netif_receive_skb_core). Its link is a descriptor: closed, or its process dead, it is gone.
 *
 * <p>Needs Linux 6.6 and CAP_BPF; where that is not to be had the datapath works without and says so once.
 */
final class StackGuard implements AutoCloseable {
    /** No link: nothing to release. */
    static final int NONE = -1;

    private static final Logger LOG = LoggerFactory.getLogger(StackGuard.class);
    private static final int PROG_LOAD = 5;
    private static final int LINK_CREATE = 28;
    private static final int PROG_TYPE_SCHED_CLS = 3;
    private static final int TCX_INGRESS = 46;

    // struct bpf_insn: code(8) dst:4 src:4 off(16) imm(32), as one little-endian word.
    private static final long RETURN_SHOT = 0x0000_0002_0000_00b7L; // r0 = 2
    private static final long EXIT = 0x95L;
    private static final int ATTRIBUTES = 128; // union bpf_attr, zero beyond what is used

    private static final Linker LINKER = Linker.nativeLinker();
    private static final StructLayout CAPTURE = Linker.Option.captureStateLayout();
    private static final VarHandle ERRNO = CAPTURE.varHandle(MemoryLayout.PathElement.groupElement("errno"));
    private static final MethodHandle SYSCALL = LINKER.downcallHandle(
            LINKER.defaultLookup().findOrThrow("syscall"),
            FunctionDescriptor.of(JAVA_LONG, JAVA_LONG, JAVA_INT, ADDRESS, JAVA_INT),
            Linker.Option.firstVariadicArg(1),
            Linker.Option.captureCallState("errno"));
    private static final MethodHandle CLOSE = LINKER.downcallHandle(
            LINKER.defaultLookup().findOrThrow("close"), FunctionDescriptor.of(JAVA_INT, JAVA_INT));

    // Guarded by this.
    private OptionalInt program = OptionalInt.empty();
    private boolean unavailable;

    /** Guards an interface. Returns what {@link #release} wants, {@link #NONE} when there is no guard to be had. */
    synchronized int guard(NetworkNamespace namespace, String interfaceName, int ifindex) {
        if (unavailable) {
            return NONE;
        }
        int loaded = program.isPresent() ? 0 : load();
        int link = loaded < 0 ? loaded : namespace.call(() -> link(ifindex));
        if (link < 0) {
            unavailable = true;
            LOG.warn(
                    "interface {}: the host's own stack cannot be kept from seeing what VMs send (bpf: errno {});"
                            + " give these interfaces no use in the host: no addresses, no forwarding",
                    interfaceName,
                    -link);
        }
        return Math.max(link, NONE);
    }

    void release(int link) {
        if (link != NONE) {
            closeDescriptor(link);
        }
    }

    /** False once the kernel refused. */
    synchronized boolean isAvailable() {
        return !unavailable;
    }

    /** Negative errno when the kernel refuses. */
    private int load() {
        try (var arena = Arena.ofConfined()) {
            var instructions = arena.allocate(16, 8);
            instructions.set(JAVA_LONG, 0, RETURN_SHOT);
            instructions.set(JAVA_LONG, 8, EXIT);
            var attributes = arena.allocate(ATTRIBUTES, 8);
            attributes.set(JAVA_INT, 0, PROG_TYPE_SCHED_CLS);
            attributes.set(JAVA_INT, 4, 2);
            attributes.set(JAVA_LONG, 8, instructions.address());
            attributes.set(JAVA_LONG, 16, arena.allocateFrom("Apache-2.0").address());
            int descriptor = bpf(PROG_LOAD, attributes);
            if (descriptor >= 0) {
                program = OptionalInt.of(descriptor);
            }
            return descriptor;
        }
    }

    /** In the interface's namespace, which is where the kernel looks for the index. */
    private int link(int ifindex) {
        try (var arena = Arena.ofConfined()) {
            var attributes = arena.allocate(ATTRIBUTES, 8);
            attributes.set(JAVA_INT, 0, program.orElseThrow());
            attributes.set(JAVA_INT, 4, ifindex);
            attributes.set(JAVA_INT, 8, TCX_INGRESS);
            return bpf(LINK_CREATE, attributes);
        }
    }

    private static int bpf(int command, MemorySegment attributes) {
        long number = System.getProperty("os.arch").equals("aarch64") ? 280 : 321;
        try (var arena = Arena.ofConfined()) {
            var state = arena.allocate(CAPTURE);
            long result = (long) SYSCALL.invokeExact(state, number, command, attributes, ATTRIBUTES);
            return result < 0 ? -(int) ERRNO.get(state, 0L) : (int) result;
        } catch (Throwable impossible) {
            throw new AssertionError("syscall(2) does not throw", impossible);
        }
    }

    private static void closeDescriptor(int descriptor) {
        try {
            int ignored = (int) CLOSE.invokeExact(descriptor);
        } catch (Throwable impossible) {
            throw new AssertionError("close(2) does not throw", impossible);
        }
    }

    @Override
    public synchronized void close() {
        program.ifPresent(StackGuard::closeDescriptor);
        program = OptionalInt.empty();
        unavailable = true;
    }
}
