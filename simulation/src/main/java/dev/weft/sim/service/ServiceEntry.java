package dev.weft.sim.service;

import dev.weft.base.Hashing;
import dev.weft.base.HotPath;
import dev.weft.base.ServicePrefix;
import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/**
 * The rules of one prefix, the highest priority first; within one, DELAY and DROP last, since they hold only while there
 * is no target. Belongs to its table's worker.
 */
@HotPath
public final class ServiceEntry {
    /** Rules of one entry: more instances than that belong under prefixes of their own. */
    public static final int MAX_RULES = 0x7fff;

    private static final ServiceSlot[] NO_SLOTS = {};
    /** Others tried where a family does not reach the first. */
    private static final int TRIES = 16;

    private final ServicePrefix prefix;
    private final int place;
    private ServiceSlot[] slots = NO_SLOTS;
    /** Sums of the weights of the highest priority; as long as there are such rules. */
    private int[] sums = {};

    private boolean toAll;

    ServiceEntry(ServicePrefix prefix, int place) {
        this.prefix = prefix;
        this.place = place;
    }

    /** Where it is among the entries of its table. */
    int place() {
        return place;
    }

    public ServicePrefix prefix() {
        return prefix;
    }

    public int rules() {
        return slots.length;
    }

    /** By priority, highest first. */
    public ServiceSlot rule(int index) {
        return slots[index];
    }

    /** Rules of the highest priority: those that count. */
    public int top() {
        return sums.length;
    }

    /** A packet goes to every target of the highest priority, and not to one of them. */
    public boolean isToAll() {
        return toAll;
    }

    void setToAll(boolean toAll) {
        this.toAll = toAll;
    }

    /** The rule for a packet, by weight: equal hashes, equal rules while the entry does not change. */
    public ServiceSlot choose(long hash) {
        int last = sums.length - 1;
        if (last == 0) {
            return slots[0];
        }
        int point = (int) Long.remainderUnsigned(hash, sums[last]);
        int low = 0;
        int high = last;
        while (low < high) {
            int middle = (low + high) >>> 1;
            if (point < sums[middle]) {
                high = middle;
            } else {
                low = middle + 1;
            }
        }
        return slots[low];
    }

    /**
     * As {@link #choose(long)}, for a connection that does not speak Serval: a rule whose target this family reaches, or
     * one that holds for all packets; null when there is none.
     */
    public @Nullable ServiceSlot choose(long hash, boolean v4) {
        long each = hash;
        for (int i = 0; i < TRIES; i++) {
            ServiceSlot slot = choose(each);
            if (suits(slot, v4)) {
                return slot;
            }
            each = Hashing.mix(each + 1);
        }
        for (int i = 0; i < sums.length; i++) {
            if (suits(slots[i], v4)) {
                return slots[i];
            }
        }
        return null;
    }

    private static boolean suits(ServiceSlot slot, boolean v4) {
        return slot.rule().target().isExclusive() || slot.rule().target().isReachable(v4);
    }

    /** The rule of the highest priority that leads to an address, null when there is none (any more). */
    public @Nullable ServiceSlot topAt(long high, long low, boolean v4) {
        for (int i = 0; i < sums.length; i++) {
            ServiceTarget target = slots[i].rule().target();
            if (target.isAt(high, low, v4)) {
                return slots[i];
            }
        }
        return null;
    }

    /** The rule of the highest priority with this target, null when there is none (any more). */
    public @Nullable ServiceSlot topWith(ServiceTarget target) {
        for (int i = 0; i < sums.length; i++) {
            if (slots[i].rule().target().equals(target)) {
                return slots[i];
            }
        }
        return null;
    }

    boolean put(ServiceRule rule) {
        int at = find(rule.target());
        if (at < 0 && (slots.length == MAX_RULES || excludes(rule.target()))) {
            return false;
        }
        ServiceSlot slot = at < 0 ? new ServiceSlot(rule) : slots[at];
        slot.setRule(rule);
        ServiceSlot[] others = at < 0 ? slots : without(at);
        int place = 0;
        while (place < others.length && isBefore(others[place].rule(), rule)) {
            place++;
        }
        var more = new ServiceSlot[others.length + 1];
        System.arraycopy(others, 0, more, 0, place);
        more[place] = slot;
        System.arraycopy(others, place, more, place + 1, others.length - place);
        setSlots(more);
        return true;
    }

    private static boolean isBefore(ServiceRule other, ServiceRule rule) {
        return other.priority() > rule.priority()
                || other.priority() == rule.priority() && !other.target().isExclusive();
    }

    boolean remove(ServiceTarget target) {
        int at = find(target);
        if (at < 0) {
            return false;
        }
        setSlots(without(at));
        return true;
    }

    private boolean excludes(ServiceTarget target) {
        return target.isExclusive()
                && Arrays.stream(slots).anyMatch(slot -> slot.rule().target().isExclusive());
    }

    private static boolean belongsToTop(ServiceSlot[] slots, int at) {
        return at == 0
                || slots[at].rule().priority() == slots[0].rule().priority()
                        && !slots[at].rule().target().isExclusive();
    }

    private int find(ServiceTarget target) {
        for (int i = 0; i < slots.length; i++) {
            if (slots[i].rule().target().equals(target)) {
                return i;
            }
        }
        return -1;
    }

    private ServiceSlot[] without(int at) {
        var fewer = new ServiceSlot[slots.length - 1];
        System.arraycopy(slots, 0, fewer, 0, at);
        System.arraycopy(slots, at + 1, fewer, at, fewer.length - at);
        return fewer;
    }

    private void setSlots(ServiceSlot[] slots) {
        this.slots = slots;
        int top = 0;
        while (top < slots.length && belongsToTop(slots, top)) {
            top++;
        }
        sums = new int[top];
        int sum = 0;
        for (int i = 0; i < top; i++) {
            sum += slots[i].rule().weight();
            sums[i] = sum;
        }
    }
}
