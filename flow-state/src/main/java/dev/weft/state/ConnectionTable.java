package dev.weft.state;

import dev.weft.base.Hashing;
import dev.weft.base.HotPath;
import dev.weft.base.Tag;
import java.util.Arrays;

/**
 * The connections one worker knows: those it owns and copies of others'. Not thread safe: touched only by its worker
 * thread. Everything is allocated at construction.
 *
 * <p>An owner's entry lives for one lifetime after it was last refreshed, a copy for two, so that a copy outlives its
 * owner by one. A place is found for every new connection: a port that holds its full share loses its own least
 * recently refreshed one; when the whole table is full, the port that holds the most loses its own. So a VM that opens
 * connections without end forgets its own and nobody else's.
 *
 * <p>Entries live in a slab, found through chained hashing, and per port in a list by last refresh. The hash is keyed
 * by a seed, since tuples are chosen by strangers. A slot number is valid until the next change of the table.
 */
@HotPath
public final class ConnectionTable {
    /** The connection is new here: flows with its tag go. Its owner tells whoever will see the return packets. */
    public static final int ADDED = 1;
    /** The connection was known, and its copies need to hear of it again: a new phase, a new owner, or it is time. */
    public static final int RENEWED = 2;
    /** The connection was known; nobody needs to be told. */
    public static final int KNOWN = 3;
    /** A record of an earlier epoch than the one here, or an echo of our own: nothing was changed. */
    public static final int STALE = 4;
    /** As many ports as the table can tell apart have connections already: nothing was changed. */
    public static final int NO_ROOM = 5;

    /** No slot. */
    public static final int NONE = -1;

    private static final int VM_HIGH = 0;
    private static final int VM_LOW = 1;
    private static final int REMOTE_HIGH = 2;
    private static final int REMOTE_LOW = 3;
    private static final int TRANSPORT = 4;
    private static final int HASH = 5;
    private static final int CREATED = 6;
    private static final int REFRESHED = 7;
    private static final int STATE = 8; // epoch (63..32) | owner (8) | phase (7..0)
    private static final int WORDS = 9;

    private static final long OWNER = 1L << 8;
    private static final int PHASE_BITS = 0xff;
    private static final long FIRST_REFRESH_NANOS = 1_000_000_000L;

    // Immutable after construction.
    private final Limits limits;
    private final Lifetimes lifetimes;
    private final int epoch;
    private final long seed;
    private final int mask;
    // Owned by the worker thread.
    private final long[] words;
    private final int[] buckets;
    private final int[] nextInBucket; // of a free slot: the next free one
    private final int[] portOf; // NONE: the slot is free
    private final int[] newer; // towards the port's most recently refreshed
    private final int[] older;
    private final PortShares ports;
    private int free;
    private int size;
    private int cursor;
    private long evictedTag;
    private long added;
    private long expired;
    private long evicted;
    private long refused;
    private long stale;

    /**
     * @param connections entries in all
     * @param connectionsPerPort entries one stateful port may hold: its share
     * @param ports stateful ports that may have entries at one time
     */
    public record Limits(int connections, int connectionsPerPort, int ports) {
        public Limits {
            if (connections < 1 || connections > 1 << 26) {
                throw new IllegalArgumentException("connections " + connections + " (expected 1..67108864)");
            }
            if (connectionsPerPort < 1 || connectionsPerPort > connections) {
                throw new IllegalArgumentException(
                        "connections per port " + connectionsPerPort + " (expected 1.." + connections + ")");
            }
            if (ports < 1 || ports > 1 << 20) {
                throw new IllegalArgumentException("stateful ports " + ports + " (expected 1..1048576)");
            }
        }
    }

    /** What a walk over the table asks and tells. The slot is valid during the call, in which the table must not change. */
    public interface Sweep {
        /**
         * An owned connection was last refreshed a while ago. True: it was used since; it is refreshed, and its copies
         * should be told. A connection that is not will be asked for again, until it ends.
         */
        boolean inUse(ConnectionTable table, int slot);

        /** The connection's time is over; it goes after this call. Flows with {@link ConnectionTable#tag} go too. */
        void onExpired(ConnectionTable table, int slot);
    }

