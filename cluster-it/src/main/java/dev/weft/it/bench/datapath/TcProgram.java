package dev.weft.it.bench.datapath;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import dev.weft.datapath.link.NetworkNamespace;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;

/**
 * A program of a few instructions at the TC ingress of an interface (TCX), gone when it is closed or the process ends.
 * So small that it is written as instructions: struct bpf_insn {@code code(8) dst(4) src(4) off(16) imm(32)}.
 */
final class TcProgram implements AutoCloseable {
    private static final int PROG_LOAD = 5;
    private static final int LINK_CREATE = 28;
    private static final int TYPE_SCHED_CLS = 3;
    private static final int TCX_INGRESS = 46;

    // linux/bpf_common.h and linux/bpf.h.
    private static final int MOV64_IMM = 0xb7;
    private static final int CALL = 0x85;
    private static final int EXIT = 0x95;
    private static final int REDIRECT_PEER = 155;
    private static final int TC_ACT_SHOT = 2;

    private static final int INSTRUCTION_LENGTH = 8;
    private static final long ATTRIBUTES_LENGTH = 128;

    private final int program;
    private final int link;

    private TcProgram(int program, int link) {
        this.program = program;
        this.link = link;
    }

    /** Drops all that arrives, after the interface has counted it. */
    static TcProgram dropAll(String namespace, String interfaceName) {
        return attach(namespace, interfaceName, instruction(MOV64_IMM, 0, TC_ACT_SHOT), instruction(EXIT, 0, 0));
    }

    /** Hands all that arrives to the far end of a veth, by {@code bpf_redirect_peer} and nothing else. */
    static TcProgram redirectToPeerOf(String namespace, String interfaceName, String veth) {
        return attach(
                namespace,
                interfaceName,
                instruction(MOV64_IMM, 1, Interfaces.index(namespace, veth)),
                instruction(MOV64_IMM, 2, 0),
                instruction(CALL, 0, REDIRECT_PEER),
                instruction(EXIT, 0, 0));
    }

    private static long instruction(int code, int destination, int immediate) {
        return (long) immediate << 32 | (long) destination << 8 | code;
    }

    private static TcProgram attach(String namespace, String interfaceName, long... instructions) {
        int program = load(instructions);
        try (var arena = Arena.ofConfined()) {
            MemorySegment attributes = arena.allocate(ATTRIBUTES_LENGTH, 8);
            attributes.set(JAVA_INT, 0, program);
            attributes.set(JAVA_INT, 4, Interfaces.index(namespace, interfaceName));
            attributes.set(JAVA_INT, 8, TCX_INGRESS);
            int link = NetworkNamespace.named(namespace).call(() -> Native.bpf(LINK_CREATE, attributes));
            return new TcProgram(
                    program, Native.check(link, "attaching a program to " + interfaceName + " in " + namespace));
        } catch (RuntimeException refused) {
            Native.close(program);
            throw refused;
        }
    }

    private static int load(long... instructions) {
        try (var arena = Arena.ofConfined()) {
            MemorySegment code = arena.allocate((long) instructions.length * INSTRUCTION_LENGTH, 8);
            for (int i = 0; i < instructions.length; i++) {
                code.set(JAVA_LONG, (long) i * INSTRUCTION_LENGTH, instructions[i]);
            }
            MemorySegment attributes = arena.allocate(ATTRIBUTES_LENGTH, 8);
            attributes.set(JAVA_INT, 0, TYPE_SCHED_CLS);
            attributes.set(JAVA_INT, 4, instructions.length);
            attributes.set(JAVA_LONG, 8, code.address());
            attributes.set(JAVA_LONG, 16, arena.allocateFrom("Apache-2.0").address());
            MemorySegment name = arena.allocateFrom("weft_bench");
            MemorySegment.copy(name, JAVA_BYTE, 0, attributes, JAVA_BYTE, 48, name.byteSize());
            return Native.check(
                    Native.bpf(PROG_LOAD, attributes),
                    "loading a BPF program of " + instructions.length + " instructions");
        }
    }

    @Override
    public void close() {
        Native.close(link);
        Native.close(program);
    }
}
