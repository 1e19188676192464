package dev.weft.sim.guard;

import dev.weft.base.Hashing;
import dev.weft.base.HotPath;
import java.util.Arrays;

/**
 * Serval flows of guarded ports: those of their VMs, by (port, flow id), and those that clients began and no VM has
 * answered yet, by (port, client's flow id, client's address). Each port has its share of either; one too many takes the
 * place of the one of its kind that was heard of longest ago, so that clients who begin without end displace each other
 * and no connection. When there is no place at all, whoever has the most gives one. Not thread safe: owned by one worker.
 */
@HotPath
final class SalFlows {
    static final int NONE = -1;

    // Of the bits.
    static final int OWN_NONCE = 1;
    static final int OWN_VERNO = 1 << 1;
    static final int PEER_FLOW = 1 << 2;
    static final int PEER_NONCE = 1 << 3;
    static final int OWN_FIN = 1 << 4;
    static final int PEER_FIN = 1 << 5;
    static final int RESET = 1 << 6;

    /** An end repeats a SYN for minutes; what is over may be repeated in TIMEWAIT, 60 s. */
    private static final long SHORT_NANOS = 3 * 60 * 1_000_000_000L;
    /** Control packets are rare: a connection may do without for hours. */
    private static final long LONG_NANOS = 24 * 3600 * 1_000_000_000L;

    /** Beside an address of 32 bits: the flow is a client's. */
    private static final long CLIENT = 1L << 32;

    private static final int KINDS = 2;

    // Immutable after construction.
    private final int perPort;
    private final long seed;
    private final int mask;
    // Owned by the worker thread. By slot:
    private final int[] ports;
    private final int[] flows;
    private final long[] addresses;
    private final long[] ownNonces;
    private final long[] peerNonces;
    private final int[] peerFlows;
    private final int[] vernos;
    private final int[] bits;
    private final long[] times;
    private final int[] next; // in its bucket; of a free slot: the next free one
    private final int[] newer;
    private final int[] older;
    // By hash:
    private final int[] buckets;
    // By port and kind:
    private int[] newest = {};
    private int[] oldest = {};
    private int[] counts = {};
    private final Removed removed;
    private int free;
    private int size;
    private long evicted;

    /** Hears of each of a VM's flows that goes. */
    interface Removed {
        void removed(int slot);
    }

    /**
     * @param capacity a power of two
     * @param perPort flows of each kind that a port may have
     * @param seed of the hash; secret, since strangers choose flow ids
     */
    SalFlows(int capacity, int perPort, long seed, Removed removed) {
        if (capacity < 2 || Integer.bitCount(capacity) != 1 || perPort < 1) {
            throw new IllegalArgumentException(
                    "Serval flows " + capacity + ", " + perPort + " per port (expected a power of two, and 1 or more)");
        }
        this.perPort = perPort;
        this.seed = seed;
        this.removed = removed;
        mask = capacity - 1;
        ports = new int[capacity];
        flows = new int[capacity];
        addresses = new long[capacity];
        ownNonces = new long[capacity];
        peerNonces = new long[capacity];
        peerFlows = new int[capacity];
        vernos = new int[capacity];
        bits = new int[capacity];
        times = new long[capacity];
        next = new int[capacity];
        newer = new int[capacity];
        older = new int[capacity];
        buckets = filled(capacity);
        Arrays.fill(ports, NONE);
        for (int slot = 0; slot < capacity; slot++) {
            next[slot] = slot + 1 == capacity ? NONE : slot + 1;
        }
    }

    /** A flow of the port's VM; {@link #NONE} when it is not known. */
    int own(int port, int flow, long nowNanos) {
        return find(port, flow, 0, nowNanos);
    }

    /** A flow that a client began with the port's VM. */
    int client(int port, int flow, int address, long nowNanos) {
        return find(port, flow, CLIENT | address & 0xffff_ffffL, nowNanos);
    }

    /** A new flow of the port's VM, of which nothing is known. */
    int openOwn(int port, int flow, long nowNanos) {
        return open(port, flow, 0, nowNanos);
    }

    int openClient(int port, int flow, int address, long nowNanos) {
        return open(port, flow, CLIENT | address & 0xffff_ffffL, nowNanos);
    }

    private int find(int port, int flow, long address, long nowNanos) {
        for (int slot = buckets[bucket(port, flow, address)]; slot != NONE; slot = next[slot]) {
            if (ports[slot] == port && flows[slot] == flow && addresses[slot] == address) {
                return nowNanos - times[slot] < lifetime(slot) ? slot : NONE;
            }
        }
        return NONE;
    }

