package dev.weft.datapath.soft;

import dev.weft.base.IpAddress;
import dev.weft.base.MacAddress;
import dev.weft.sim.flow.ActionList;
import dev.weft.sim.packet.Frames;
import java.nio.ByteBuffer;
import java.util.random.RandomGenerator;

/**
 * The fields of a frame, by themselves. An action changes the field it names, and the frame is built anew around them:
 * what a runner that rewrites in place has to agree with.
 */
final class Headers {
    static final int UDP = 17;
    static final int TCP = 6;
    static final int ECHO = 1;
    static final int OTHER = 99;
    static final int NOT_IP = -1;

    private static final int FIRST = 1;
    private static final int LATER = 2;
    private static final int SYN = 0x02;

    boolean v4;
    int kind;
    private String src = "";
    private String dst = "";
    private int srcPort;
    private int dstPort;
    private int echoId;
    private int dscp;
    private int ecn;
    int ttl;
    private long srcMac;
    private long dstMac;
    /** Below 0: untagged. */
    private int tci;

    private int fragment;
    private int ipOptions;
    private int extensions;
    private int flags;
    /** Below 0: the SYN has no MSS option. */
    private int mss;

    private int padding;
    private boolean checksummed;
    private byte[] payload = {};

    static Headers random(RandomGenerator random) {
        var headers = new Headers();
        headers.v4 = random.nextBoolean();
        headers.kind = new int[] {UDP, UDP, TCP, TCP, ECHO, OTHER, NOT_IP}[random.nextInt(7)];
        headers.src = address(random, headers.v4);
        headers.dst = address(random, headers.v4);
        headers.srcPort = word(random);
        headers.dstPort = word(random);
        headers.echoId = word(random);
        headers.dscp = random.nextInt(64);
        headers.ecn = random.nextInt(4);
        headers.ttl = random.nextInt(256);
        headers.srcMac = random.nextLong() & 0xffff_ffff_ffffL;
        headers.dstMac = random.nextLong() & 0xffff_ffff_ffffL;
        headers.tci = random.nextInt(3) == 0 ? word(random) : -1;
        headers.fragment = random.nextInt(3) == 0 ? random.nextInt(FIRST, LATER + 1) : 0;
        headers.ipOptions = 4 * random.nextInt(11);
        headers.extensions = random.nextInt(4);
        headers.flags = random.nextBoolean() ? SYN | random.nextInt(2) << 4 : random.nextInt(256);
        headers.mss = random.nextInt(4) == 0 ? -1 : random.nextInt(536, 0x1_0000);
        headers.padding = random.nextInt(4);
        headers.checksummed = random.nextInt(4) > 0;
        headers.payload = new byte[random.nextInt(12) * 8];
        random.nextBytes(headers.payload);
        return headers;
    }

    /** Boundaries of the ones' complement sum among them. */
    private static int word(RandomGenerator random) {
        return switch (random.nextInt(6)) {
            case 0 -> 0;
            case 1 -> 0xffff;
            default -> random.nextInt(0x1_0000);
        };
    }

    static String address(RandomGenerator random, boolean v4) {
        if (v4) {
            return IpAddress.ofV4(random.nextInt(4) == 0 ? -1 - random.nextInt(2) : random.nextInt())
                    .toString();
        }
        return new IpAddress(0x2001_0db8_0000_0000L | word(random), random.nextLong()).toString();
    }

    /** What the action at {@code at}, a rewrite, makes of the fields. DEC_TTL takes one off, whatever there is. */
    void apply(ActionList actions, int at) {
        long word = actions.word(at);
        int operand = ActionList.operand(word);
        switch (ActionList.operation(word)) {
            case ActionList.SET_SRC_MAC -> srcMac = ActionList.mac(word);
            case ActionList.SET_DST_MAC -> dstMac = ActionList.mac(word);
            case ActionList.DEC_TTL -> ttl--;
            case ActionList.SET_SRC -> src = changed(src, actions, at);
            case ActionList.SET_DST -> dst = changed(dst, actions, at);
            case ActionList.SET_L4_SRC -> srcPort = operand;
            case ActionList.SET_L4_DST -> dstPort = operand;
            case ActionList.SET_ICMP_ID -> echoId = operand;
            case ActionList.SET_DSCP -> dscp = operand;
            case ActionList.PUSH_VLAN -> tci = operand;
            case ActionList.POP_VLAN -> tci = -1;
            default -> throw new AssertionError("no rewrite: " + actions);
        }
    }

    private String changed(String before, ActionList actions, int at) {
        var wanted = new IpAddress(actions.word(at + 1), actions.word(at + 2));
        return kind != NOT_IP && wanted.isV4() == v4 ? wanted.toString() : before;
    }

    /** What an output with this MTU makes of them. */
    void clamp(int mtu) {
        if ((flags & SYN) != 0) {
            mss = Math.min(mss, mtu - (v4 ? 20 : 40) - 20);
        }
    }

    boolean hasPayload() {
        return payload.length > 0;
    }

    byte[] bytes() {
        Frames frame = frame().from(srcMac).to(dstMac);
        return tci < 0 ? frame.bytes() : frame.vlan(tci).bytes();
    }

    private Frames frame() {
        if (kind == NOT_IP) {
            return Frames.ethernet(0x88cc).payload(payload);
        }
        Frames frame = transport().ttl(ttl).dscp(dscp).ecn(ecn).payload(payload);
        if (v4) {
            frame.ipOptions(ipOptions);
        } else {
            frame.extensions(extensions);
        }
        return switch (fragment) {
            case FIRST -> frame.fragment(7, 0, true);
            case LATER -> frame.fragment(7, 1480, false);
            default -> frame;
        };
    }

    private Frames transport() {
        return switch (kind) {
            case UDP -> {
                Frames udp = Frames.udp(endpoint(src, srcPort), endpoint(dst, dstPort));
                yield checksummed ? udp : udp.withoutChecksum();
            }
            case TCP ->
                Frames.tcp(endpoint(src, srcPort), endpoint(dst, dstPort))
                        .flags(flags)
                        .tcpOptions(tcpOptions());
            case ECHO -> Frames.echoRequest(src, dst, echoId, 3);
            default -> Frames.ip(src, dst, OTHER);
        };
    }

    private String endpoint(String address, int port) {
        return (v4 ? address : "[" + address + "]") + ":" + port;
    }

    /** No-operations before the MSS put it at even and odd offsets. */
    private byte[] tcpOptions() {
        var options = ByteBuffer.allocate(12);
        for (int i = 0; i < padding; i++) {
            options.put((byte) 1);
        }
        if (mss >= 0) {
            options.put((byte) 2).put((byte) 4).putShort((short) mss);
        }
        return options.array();
    }

    @Override
    public String toString() {
        return "kind " + kind + ", " + src + " > " + dst + ", ports " + srcPort + " > " + dstPort + ", fragment "
                + fragment + ", tci " + tci + ", flags " + flags + ", mss " + mss + ", MACs "
                + MacAddress.toString(srcMac) + " > " + MacAddress.toString(dstMac);
    }
}