    /**
     * @param epoch of what this worker creates: larger after each restart of the agent, by signed subtraction
     * @param seed of the hash; secret, since a stranger who knows it can make long chains
     */
    public ConnectionTable(Limits limits, Lifetimes lifetimes, int epoch, long seed) {
        this.limits = limits;
        this.lifetimes = lifetimes;
        this.epoch = epoch;
        this.seed = seed;
        int capacity = limits.connections();
        int bucketCount = Integer.highestOneBit(Math.max(2, capacity) * 2 - 1);
        mask = bucketCount - 1;
        words = new long[Math.multiplyExact(capacity, WORDS)];
        buckets = filled(bucketCount);
        nextInBucket = filled(capacity);
        for (int slot = 0; slot < capacity - 1; slot++) {
            nextInBucket[slot] = slot + 1;
        }
        portOf = filled(capacity);
        newer = filled(capacity);
        older = filled(capacity);
        ports = new PortShares(limits.ports());
    }

    /**
     * The VM behind the port sent a packet of this connection: this worker owns it from now on.
     *
     * @param tcpFlags of that packet; 0 when it is not TCP
     * @return {@link #ADDED}, {@link #RENEWED}, {@link #KNOWN} or {@link #NO_ROOM}; look at {@link #evictedTag} after
     *     the first
     */
    public int put(ConnectionKey key, int tcpFlags, long nowNanos) {
        evictedTag = 0;
        int slot = findLive(key, nowNanos);
        if (slot == NONE) {
            return add(key, OWNER | Phase.first(key.protocol(), tcpFlags), epoch, nowNanos);
        }
        int before = phase(slot);
        int phase = Phase.after(before, key.protocol(), tcpFlags);
        boolean known = isOwner(slot) && phase == before && !isRefreshDue(slot, nowNanos);
        int next = isOwner(slot) ? epoch(slot) : later(epoch(slot) + 1, epoch);
        words[slot * WORDS + STATE] = state(next, OWNER | phase);
        if (known) {
            return KNOWN;
        }
        refresh(slot, nowNanos);
        return RENEWED;
    }

    /**
     * Another worker says that it owns this connection. A later epoch takes over from us, the same one refreshes a
     * copy.
     *
     * @param phase a {@link Phase}
     * @return {@link #ADDED}, {@link #RENEWED}, {@link #STALE} or {@link #NO_ROOM}; look at {@link #evictedTag} after
     *     the first
     */
    public int putCopy(ConnectionKey key, int phase, int itsEpoch, long nowNanos) {
        evictedTag = 0;
        int slot = findLive(key, nowNanos);
        if (slot == NONE) {
            return add(key, phase, itsEpoch, nowNanos);
        }
        int difference = itsEpoch - epoch(slot);
        if (difference < 0 || difference == 0 && isOwner(slot)) {
            stale++;
            return STALE;
        }
        words[slot * WORDS + STATE] = state(itsEpoch, phase);
        refresh(slot, nowNanos);
        return RENEWED;
    }

    /** Whether the VM began this connection, as far as this worker knows. */
    public boolean contains(ConnectionKey key, long nowNanos) {
        int slot = find(key);
        return slot != NONE && isLive(slot, nowNanos);
    }

    /** The slot of this connection, live or not yet swept; {@link #NONE} when it is not there. */
    public int find(ConnectionKey key) {
        long hash = hash(key);
        int slot = buckets[(int) hash & mask];
        while (slot != NONE && !isAt(slot, hash, key)) {
            slot = nextInBucket[slot];
        }
        return slot;
    }

    /** As {@link #find}; one whose time is over goes first. */
    private int findLive(ConnectionKey key, long nowNanos) {
        int slot = find(key);
        if (slot != NONE && !isLive(slot, nowNanos)) {
            free(slot);
            expired++;
            return NONE;
        }
        return slot;
    }

    /** Whether it was there. */
    public boolean remove(ConnectionKey key) {
        int slot = find(key);
        if (slot == NONE) {
            return false;
        }
        free(slot);
        return true;
    }