    private int open(int port, int flow, long address, long nowNanos) {
        for (int slot = buckets[bucket(port, flow, address)]; slot != NONE; slot = next[slot]) {
            if (ports[slot] == port && flows[slot] == flow && addresses[slot] == address) {
                remove(slot);
                break;
            }
        }
        int list = list(port, address);
        grow(list);
        if (counts[list] >= perPort) {
            evict(list);
        } else if (free == NONE) {
            evict(fattest());
        }
        int slot = free;
        free = next[slot];
        ports[slot] = port;
        flows[slot] = flow;
        addresses[slot] = address;
        ownNonces[slot] = 0;
        peerNonces[slot] = 0;
        peerFlows[slot] = 0;
        vernos[slot] = 0;
        bits[slot] = 0;
        int bucket = bucket(port, flow, address);
        next[slot] = buckets[bucket];
        buckets[bucket] = slot;
        link(slot, list, nowNanos);
        size++;
        return slot;
    }

    /** It was heard of. */
    void touch(int slot, long nowNanos) {
        int list = list(ports[slot], addresses[slot]);
        unlink(slot, list);
        link(slot, list, nowNanos);
    }

    /** All flows of a port go. */
    void forget(int port) {
        for (int list = port * KINDS; list < (port + 1) * KINDS && list < counts.length; list++) {
            while (counts[list] > 0) {
                remove(oldest[list]);
            }
        }
    }

    void remove(int slot) {
        if (addresses[slot] == 0) {
            removed.removed(slot);
        }
        int bucket = bucket(ports[slot], flows[slot], addresses[slot]);
        if (buckets[bucket] == slot) {
            buckets[bucket] = next[slot];
        } else {
            int before = buckets[bucket];
            while (next[before] != slot) {
                before = next[before];
            }
            next[before] = next[slot];
        }
        unlink(slot, list(ports[slot], addresses[slot]));
        ports[slot] = NONE;
        next[slot] = free;
        free = slot;
        size--;
    }

    int port(int slot) {
        return ports[slot];
    }

    int flow(int slot) {
        return flows[slot];
    }

    int bits(int slot) {
        return bits[slot];
    }

    void setBits(int slot, int all) {
        bits[slot] = all;
    }

    boolean has(int slot, int what) {
        return (bits[slot] & what) == what;
    }

    void add(int slot, int what) {
        bits[slot] |= what;
    }

    long ownNonce(int slot) {
        return ownNonces[slot];
    }

    void setOwnNonce(int slot, long nonce) {
        ownNonces[slot] = nonce;
        bits[slot] |= OWN_NONCE;
    }

    long peerNonce(int slot) {
        return peerNonces[slot];
    }

    void setPeerNonce(int slot, long nonce) {
        peerNonces[slot] = nonce;
        bits[slot] |= PEER_NONCE;
    }

    int peerFlow(int slot) {
        return peerFlows[slot];
    }

    void setPeerFlow(int slot, int flow) {
        peerFlows[slot] = flow;
        bits[slot] |= PEER_FLOW;
    }

    /** The number that the VM's SYN had. */
    int ownVerno(int slot) {
        return vernos[slot];
    }

    void setOwnVerno(int slot, int verno) {
        vernos[slot] = verno;
        bits[slot] |= OWN_VERNO;
    }

    int size() {
        return size;
    }

    /** Went before their time, to make room. */
    long evicted() {
        return evicted;
    }

    private long lifetime(int slot) {
        boolean over = has(slot, RESET) || has(slot, OWN_FIN | PEER_FIN);
        return has(slot, PEER_FLOW) && !over ? LONG_NANOS : SHORT_NANOS;
    }

    private void evict(int list) {
        remove(oldest[list]);
        evicted++;
    }

    private int fattest() {
        int fattest = 0;
        for (int list = 1; list < counts.length; list++) {
            fattest = counts[list] > counts[fattest] ? list : fattest;
        }
        return fattest;
    }

    private static int list(int port, long address) {
        return port * KINDS + (address == 0 ? 0 : 1);
    }

    private void grow(int list) {
        int before = counts.length;
        if (list < before) {
            return;
        }
        int length = Math.max(128, Integer.highestOneBit(list) * 2);
        newest = Arrays.copyOf(newest, length);
        oldest = Arrays.copyOf(oldest, length);
        counts = Arrays.copyOf(counts, length);
        Arrays.fill(newest, before, length, NONE);
        Arrays.fill(oldest, before, length, NONE);
    }

    private void link(int slot, int list, long nowNanos) {
        times[slot] = nowNanos;
        int second = newest[list];
        newer[slot] = NONE;
        older[slot] = second;
        newest[list] = slot;
        if (second == NONE) {
            oldest[list] = slot;
        } else {
            newer[second] = slot;
        }
        counts[list]++;
    }

    private void unlink(int slot, int list) {
        int up = newer[slot];
        int down = older[slot];
        if (up == NONE) {
            newest[list] = down;
        } else {
            older[up] = down;
        }
        if (down == NONE) {
            oldest[list] = up;
        } else {
            newer[down] = up;
        }
        counts[list]--;
    }

    private int bucket(int port, int flow, long address) {
        long hash = Hashing.combine(Hashing.combine(seed, (long) port << 32 | flow & 0xffff_ffffL), address);
        return (int) (hash ^ hash >>> 32) & mask;
    }

    private static int[] filled(int length) {
        int[] array = new int[length];
        Arrays.fill(array, NONE);
        return array;
    }
}
