package dev.weft.datapath.soft;

import dev.weft.base.Hashing;
import dev.weft.datapath.FlowDump;
import dev.weft.datapath.WorkerPort;
import dev.weft.sim.flow.ActionList;
import dev.weft.sim.flow.FlowKey;
import dev.weft.sim.flow.FlowMask;
import java.util.Arrays;
import java.util.List;
import org.agrona.collections.Int2ObjectHashMap;

/**
 * Masked flows of all workers and what each has carried. A lookup first asks the exact table, which remembers for whole
 * keys the slot and generation of the flow that answered last; else it tries each mask of the ingress port (tuple space
 * search: one hash probe per mask). Overlapping flows agree by construction of their masks, so the first that matches
 * is as good as any.
 *
 * <p>Safe from any thread: one lock, held for one operation. All memory is taken at construction and when a port is
 * added.
 */
final class FlowCache {
    private static final int NONE = -1;
    private static final int WORDS = FlowKey.WORDS;

    // Immutable after construction.
    private final int capacity;
    private final int tableMask;
    private final int exactMask;

    // Guarded by this: per slot. keys are masked; chains link slots of one bucket.
    private final long[] keys;
    private final long[] hashes;
    private final int[] chain;
    private final byte[] place;
    private final int[] generation;
    private final byte[] owner; // negative: ~owner of an earlier process, see orphanAll
    private final long[] flowIds;
    private final int[] idChain;
    private final int[] actionsAt;
    private final short[] actionsLength;
    private final long[] packets;
    private final long[] bytes;
    private final long[] lastUsed;
    private final byte[] tcpFlags;
    private final MaskList[] lists;

    // Guarded by this: tables over the slots.
    private final int[] buckets;
    private final int[] idBuckets;
    private final int[] freeSlots;
    private final UsedList used;
    private final ActionSlab actionSlab;
    private final long[] exactKeys;
    private final int[] exactSlots;
    private final int[] exactGenerations;
    private final Int2ObjectHashMap<MaskList> ports = new Int2ObjectHashMap<>();
    private int freeCount;

    FlowCache(int capacity, int workers) {
        this.capacity = capacity;
        int table = Integer.highestOneBit(Math.max(16, capacity * 2 - 1)) * 2;
        tableMask = table - 1;
        exactMask = Math.min(table, 8192) - 1;
        keys = new long[capacity * WORDS];
        hashes = new long[capacity];
        chain = new int[capacity];
        place = new byte[capacity];
        generation = new int[capacity];
        owner = new byte[capacity];
        flowIds = new long[capacity];
        idChain = new int[capacity];
        actionsAt = new int[capacity];
        actionsLength = new short[capacity];
        packets = new long[capacity];
        bytes = new long[capacity];
        lastUsed = new long[capacity];
        tcpFlags = new byte[capacity];
        lists = new MaskList[capacity];
        buckets = filled(table);
        idBuckets = filled(table);
        freeSlots = new int[capacity];
        for (int i = 0; i < capacity; i++) {
            freeSlots[i] = capacity - 1 - i;
        }
        freeCount = capacity;
        used = new UsedList(capacity, workers);
        // One block each and room for some floods: a list of 256 words takes 32.
        actionSlab = new ActionSlab(capacity + capacity / 2 + ActionList.MAX_WORDS);
        exactKeys = new long[(exactMask + 1) * WORDS];
        exactSlots = filled(exactMask + 1);
        exactGenerations = new int[exactMask + 1];
        ports.put(FlowKey.TUNNEL_PORT, new MaskList());
    }

    private static int[] filled(int length) {
        var array = new int[length];
        Arrays.fill(array, NONE);
        return array;
    }

    synchronized void addPort(int port) {
        ports.put(port, new MaskList());
    }

    /** Its flows stay until their workers remove them; no new ones are taken. */
    synchronized void removePort(int port) {
        MaskList list = ports.get(port);
        if (list != null) {
            list.close();
            if (list.isDone()) {
                ports.remove(port);
            }
        }
    }

    /** Finds the flow that answers the key, counts the packet on it and copies its actions. */
    synchronized boolean lookup(FlowKey key, int length, long now, ActionList actions) {
        long keyHash = hash(key);
        int slot = exact(key, keyHash);
        if (slot == NONE) {
            slot = search(key);
            if (slot == NONE) {
                return false;
            }
            remember(key, keyHash, slot);
        }
        packets[slot]++;
        bytes[slot] += length;
        lastUsed[slot] = now;
        tcpFlags[slot] |= (byte) (key.tcpFlags() & (FlowKey.TCP_FIN | FlowKey.TCP_RST));
        if (owner[slot] >= 0) {
            used.add(slot, owner[slot]);
        }
        actionSlab.load(actionsAt[slot], actionsLength[slot], actions);
        return true;
    }