    /**
     * Looks at the next {@code limit} slots, round and round over the calls: lets go what is over, and asks for what
     * should be refreshed. An owner's copies hear of it 1 s after its creation, then whenever its age has doubled, at
     * the longest each third of its lifetime: the first message may have been lost, and the VM is repeating itself.
     *
     * @return how many ended
     */
    public int expire(long nowNanos, int limit, Sweep sweep) {
        int ended = 0;
        for (int i = Math.min(limit, portOf.length); i > 0; i--) {
            int slot = cursor;
            cursor = slot + 1 == portOf.length ? 0 : slot + 1;
            if (portOf[slot] == NONE) {
                continue;
            }
            if (isOwner(slot) && isRefreshDue(slot, nowNanos) && sweep.inUse(this, slot)) {
                refresh(slot, nowNanos);
            } else if (!isLive(slot, nowNanos)) {
                sweep.onExpired(this, slot);
                free(slot);
                expired++;
                ended++;
            }
        }
        return ended;
    }

    /** The tag of every flow whose verdict looked this connection up, found or not. Of this table only. */
    public long tag(ConnectionKey key) {
        return Tag.connection(hash(key));
    }

    public long tag(int slot) {
        return Tag.connection(words[slot * WORDS + HASH]);
    }

    /** The tag of the connection that made room for the one just added; 0 when there was room. */
    public long evictedTag() {
        return evictedTag;
    }

    public void read(int slot, ConnectionKey into) {
        int at = slot * WORDS;
        into.port(ports.high(portOf[slot]), ports.low(portOf[slot]));
        into.transport(words[at + TRANSPORT]);
        into.vm(words[at + VM_HIGH], words[at + VM_LOW], into.vmPort());
        into.remote(words[at + REMOTE_HIGH], words[at + REMOTE_LOW], into.remotePort());
    }

    public boolean isOwner(int slot) {
        return (words[slot * WORDS + STATE] & OWNER) != 0;
    }

    public int epoch(int slot) {
        return (int) (words[slot * WORDS + STATE] >>> 32);
    }

    /** A {@link Phase}. */
    public int phase(int slot) {
        return (int) words[slot * WORDS + STATE] & PHASE_BITS;
    }

    public long refreshedNanos(int slot) {
        return words[slot * WORDS + REFRESHED];
    }

    public int size() {
        return size;
    }

    public int capacity() {
        return portOf.length;
    }

    public int ports() {
        return ports.used();
    }

    public int sizeOf(long portHigh, long portLow) {
        int port = ports.find(portHigh, portLow);
        return port == PortShares.NONE ? 0 : ports.count(port);
    }

    public long added() {
        return added;
    }

    public long expired() {
        return expired;
    }

    /** Went before their time, to make room. */
    public long evicted() {
        return evicted;
    }

    /** Not taken in: too many stateful ports. */
    public long refused() {
        return refused;
    }

    /** Records that came too late. */
    public long stale() {
        return stale;
    }

    private int add(ConnectionKey key, long ownerAndPhase, int itsEpoch, long nowNanos) {
        int port = ports.open(key.portHigh(), key.portLow());
        if (port == PortShares.NONE) {
            refused++;
            return NO_ROOM;
        }
        if (ports.count(port) >= limits.connectionsPerPort()) {
            evictOldestOf(port, port);
        } else if (free == NONE) {
            evictOldestOf(ports.fattest(), port);
        }
        int slot = free;
        free = nextInBucket[slot];
        long hash = hash(key);
        int at = slot * WORDS;
        words[at + VM_HIGH] = key.vmHigh();
        words[at + VM_LOW] = key.vmLow();
        words[at + REMOTE_HIGH] = key.remoteHigh();
        words[at + REMOTE_LOW] = key.remoteLow();
        words[at + TRANSPORT] = key.transport();
        words[at + HASH] = hash;
        words[at + CREATED] = nowNanos;
        words[at + REFRESHED] = nowNanos;
        words[at + STATE] = state(itsEpoch, ownerAndPhase);
        int bucket = (int) hash & mask;
        nextInBucket[slot] = buckets[bucket];
        buckets[bucket] = slot;
        portOf[slot] = port;
        ports.addCount(port, 1);
        linkNewest(slot, port);
        size++;
        added++;
        return ADDED;
    }

