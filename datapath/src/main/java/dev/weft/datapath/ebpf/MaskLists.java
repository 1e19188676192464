package dev.weft.datapath.ebpf;

import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;
import static java.lang.foreign.ValueLayout.JAVA_SHORT;

import dev.weft.base.HotPath;
import dev.weft.sim.flow.FlowKey;
import dev.weft.sim.flow.FlowMask;
import java.lang.foreign.MemorySegment;
import java.lang.invoke.VarHandle;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.BitSet;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReferenceArray;
import org.jspecify.annotations.Nullable;

/**
 * The masks in use: each ingress port has a list of those with flows there, at most 64 and the exact one; equal masks of
 * several ports share a number. Any thread; a mask that is in the list is taken without a lock.
 */
final class MaskLists {
    private static final Use[] NONE = {};
    private static final int DEAD = -1;

    /** A mask in one port's list. */
    static final class Use {
        final int port;
        final int number;
        final FlowMask mask;
        final AtomicInteger flows = new AtomicInteger();

        Use(int port, int number, FlowMask mask) {
            this.port = port;
            this.number = number;
            this.mask = mask;
        }

        /** One flow more, unless the mask is leaving the list. */
        boolean join() {
            int now = flows.get();
            while (now > 0) {
                if (flows.compareAndSet(now, now + 1)) {
                    return true;
                }
                now = flows.get();
            }
            return false;
        }
    }

    /** A number and how many ports use it. Guarded by the lists. */
    private static final class Numbered {
        final int number;
        int ports;

        Numbered(int number) {
            this.number = number;
        }
    }

    // Immutable after construction.
    private final KernelTables tables;
    private final FlowMask exact = new FlowMask();
    // By port; each array is replaced whole, under this.
    private final AtomicReferenceArray<Use[]> lists = new AtomicReferenceArray<>(Layout.MAX_PORTS);
    // Guarded by this.
    private final Map<FlowMask, Numbered> numbers = new HashMap<>();
    private final ArrayDeque<Integer> free = new ArrayDeque<>();

    MaskLists(KernelTables tables) {
        this.tables = tables;
        exact.exact();
        for (int port = 0; port < Layout.MAX_PORTS; port++) {
            lists.set(port, NONE);
        }
        if (tables.found()) {
            restore();
        }
        var used = new BitSet();
        numbers.values().forEach(each -> used.set(each.number));
        for (int number = Layout.EXACT_MASK + 1; number < Layout.MAX_MASKS; number++) {
            if (!used.get(number)) {
                free.add(number);
            }
        }
        show(Layout.EXACT_MASK, exact);
    }

    /** The lists that an earlier process left, with no flows counted yet. */
    private void restore() {
        for (int port = 0; port < Layout.MAX_PORTS; port++) {
            MemorySegment at = tables.port(port);
            var list = new Use[at.get(JAVA_INT, Layout.Port.MASK_COUNT)];
            for (int i = 0; i < list.length; i++) {
                int number = Short.toUnsignedInt(at.get(JAVA_SHORT, Layout.Port.MASKS + 2L * i));
                var mask = read(number);
                list[i] = new Use(port, number, mask);
                if (number != Layout.EXACT_MASK) {
                    numbers.computeIfAbsent(mask, fresh -> new Numbered(number)).ports++;
                }
            }
            lists.set(port, list);
        }
    }

    /** The mask of a number, ingress included as a flow's own mask has it. */
    FlowMask read(int number) {
        var mask = new FlowMask();
        for (int i = 1; i < FlowKey.WORDS; i++) {
            mask.setWord(i, tables.masks.get(JAVA_LONG, (long) number * Layout.KEY_SIZE + 8L * i));
        }
        mask.setWord(0, -1L);
        return mask;
    }

    /** A flow that survived is counted to the mask of that number at its port; null when it is in no list. */
    @Nullable
    Use rejoin(int port, int number) {
        for (Use use : lists.get(port)) {
            if (use.number == number) {
                use.flows.incrementAndGet();
                return use;
            }
        }
        return null;
    }

    /** Masks of which no flow survived leave their lists. */
    void retireUnused() {
        for (int port = 0; port < Layout.MAX_PORTS; port++) {
            for (Use use : lists.get(port)) {
                if (use.flows.get() == 0) {
                    retire(use);
                }
            }
        }
    }

