package dev.weft.it.bench.datapath;

import dev.weft.datapath.bpf.BpfLink;
import dev.weft.datapath.bpf.BpfMap;
import dev.weft.datapath.bpf.BpfProgram;
import dev.weft.datapath.link.Direction;
import dev.weft.datapath.link.NetworkNamespace;
import java.util.ArrayList;
import java.util.List;

/**
 * A program of a few instructions at the TC ingress of an interface, gone when it is closed or the process ends. So
 * small that it is written as instructions: struct bpf_insn {@code code(8) dst(4) src(4) off(16) imm(32)} of
 * linux/bpf.h.
 */
final class TcProgram implements AutoCloseable {
    /** The last eight octets of a frame that {@link #stampArrivals} looks for: this, then the frame's number. */
    static final int MARK = 0x57_45_46_54;

    /** Octets of mark and number. */
    static final int TRAILER_LENGTH = 8;

    // Opcodes: class, size or operation, and source, linux/bpf_common.h.
    private static final int MOV64_IMM = 0xb7;
    private static final int MOV64_REG = 0xbf;
    private static final int ADD64_IMM = 0x07;
    private static final int LOAD_WORD = 0x61;
    private static final int LOAD_HALF = 0x69;
    private static final int STORE_DOUBLE = 0x7b;
    private static final int STORE_HALF = 0x6b;
    private static final int LOAD_IMM64 = 0x18;
    private static final int JUMP_NOT_EQUAL_IMM = 0x55;
    private static final int JUMP_EQUAL_IMM = 0x15;
    private static final int CALL = 0x85;
    private static final int EXIT = 0x95;
    private static final int PSEUDO_MAP_FD = 1;

    // enum bpf_func_id.
    private static final int MAP_LOOKUP_ELEM = 1;
    private static final int KTIME_GET_NS = 5;
    private static final int SKB_STORE_BYTES = 9;
    private static final int REDIRECT = 23;
    private static final int SKB_LOAD_BYTES = 26;
    private static final int REDIRECT_PEER = 155;

    private static final int SKB_PROTOCOL = 16; // its offset in struct __sk_buff
    private static final int ETHERTYPE_IPV4 = 0x0008; // in network order, on a little-endian machine
    private static final int TC_ACT_UNSPEC = -1;
    private static final int TC_ACT_SHOT = 2;
    private static final int FRAME_POINTER = 10;

    private final BpfProgram program;
    private final BpfLink link;

    private TcProgram(BpfProgram program, BpfLink link) {
        this.program = program;
        this.link = link;
    }

    /** Drops all that arrives, after the interface has counted it. */
    static TcProgram dropAll(String namespace, String interfaceName) {
        return attach(namespace, interfaceName, insn(MOV64_IMM, 0, 0, 0, TC_ACT_SHOT), insn(EXIT, 0, 0, 0, 0));
    }

    /** Hands all that arrives to the far end of a veth, by {@code bpf_redirect_peer} and nothing else. */
    static TcProgram redirectToPeerOf(String namespace, String interfaceName, String veth) {
        return attach(
                namespace,
                interfaceName,
                insn(MOV64_IMM, 1, 0, 0, Interfaces.index(namespace, veth)),
                insn(MOV64_IMM, 2, 0, 0, 0),
                insn(CALL, 0, 0, 0, REDIRECT_PEER),
                insn(EXIT, 0, 0, 0, 0));
    }

    /**
     * Of each frame that ends with {@link #MARK} and its number, writes the monotonic time in nanoseconds at that index
     * of the array, and drops it; other frames pass.
     *
     * @param times an array of 64-bit values
     */
    static TcProgram stampArrivals(String namespace, String interfaceName, BpfMap times) {
        int trailer = -TRAILER_LENGTH;
        int number = trailer + 4;
        return attach(
                namespace,
                interfaceName,
                // load_bytes(skb, skb->len - 8, fp - 8, 8), or pass
                insn(LOAD_WORD, 2, 1, 0, 0),
                insn(ADD64_IMM, 2, 0, 0, -TRAILER_LENGTH),
                insn(MOV64_REG, 3, FRAME_POINTER, 0, 0),
                insn(ADD64_IMM, 3, 0, 0, trailer),
                insn(MOV64_IMM, 4, 0, 0, TRAILER_LENGTH),
                insn(CALL, 0, 0, 0, SKB_LOAD_BYTES),
                insn(JUMP_NOT_EQUAL_IMM, 0, 0, 13, 0),
                // the mark, or pass
                insn(LOAD_WORD, 1, FRAME_POINTER, trailer, 0),
                insn(JUMP_NOT_EQUAL_IMM, 1, 0, 11, MARK),
                // the number's place in the array, or drop
                insn(LOAD_IMM64, 1, PSEUDO_MAP_FD, 0, times.fd()),
                0,
                insn(MOV64_REG, 2, FRAME_POINTER, 0, 0),
                insn(ADD64_IMM, 2, 0, 0, number),
                insn(CALL, 0, 0, 0, MAP_LOOKUP_ELEM),
                insn(JUMP_EQUAL_IMM, 0, 0, 3, 0),
                insn(MOV64_REG, 6, 0, 0, 0),
                insn(CALL, 0, 0, 0, KTIME_GET_NS),
                insn(STORE_DOUBLE, 6, 0, 0, 0),
                insn(MOV64_IMM, 0, 0, 0, TC_ACT_SHOT),
                insn(EXIT, 0, 0, 0, 0),
                insn(MOV64_IMM, 0, 0, 0, TC_ACT_UNSPEC),
                insn(EXIT, 0, 0, 0, 0));
    }