    /** @param keep the port about to get an entry: it keeps its place even if this was its last one */
    private void evictOldestOf(int port, int keep) {
        int victim = ports.oldest(port);
        evictedTag = tag(victim);
        unlink(victim);
        if (port != keep && ports.count(port) == 0) {
            ports.close(port);
        }
        evicted++;
    }

    private void free(int slot) {
        int port = portOf[slot];
        unlink(slot);
        if (ports.count(port) == 0) {
            ports.close(port);
        }
    }

    /** Out of its chain and its port's list, onto the free list. */
    private void unlink(int slot) {
        int port = portOf[slot];
        int bucket = (int) words[slot * WORDS + HASH] & mask;
        if (buckets[bucket] == slot) {
            buckets[bucket] = nextInBucket[slot];
        } else {
            int before = buckets[bucket];
            while (nextInBucket[before] != slot) {
                before = nextInBucket[before];
            }
            nextInBucket[before] = nextInBucket[slot];
        }
        unlinkFromPort(slot, port);
        ports.addCount(port, -1);
        portOf[slot] = NONE;
        nextInBucket[slot] = free;
        free = slot;
        size--;
    }

    private void refresh(int slot, long nowNanos) {
        words[slot * WORDS + REFRESHED] = nowNanos;
        int port = portOf[slot];
        unlinkFromPort(slot, port);
        linkNewest(slot, port);
    }

    private void linkNewest(int slot, int port) {
        int second = ports.newest(port);
        newer[slot] = NONE;
        older[slot] = second;
        if (second == NONE) {
            ports.setOldest(port, slot);
        } else {
            newer[second] = slot;
        }
        ports.setNewest(port, slot);
    }

    private void unlinkFromPort(int slot, int port) {
        int up = newer[slot];
        int down = older[slot];
        if (up == NONE) {
            ports.setNewest(port, down);
        } else {
            older[up] = down;
        }
        if (down == NONE) {
            ports.setOldest(port, up);
        } else {
            newer[down] = up;
        }
    }

    private boolean isLive(int slot, long nowNanos) {
        long lifetime = lifetime(slot);
        return nowNanos - refreshedNanos(slot) < (isOwner(slot) ? lifetime : 2 * lifetime);
    }

    private boolean isRefreshDue(int slot, long nowNanos) {
        long age = refreshedNanos(slot) - words[slot * WORDS + CREATED];
        long wait = Math.min(lifetime(slot) / 3, Math.max(FIRST_REFRESH_NANOS, age));
        return nowNanos - refreshedNanos(slot) >= wait;
    }

    private long lifetime(int slot) {
        int protocol = (int) (words[slot * WORDS + TRANSPORT] >>> 32);
        return lifetimes.nanos(protocol, phase(slot));
    }

    private boolean isAt(int slot, long hash, ConnectionKey key) {
        int at = slot * WORDS;
        int port = portOf[slot];
        return words[at + HASH] == hash
                && words[at + VM_HIGH] == key.vmHigh()
                && words[at + VM_LOW] == key.vmLow()
                && words[at + REMOTE_HIGH] == key.remoteHigh()
                && words[at + REMOTE_LOW] == key.remoteLow()
                && words[at + TRANSPORT] == key.transport()
                && ports.high(port) == key.portHigh()
                && ports.low(port) == key.portLow();
    }

    private long hash(ConnectionKey key) {
        long hash = Hashing.combine(seed, key.portHigh() ^ Long.rotateLeft(key.portLow(), 32));
        hash = Hashing.combine(hash, key.vmHigh());
        hash = Hashing.combine(hash, key.vmLow());
        hash = Hashing.combine(hash, key.remoteHigh());
        hash = Hashing.combine(hash, key.remoteLow());
        return Hashing.combine(hash, key.transport());
    }

    private static long state(int itsEpoch, long ownerAndPhase) {
        return (long) itsEpoch << 32 | ownerAndPhase;
    }

    private static int later(int a, int b) {
        return a - b > 0 ? a : b;
    }

    private static int[] filled(int length) {
        int[] array = new int[length];
        Arrays.fill(array, NONE);
        return array;
    }
}