    /** @return {@link WorkerPort#INSTALLED}, {@link WorkerPort#EXISTS} or {@link WorkerPort#FULL} */
    synchronized int install(int worker, long flowId, FlowKey key, FlowMask mask, ActionList flowActions) {
        MaskList list = ports.get(key.inPort());
        if (list == null || list.isClosing() || freeCount == 0 || !actionSlab.hasRoom(flowActions)) {
            return WorkerPort.FULL;
        }
        int at = list.placeFor(mask);
        long hash = maskedHash(key, list, at);
        int there = find(key, list, at, hash);
        if (there != NONE && owner[there] >= 0) {
            return WorkerPort.EXISTS;
        }
        if (there != NONE) {
            actionSlab.release(actionsAt[there]);
            actionsAt[there] = actionSlab.store(flowActions);
            actionsLength[there] = (short) flowActions.length();
            own(there, worker, flowId);
            return WorkerPort.INSTALLED;
        }
        int slot = freeSlots[--freeCount];
        for (int i = 0; i < WORDS; i++) {
            keys[slot * WORDS + i] = key.word(i) & list.word(at, i);
        }
        hashes[slot] = hash;
        place[slot] = (byte) at;
        lists[slot] = list;
        actionsAt[slot] = actionSlab.store(flowActions);
        actionsLength[slot] = (short) flowActions.length();
        packets[slot] = 0;
        bytes[slot] = 0;
        lastUsed[slot] = 0;
        tcpFlags[slot] = 0;
        list.flowAdded(at);
        int bucket = (int) hash & tableMask;
        chain[slot] = buckets[bucket];
        buckets[bucket] = slot;
        own(slot, worker, flowId);
        return WorkerPort.INSTALLED;
    }

    private void own(int slot, int worker, long flowId) {
        owner[slot] = (byte) worker;
        flowIds[slot] = flowId;
        int idBucket = idBucket(worker, flowId);
        idChain[slot] = idBuckets[idBucket];
        idBuckets[idBucket] = slot;
    }

    synchronized void remove(int worker, long flowId) {
        int slot = idBuckets[idBucket(worker, flowId)];
        while (slot != NONE && (flowIds[slot] != flowId || owner[slot] != worker)) {
            slot = idChain[slot];
        }
        if (slot != NONE) {
            disown(slot);
            free(slot);
        }
    }

    /** Takes a flow from its worker. */
    private void disown(int slot) {
        int idBucket = idBucket(owner[slot], flowIds[slot]);
        if (idBuckets[idBucket] == slot) {
            idBuckets[idBucket] = idChain[slot];
        } else {
            int before = idBuckets[idBucket];
            while (idChain[before] != slot) {
                before = idChain[before];
            }
            idChain[before] = idChain[slot];
        }
        used.remove(slot, owner[slot]);
    }

    private void free(int slot) {
        owner[slot] = 0;
        unlink(slot);
        actionSlab.release(actionsAt[slot]);
        // Entries of the exact table that name this slot are dead from here on.
        generation[slot]++;
        MaskList list = lists[slot];
        list.flowRemoved(place[slot]);
        if (list.isDone()) {
            ports.remove((int) keys[slot * WORDS]);
        }
        freeSlots[freeCount++] = slot;
    }

    /** The workers are gone and their flows stay, nobody's. */
    synchronized void orphanAll() {
        for (int bucket : buckets) {
            for (int slot = bucket; slot != NONE; slot = chain[slot]) {
                if (owner[slot] >= 0) {
                    disown(slot);
                    owner[slot] = (byte) ~owner[slot];
                }
            }
        }
    }

    /**
     * Reads the first flow at or after a slot that is nobody's and in a worker's share: those of earlier workers of equal
     * number, modulo how many there are now. Returns its slot, or -1.
     */
    synchronized int orphan(int from, int worker, int workers, Orphan into) {
        for (int slot = from; slot < capacity; slot++) {
            if (owner[slot] < 0 && ~owner[slot] % workers == worker) {
                into.id = (long) generation[slot] << 32 | slot;
                into.key.copyFrom(keys, slot * WORDS);
                lists[slot].copyTo(place[slot], into.mask);
                actionSlab.load(actionsAt[slot], actionsLength[slot], into.actions);
                into.lastUsedNanos = lastUsed[slot];
                return slot;
            }
        }
        return NONE;
    }

    /** A flow that is nobody's, copied. */
    static final class Orphan {
        long id;
        final FlowKey key = new FlowKey();
        final FlowMask mask = new FlowMask();
        final ActionList actions = new ActionList();
        long lastUsedNanos;
    }

    /** Gives a flow that is nobody's to a worker. False when it is not there any more. */
    synchronized boolean adopt(int worker, long flowId, long orphan) {
        int slot = (int) orphan;
        if (!isOrphan(orphan)) {
            return false;
        }
        own(slot, worker, flowId);
        return true;
    }

