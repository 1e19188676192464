package dev.weft.datapath.bpf;

import dev.weft.datapath.kernel.Errno;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import org.junit.jupiter.api.Assumptions;

/** Small programs in the kernel's own instructions, so that tests need no compiler. */
final class TestPrograms {
    private static final int RINGBUF_OUTPUT = 130;
    private static final int RINGBUF_RESERVE = 131;
    private static final int RINGBUF_DISCARD = 133;

    private TestPrograms() {}

    /** Skips the calling test, with the reason, where bpf(2) may not be used. */
    static void needKernel() {
        try (var map = BpfMap.create(BpfMapType.ARRAY, "probe", 4, 4, 1, 0)) {
            assert map.fd() > 0;
        } catch (BpfException refused) {
            Assumptions.assumeFalse(refused.is(Errno.EPERM), refused.getMessage());
            throw refused;
        }
    }

    static BpfProgram returning(int value) {
        return BpfProgram.load("returning", Instruction.move(0, value), Instruction.EXIT);
    }

    /** Writes the packet's length and the tag, 32 bits each, as one record. */
    static BpfProgram writing(BpfMap ring, int tag) {
        return BpfProgram.load(
                "writing",
                Instruction.of(0x61, 6, 1, 0, 0), // r6 = skb->len
                Instruction.of(0x63, 10, 6, -8, 0), // *(u32 *)(r10 - 8) = r6
                Instruction.of(0x62, 10, 0, -4, tag), // *(u32 *)(r10 - 4) = tag
                Instruction.of(0x18, 1, 1, 0, ring.fd()), // r1 = ring, two instructions wide
                0,
                Instruction.of(0xbf, 2, 10, 0, 0), // r2 = r10 - 8
                Instruction.of(0x07, 2, 0, 0, -8),
                Instruction.move(3, 8),
                Instruction.move(4, 0),
                Instruction.call(RINGBUF_OUTPUT),
                Instruction.EXIT);
    }

    /** Takes room for a record and gives it up again. */
    static BpfProgram discarding(BpfMap ring) {
        return BpfProgram.load(
                "discarding",
                Instruction.of(0x18, 1, 1, 0, ring.fd()),
                0,
                Instruction.move(2, 16),
                Instruction.move(3, 0),
                Instruction.call(RINGBUF_RESERVE),
                Instruction.of(0x15, 0, 0, 3, 0), // if (!r0) return
                Instruction.of(0xbf, 1, 0, 0, 0),
                Instruction.move(2, 0),
                Instruction.call(RINGBUF_DISCARD),
                Instruction.move(0, 0),
                Instruction.EXIT);
    }

    /** Runs the program on a packet of this length, of zeros. */
    static BpfProgram.TestRun run(BpfProgram program, int length) {
        try (var arena = Arena.ofConfined()) {
            return program.testRun(arena.allocate(length), MemorySegment.NULL, MemorySegment.NULL, 1);
        }
    }
}
