package dev.weft.datapath.bpf;

/**
 * Instructions of the kernel's machine, enough to ask it what it can do: struct bpf_insn {@code code(8) destination(4)
 * source(4) offset(16) immediate(32)}, little endian.
 */
final class Instruction {
    static final long EXIT = 0x95;
    private static final int CALL = 0x85;
    private static final int MOVE_IMMEDIATE = 0xb7;
    private static final int MOVE_REGISTER = 0xbf;
    private static final int LOAD_LONG_IMMEDIATE = 0x18;
    private static final int MAP_DESCRIPTOR = 1; // BPF_PSEUDO_MAP_FD in the place of the source
    private static final int STORE_IMMEDIATE_LONG = 0x7a;
    private static final int STORE_IMMEDIATE_INT = 0x62;
    private static final int ADD_IMMEDIATE = 0x07;
    private static final int JUMP_IF_EQUAL = 0x15;

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

    static long copy(int register, int from) {
        return of(MOVE_REGISTER, register, from, 0, 0);
    }

    static long add(int register, int value) {
        return of(ADD_IMMEDIATE, register, 0, 0, value);
    }

    static long jumpIfEqual(int register, int value, int offset) {
        return of(JUMP_IF_EQUAL, register, 0, offset, value);
    }

    static long storeLong(int pointer, int offset, int value) {
        return of(STORE_IMMEDIATE_LONG, pointer, 0, offset, value);
    }

    static long storeInt(int pointer, int offset, int value) {
        return of(STORE_IMMEDIATE_INT, pointer, 0, offset, value);
    }

    /** The first of two instructions; the second is 0. */
    static long loadMap(int register, int mapFd) {
        return of(LOAD_LONG_IMMEDIATE, register, MAP_DESCRIPTOR, 0, mapFd);
    }
}