    /**
     * Sends each frame that ends with {@link #MARK} back to where it came from, addresses and UDP ports exchanged; other
     * frames pass. Checksums stay right, since sums do not know an order.
     */
    static TcProgram sendBack(String namespace, String interfaceName) {
        var code = new ArrayList<Long>();
        int trailer = -TRAILER_LENGTH;
        // r6 = skb; the mark, or pass
        add(code, insn(MOV64_REG, 6, 1, 0, 0), insn(LOAD_WORD, 2, 6, 0, 0), insn(ADD64_IMM, 2, 0, 0, -TRAILER_LENGTH));
        load(code, trailer, TRAILER_LENGTH);
        add(code, insn(JUMP_EQUAL_IMM, 0, 0, 2, 0), insn(MOV64_IMM, 0, 0, 0, TC_ACT_UNSPEC), insn(EXIT, 0, 0, 0, 0));
        add(code, insn(LOAD_WORD, 1, FRAME_POINTER, trailer, 0), insn(JUMP_EQUAL_IMM, 1, 0, 2, MARK));
        add(code, insn(MOV64_IMM, 0, 0, 0, TC_ACT_UNSPEC), insn(EXIT, 0, 0, 0, 0));
        List<Long> v6 = exchange(interfaceName, namespace, 16, 22, 40);
        List<Long> v4 = exchange(interfaceName, namespace, 4, 26, 20);
        // skb->protocol, in network order
        add(code, insn(LOAD_WORD, 1, 6, SKB_PROTOCOL, 0), insn(JUMP_EQUAL_IMM, 1, 0, v6.size(), ETHERTYPE_IPV4));
        code.addAll(v6);
        code.addAll(v4);
        return attach(
                namespace,
                interfaceName,
                code.stream().mapToLong(Long::longValue).toArray());
    }

    /** skb_load_bytes(skb, r2 unless a constant, fp + to, length) */
    private static void load(List<Long> code, int to, int length) {
        add(
                code,
                insn(MOV64_REG, 1, 6, 0, 0),
                insn(MOV64_REG, 3, FRAME_POINTER, 0, 0),
                insn(ADD64_IMM, 3, 0, 0, to),
                insn(MOV64_IMM, 4, 0, 0, length),
                insn(CALL, 0, 0, 0, SKB_LOAD_BYTES));
    }

    /** Exchanges the ends of a frame whose addresses lie at {@code addresses}, and sends it out of its interface. */
    private static List<Long> exchange(
            String interfaceName, String namespace, int addressLength, int addresses, int ipLength) {
        int ports = 14 + ipLength;
        int length = ports + 4;
        int copy = -64;
        var code = new ArrayList<Long>();
        add(code, insn(MOV64_IMM, 2, 0, 0, 0));
        load(code, copy, length);
        exchange(code, copy, 0, 6, 6);
        exchange(code, copy, addresses, addresses + addressLength, addressLength);
        exchange(code, copy, ports, ports + 2, 2);
        add(
                code,
                insn(MOV64_REG, 1, 6, 0, 0),
                insn(MOV64_IMM, 2, 0, 0, 0),
                insn(MOV64_REG, 3, FRAME_POINTER, 0, 0),
                insn(ADD64_IMM, 3, 0, 0, copy),
                insn(MOV64_IMM, 4, 0, 0, length),
                insn(MOV64_IMM, 5, 0, 0, 0),
                insn(CALL, 0, 0, 0, SKB_STORE_BYTES),
                insn(MOV64_IMM, 1, 0, 0, Interfaces.index(namespace, interfaceName)),
                insn(MOV64_IMM, 2, 0, 0, 0),
                insn(CALL, 0, 0, 0, REDIRECT),
                insn(EXIT, 0, 0, 0, 0));
        return code;
    }

    private static void exchange(List<Long> code, int frame, int one, int other, int length) {
        for (int i = 0; i < length; i += 2) {
            add(
                    code,
                    insn(LOAD_HALF, 1, FRAME_POINTER, frame + one + i, 0),
                    insn(LOAD_HALF, 2, FRAME_POINTER, frame + other + i, 0),
                    insn(STORE_HALF, FRAME_POINTER, 1, frame + other + i, 0),
                    insn(STORE_HALF, FRAME_POINTER, 2, frame + one + i, 0));
        }
    }

    private static void add(List<Long> code, long... instructions) {
        for (long instruction : instructions) {
            code.add(instruction);
        }
    }

    private static long insn(int code, int destination, int source, int offset, int immediate) {
        return (long) immediate << 32 | (offset & 0xffffL) << 16 | (long) (source << 4 | destination) << 8 | code;
    }

    private static TcProgram attach(String namespace, String interfaceName, long... instructions) {
        BpfProgram program = BpfProgram.load("weft_bench", instructions);
        try {
            return new TcProgram(
                    program,
                    BpfLink.tcx(
                            NetworkNamespace.named(namespace),
                            Interfaces.index(namespace, interfaceName),
                            Direction.INGRESS,
                            program.fd()));
        } catch (RuntimeException refused) {
            program.close();
            throw refused;
        }
    }

    @Override
    public void close() {
        link.close();
        program.close();
    }
}
