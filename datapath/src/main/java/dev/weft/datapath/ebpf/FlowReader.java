package dev.weft.datapath.ebpf;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_INT_UNALIGNED;
import static java.lang.foreign.ValueLayout.JAVA_LONG;
import static java.lang.foreign.ValueLayout.JAVA_LONG_UNALIGNED;
import static java.lang.foreign.ValueLayout.JAVA_SHORT;
import static java.lang.foreign.ValueLayout.JAVA_SHORT_UNALIGNED;

import dev.weft.base.IpAddress;
import dev.weft.datapath.FlowDump;
import dev.weft.datapath.bpf.BpfException;
import dev.weft.datapath.bpf.MapCursor;
import dev.weft.datapath.ebpf.Layout.Flow;
import dev.weft.datapath.ebpf.Layout.Step;
import dev.weft.sim.flow.ActionList;
import dev.weft.sim.flow.FlowKey;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import java.util.List;
import java.util.function.Consumer;

/** Reads the kernel's flows back into the words they were made of. For people, and for adoption. */
final class FlowReader {
    /** The worker of a flow that survived and was not taken over. */
    static final int NOBODY = -1;

    private static final int BATCH = 4096;
    private static final ValueLayout.OfShort BE_SHORT = JAVA_SHORT_UNALIGNED.withOrder(ByteOrder.BIG_ENDIAN);
    private static final ValueLayout.OfLong BE_LONG = JAVA_LONG_UNALIGNED.withOrder(ByteOrder.BIG_ENDIAN);

    private final KernelTables tables;
    private final StepRuns runs;
    private final RemoteTable remotes;
    private final MaskLists masks;

    FlowReader(KernelTables tables, MaskLists masks, StepRuns runs, RemoteTable remotes) {
        this.tables = tables;
        this.masks = masks;
        this.runs = runs;
        this.remotes = remotes;
    }

    void forEach(Consumer<FlowDump> each) {
        try (var arena = Arena.ofConfined();
                var cursor = tables.flows.cursor()) {
            var keys = arena.allocate((long) BATCH * Layout.KEY_SIZE, 8);
            var flows = arena.allocate((long) BATCH * Flow.SIZE, 8);
            for (int count = next(cursor, keys, flows); count > 0; count = next(cursor, keys, flows)) {
                for (int i = 0; i < count; i++) {
                    each.accept(read(
                            keys.asSlice((long) i * Layout.KEY_SIZE, Layout.KEY_SIZE),
                            flows.asSlice((long) i * Flow.SIZE, Flow.SIZE)));
                }
            }
        }
    }

    private static int next(MapCursor cursor, MemorySegment keys, MemorySegment flows) {
        return BpfException.check(cursor.next(keys.address(), flows.address(), BATCH), "read the flows");
    }

    private FlowDump read(MemorySegment keyWords, MemorySegment flow) {
        var key = new FlowKey();
        readKey(keyWords, key);
        boolean owned = flow.get(JAVA_BYTE, Flow.LIFE) == tables.life();
        return new FlowDump(
                owned ? flow.get(JAVA_BYTE, Flow.WORKER) : NOBODY,
                flow.get(JAVA_LONG, Flow.ID),
                key,
                masks.read(maskNumber(keyWords)),
                actions(flow),
                flow.get(JAVA_LONG, Flow.PACKETS),
                flow.get(JAVA_LONG, Flow.BYTES),
                flow.get(JAVA_LONG, Flow.USED));
    }

    static int maskNumber(MemorySegment keyWords) {
        return (int) (keyWords.get(JAVA_LONG, 0) >>> 16) & 0xffff;
    }

    /** The key without its mask's number. */
    static void readKey(MemorySegment keyWords, FlowKey key) {
        for (int i = 0; i < FlowKey.WORDS; i++) {
            key.setWord(i, keyWords.get(JAVA_LONG, 8L * i));
        }
        key.setWord(0, key.word(0) & ~0xffff_0000L);
    }

    /** What the kernel's steps say, as a list of actions again. */
    ActionList actions(MemorySegment flow) {
        var actions = new ActionList();
        List<IpAddress> hosts = remotes.all();
        int count = Short.toUnsignedInt(flow.get(JAVA_SHORT, Flow.STEP_COUNT));
        int first = flow.get(JAVA_INT, Flow.FIRST_STEP);
        for (int i = 0; i < count; i++) {
            add(actions, count == 1 ? flow.asSlice(Flow.STEP, Step.SIZE) : runs.step(first + i), hosts);
        }
        return actions;
    }

    private static void add(ActionList actions, MemorySegment step, List<IpAddress> hosts) {
        for (int i = 0; i < step.get(JAVA_BYTE, Step.TTL); i++) {
            actions.decTtl();
        }
        addRewrites(actions, step, step.get(JAVA_SHORT_UNALIGNED, Step.SET));
        int mtu = Short.toUnsignedInt(step.get(JAVA_SHORT_UNALIGNED, Step.MTU));
        int target = step.get(JAVA_INT_UNALIGNED, Step.TARGET);
        if (step.get(JAVA_BYTE, Step.OUT) == Step.OUT_PORT) {
            actions.output(target, mtu);
        } else {
            int remote = step.get(JAVA_INT_UNALIGNED, Step.REMOTE);
            IpAddress host = remote < hosts.size() ? hosts.get(remote) : new IpAddress(0, 0);
            actions.tunnel(host.high(), host.low(), target, mtu);
        }
    }

    private static void addRewrites(ActionList actions, MemorySegment step, int set) {
        if ((set & Step.SET_SRC_MAC) != 0) {
            actions.setSrcMac(mac(step, Step.SRC_MAC));
        }
        if ((set & Step.SET_DST_MAC) != 0) {
            actions.setDstMac(mac(step, Step.DST_MAC));
        }
        if ((set & Step.SET_SRC) != 0) {
            actions.setSrc(step.get(BE_LONG, Step.SRC), step.get(BE_LONG, Step.SRC + 8));
        }
        if ((set & Step.SET_DST) != 0) {
            actions.setDst(step.get(BE_LONG, Step.DST), step.get(BE_LONG, Step.DST + 8));
        }
        if ((set & Step.SET_L4_SRC) != 0) {
            actions.setL4Src(step.get(BE_SHORT, Step.L4_SRC));
        }
        if ((set & Step.SET_L4_DST) != 0) {
            actions.setL4Dst(step.get(BE_SHORT, Step.L4_DST));
        }
        if ((set & Step.SET_ICMP_ID) != 0) {
            actions.setIcmpId(step.get(BE_SHORT, Step.ICMP_ID));
        }
        if ((set & Step.SET_DSCP) != 0) {
            actions.setDscp(step.get(JAVA_BYTE, Step.DSCP));
        }
        if ((set & Step.PUSH_VLAN) != 0) {
            actions.pushVlan(step.get(JAVA_SHORT_UNALIGNED, Step.TCI));
        }
        if ((set & Step.POP_VLAN) != 0) {
            actions.popVlan();
        }
    }

    private static long mac(MemorySegment step, long at) {
        return (long) Short.toUnsignedInt(step.get(BE_SHORT, at)) << 32
                | (long) Short.toUnsignedInt(step.get(BE_SHORT, at + 2)) << 16
                | Short.toUnsignedInt(step.get(BE_SHORT, at + 4));
    }
}
