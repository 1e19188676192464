package dev.weft.datapath.bpf;

/**
 * Instructions of the kernel's machine, enough to ask it what it can do: struct bpf_insn {@code code(8) destination(4)
 * source(4) offset(16) immediate(32)}, little endian.
 */
final class Instruction {
    static final long EXIT = 0x95;
    private static final int CALL = 0x85;
    private static final int MOVE_IMMEDIATE = 0xb7;

    private Instruction() {}

    static long of(int code, int destination, int source, int offset, int immediate) {
        return code | destination << 8 | source << 12 | (offset & 0xffffL) << 16 | (long) immediate << 32;
    }

    static long call(int helper) {
        return of(CALL, 0, 0, 0, helper);
    }

    static long move(int register, int value) {
        return of(MOVE_IMMEDIATE, register, 0, 0, value);
    }
}