    /** The use of this mask at this port, one flow counted to it; the exact one's when there is no room for another. */
    @HotPath
    Use join(int port, FlowMask mask) {
        Use[] list = lists.get(port);
        for (Use use : list) {
            if (sameBits(use.mask, mask) && use.join()) {
                return use;
            }
        }
        return add(port, mask);
    }

    /** Ingress and tunnel key count always, whatever the mask says. */
    private static boolean sameBits(FlowMask use, FlowMask mask) {
        for (int i = 1; i < FlowKey.WORDS; i++) {
            if (use.word(i) != mask.word(i)) {
                return false;
            }
        }
        return true;
    }

    /** A flow of that use is gone. */
    @HotPath
    void leave(Use use) {
        if (use.flows.decrementAndGet() == 0) {
            retire(use);
        }
    }

    private synchronized Use add(int port, FlowMask wanted) {
        for (Use use : lists.get(port)) {
            if (sameBits(use.mask, wanted)) {
                // Counted down to 0 and not yet retired: it comes back to life.
                use.flows.incrementAndGet();
                return use;
            }
        }
        boolean isExact = sameBits(exact, wanted);
        if (!isExact && (masksOf(port) == Layout.PORT_MASKS || !hasNumber(wanted))) {
            return add(port, exact);
        }
        var use = new Use(port, isExact ? Layout.EXACT_MASK : number(wanted), copy(wanted));
        use.flows.set(1);
        Use[] before = lists.get(port);
        var after = new Use[before.length + 1];
        System.arraycopy(before, 0, after, isExact ? 1 : 0, before.length);
        after[isExact ? 0 : before.length] = use;
        publish(port, after);
        return use;
    }

    /** Without the exact one. */
    private int masksOf(int port) {
        Use[] list = lists.get(port);
        return list.length > 0 && list[0].number == Layout.EXACT_MASK ? list.length - 1 : list.length;
    }

    private boolean hasNumber(FlowMask mask) {
        return !free.isEmpty() || numbers.containsKey(copy(mask));
    }

    private static FlowMask copy(FlowMask mask) {
        var copy = new FlowMask();
        copy.copyFrom(mask);
        copy.setWord(0, -1L);
        return copy;
    }

    private int number(FlowMask mask) {
        var key = copy(mask);
        Numbered numbered = numbers.computeIfAbsent(key, fresh -> {
            int number = free.remove();
            show(number, fresh);
            return new Numbered(number);
        });
        numbered.ports++;
        return numbered.number;
    }

    private synchronized void retire(Use use) {
        if (!use.flows.compareAndSet(0, DEAD)) {
            return;
        }
        List<Use> left = new ArrayList<>(List.of(lists.get(use.port)));
        left.remove(use);
        publish(use.port, left.toArray(NONE));
        Numbered numbered = numbers.get(use.mask);
        if (use.number != Layout.EXACT_MASK && numbered != null && --numbered.ports == 0) {
            numbers.remove(use.mask);
            free.add(use.number);
        }
    }

    /** The kernel may read a list while it changes: at worst it misses a mask once, which is an upcall too many. */
    private void publish(int port, Use[] list) {
        MemorySegment at = tables.port(port);
        if (list.length < lists.get(port).length) {
            at.set(JAVA_INT, Layout.Port.MASK_COUNT, list.length);
            VarHandle.releaseFence();
        }
        for (int i = 0; i < list.length; i++) {
            at.set(JAVA_SHORT, Layout.Port.MASKS + 2L * i, (short) list[i].number);
        }
        VarHandle.releaseFence();
        at.set(JAVA_INT, Layout.Port.MASK_COUNT, list.length);
        lists.set(port, list);
    }

    private void show(int number, FlowMask mask) {
        for (int i = 0; i < FlowKey.WORDS; i++) {
            // Bits 31..16 of word 0 are the number's own place in a key.
            long word = i == 0 ? ~0xffff_0000L : mask.word(i);
            tables.masks.set(JAVA_LONG, (long) number * Layout.KEY_SIZE + 8L * i, word);
        }
        VarHandle.releaseFence();
    }

    /** The masks of one port, as they are now. */
    List<Use> of(int port) {
        return List.of(lists.get(port));
    }
}