    /** Removes a flow that is nobody's. */
    synchronized void discard(long orphan) {
        if (isOrphan(orphan)) {
            free((int) orphan);
        }
    }

    /** Removes all flows that are nobody's. Returns how many. */
    synchronized int discardOrphans() {
        int count = 0;
        for (int slot = 0; slot < capacity; slot++) {
            if (owner[slot] < 0) {
                free(slot);
                count++;
            }
        }
        return count;
    }

    private boolean isOrphan(long orphan) {
        int slot = (int) orphan;
        return owner[slot] < 0 && generation[slot] == (int) (orphan >>> 32);
    }

    /** Takes the worker's flow that waits longest to be read: id, packets, bytes, last used, flags. False when none waits. */
    synchronized boolean nextUsed(int worker, long[] into) {
        int slot = used.poll(worker);
        if (slot == NONE) {
            return false;
        }
        into[0] = flowIds[slot];
        into[1] = packets[slot];
        into[2] = bytes[slot];
        into[3] = lastUsed[slot];
        into[4] = tcpFlags[slot];
        return true;
    }

    synchronized int size() {
        return capacity - freeCount;
    }

    /** Adds every flow of slots {@code from} to {@code to}; the lock is free between two ranges. */
    synchronized void dump(int from, int to, List<FlowDump> into) {
        for (int bucket = from; bucket < to; bucket++) {
            for (int slot = buckets[bucket]; slot != NONE; slot = chain[slot]) {
                into.add(dump(slot));
            }
        }
    }

    int dumpRange() {
        return tableMask + 1;
    }

    private FlowDump dump(int slot) {
        var key = new FlowKey();
        key.copyFrom(keys, slot * WORDS);
        var mask = new FlowMask();
        lists[slot].copyTo(place[slot], mask);
        var list = new ActionList();
        actionSlab.load(actionsAt[slot], actionsLength[slot], list);
        return new FlowDump(
                Math.max(owner[slot], -1), flowIds[slot], key, mask, list, packets[slot], bytes[slot], lastUsed[slot]);
    }

    private int search(FlowKey key) {
        MaskList list = ports.get(key.inPort());
        if (list == null) {
            return NONE;
        }
        if (list.hasExact()) {
            int slot = find(key, list, MaskList.EXACT, maskedHash(key, list, MaskList.EXACT));
            if (slot != NONE) {
                return slot;
            }
        }
        for (long left = list.live(); left != 0; left &= left - 1) {
            int at = Long.numberOfTrailingZeros(left);
            int slot = find(key, list, at, maskedHash(key, list, at));
            if (slot != NONE) {
                return slot;
            }
        }
        return NONE;
    }

    private int find(FlowKey key, MaskList list, int at, long hash) {
        for (int slot = buckets[(int) hash & tableMask]; slot != NONE; slot = chain[slot]) {
            if (hashes[slot] == hash && place[slot] == at && lists[slot] == list && matches(slot, key, list, at)) {
                return slot;
            }
        }
        return NONE;
    }

    private boolean matches(int slot, FlowKey key, MaskList list, int at) {
        long difference = 0;
        for (int i = 0; i < WORDS; i++) {
            difference |= keys[slot * WORDS + i] ^ (key.word(i) & list.word(at, i));
        }
        return difference == 0;
    }

    private int exact(FlowKey key, long keyHash) {
        int entry = (int) keyHash & exactMask;
        int slot = exactSlots[entry];
        if (slot == NONE || exactGenerations[entry] != generation[slot]) {
            return NONE;
        }
        for (int i = 0; i < WORDS; i++) {
            if (exactKeys[entry * WORDS + i] != key.word(i)) {
                return NONE;
            }
        }
        return slot;
    }

    private void remember(FlowKey key, long keyHash, int slot) {
        int entry = (int) keyHash & exactMask;
        key.copyTo(exactKeys, entry * WORDS);
        exactSlots[entry] = slot;
        exactGenerations[entry] = generation[slot];
    }

    private void unlink(int slot) {
        int bucket = (int) hashes[slot] & tableMask;
        int at = buckets[bucket];
        if (at == slot) {
            buckets[bucket] = chain[slot];
            return;
        }
        while (chain[at] != slot) {
            at = chain[at];
        }
        chain[at] = chain[slot];
    }

    private static long hash(FlowKey key) {
        long hash = 0;
        for (int i = 0; i < WORDS; i++) {
            hash = Hashing.combine(hash, key.word(i));
        }
        return hash;
    }

    private static long maskedHash(FlowKey key, MaskList list, int at) {
        long hash = at;
        for (int i = 0; i < WORDS; i++) {
            hash = Hashing.combine(hash, key.word(i) & list.word(at, i));
        }
        return hash;
    }

    private int idBucket(int worker, long flowId) {
        return (int) Hashing.combine(worker, flowId) & tableMask;
    }
}
