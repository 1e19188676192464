package dev.weft.state;

import dev.weft.base.Hashing;
import dev.weft.base.HotPath;
import dev.weft.base.Tag;
import java.util.Arrays;

/**
 * The connections one worker knows: those it owns and copies of others'. Not thread safe: touched only by its worker
 * thread. Everything is allocated at construction.
 *
 * <p>A connection is found by the tuple of its packets as they enter, forward or answer, and by the answer's tuple at
 * each device that translates; the latter also tells whether a public port is taken for a destination. What is found is
 * an <em>entry</em>: a connection's slot and which of its tuples it was. Both are valid until the next change of the
 * table.
 *
 * <p>An owner's record lives for one lifetime after it was last refreshed, a copy for two, so that a copy outlives its
 * owner by one. A place is found for every new connection: a port that holds its full share loses its own least
 * recently refreshed one; when the whole table is full, the port that holds the most loses its own. So a VM that opens
 * connections without end forgets its own and nobody else's. The hash is keyed by a seed, since tuples are chosen by
 * strangers.
 */
@HotPath
public final class ConnectionTable {
    /** The connection is new here, or takes another way than before: flows with its tags go; its copies are told. */
    public static final int ADDED = 1;
    /** The connection was known, and its copies need to hear of it again: a new phase, a new owner, or it is time. */
    public static final int RENEWED = 2;
    /** The connection was known; nobody needs to be told. */
    public static final int KNOWN = 3;
    /** A record of an earlier epoch than the one here, or an echo of our own: nothing was changed. */
    public static final int STALE = 4;
    /** As many ports as the table can tell apart have connections already: nothing was changed. */
    public static final int NO_ROOM = 5;
    /** Another live connection has these answers: nothing was changed. */
    public static final int TAKEN = 6;

    /** No entry, no slot. */
    public static final int NONE = -1;

    private static final long BINDING_DOMAIN = 0x6269_6e64_696e_6773L;
    private static final long FIRST_REFRESH_NANOS = 1_000_000_000L;

    // Immutable after construction.
    private final Limits limits;
    private final Lifetimes lifetimes;
    private final int epoch;
    private final long seed;
    private final int capacity;
    // Owned by the worker thread.
    private final RecordSlab records;
    private final BindingSlab bindings;
    private final EntryIndex index; // forward: 2 slot; answer: 2 slot + 1; at a device: 2 capacity + binding
    private final int[] firstBinding;
    private final int[] portOf; // NONE: the slot is free
    private final int[] newer; // towards the port's most recently refreshed
    private final int[] older; // of a free slot: the next free one
    private final PortShares ports;
    private final HostBook hosts = new HostBook();
    private final ConnectionKey scratch = new ConnectionKey();
    private final ConnectionKey way = new ConnectionKey();
    private final Connection known = new Connection();
    private Ending ending = (table, slot) -> {};
    private int free;
    private int size;
    private int cursor;
    private long added;
    private long expired;
    private long evicted;
    private long refused;
    private long stale;
    private long taken;

    /**
     * @param connections entries in all
     * @param connectionsPerPort entries one port may hold: its share
     * @param ports that may have entries at one time
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

    /** Hears of each connection that goes, while it is still there; the table must not change in the call. */
    public interface Ending {
        void onEnd(ConnectionTable table, int slot);
    }

    /** What a walk over the table asks. The slot is valid during the call, in which the table must not change. */
    public interface Sweep {
        /**
         * An owned connection was last refreshed a while ago. True: it was used since; it is refreshed, and its copies
         * should be told. A connection that is not will be asked for again, until it ends.
         */
        boolean inUse(ConnectionTable table, int slot);
    }

    /** Takes what {@link #tags} says. */
    public interface TagConsumer {
        void accept(long tag);
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
        capacity = limits.connections();
        records = new RecordSlab(capacity);
        bindings = new BindingSlab(Math.max(capacity, Connection.MAX_BINDINGS));
        index = new EntryIndex(2 * capacity + bindings.capacity(), 2 * capacity);
        firstBinding = filled(capacity);
        portOf = filled(capacity);
        newer = filled(capacity);
        older = filled(capacity);
        for (int slot = 0; slot < capacity - 1; slot++) {
            older[slot] = slot + 1;
        }
        ports = new PortShares(limits.ports());
    }

    public void setEnding(Ending listener) {
        ending = listener;
    }

    /**
     * A packet of the forward direction went its way: this worker owns the connection from now on.
     *
     * @param connection with port, frame, bindings and answer as the way gave them
     * @param tcpFlags of that packet; 0 when it is not TCP
     * @return {@link #ADDED}, {@link #RENEWED}, {@link #KNOWN}, {@link #NO_ROOM} or {@link #TAKEN}
     */
    public int put(Connection connection, int tcpFlags, long nowNanos) {
        int protocol = connection.forward.protocol();
        int slot = findForward(connection.forward, nowNanos);
        if (slot == NONE) {
            connection.state(Phase.first(protocol, tcpFlags), epoch, true);
            return add(connection, nowNanos);
        }
        int before = records.phase(slot);
        int phase = Phase.after(before, protocol, tcpFlags);
        if (!isSameWay(slot, connection)) {
            connection.state(phase, later(records.epoch(slot) + 1, epoch), true);
            return replace(slot, connection, nowNanos);
        }
        boolean begins = protocol == Phase.TCP && phase == Phase.OPENING;
        boolean same = isOwner(slot) && phase == before && !begins && !isRefreshDue(slot, nowNanos);
        int next = isOwner(slot) ? records.epoch(slot) : later(records.epoch(slot) + 1, epoch);
        if (!isOwner(slot)) {
            records.host(slot, HostBook.SELF);
        }
        records.state(slot, phase, next, true);
        if (same) {
            return KNOWN;
        }
        refresh(slot, nowNanos);
        return RENEWED;
    }

    /**
     * Another worker says that it owns this connection. A later epoch takes over from us, the same one refreshes a
     * copy.
     *
     * @return {@link #ADDED}, {@link #RENEWED}, {@link #STALE}, {@link #NO_ROOM} or {@link #TAKEN}
     */
    public int putCopy(Connection connection, long nowNanos) {
        int slot = findForward(connection.forward, nowNanos);
        connection.state(connection.phase(), connection.epoch(), false);
        if (slot == NONE) {
            return connection.phase() == Phase.ENDED ? STALE : add(connection, nowNanos);
        }
        int difference = connection.epoch() - records.epoch(slot);
        if (difference < 0 || difference == 0 && isOwner(slot)) {
            stale++;
            return STALE;
        }
        if (connection.phase() == Phase.ENDED) {
            end(slot);
            return KNOWN;
        }
        if (!isSameWay(slot, connection)) {
            return replace(slot, connection, nowNanos);
        }
        records.state(slot, connection.phase(), connection.epoch(), false);
        records.host(slot, hosts.numberOf(connection.ownerHigh(), connection.ownerLow()));
        refresh(slot, nowNanos);
        return RENEWED;
    }

    /** Takes in what a journal kept of an earlier run: as it was, fresh from now on. Those already here stay. */
    public int restore(Connection connection, long nowNanos) {
        return findForward(connection.forward, nowNanos) == NONE ? add(connection, nowNanos) : STALE;
    }

    /**
     * An answer with these TCP flags went its way, or a holder of a copy says so.
     *
     * @return whether that changed the phase: whoever owns it should know
     */
    public boolean answered(int slot, int phase) {
        records.answered(slot);
        if (records.phase(slot) == phase) {
            return false;
        }
        records.state(slot, phase, records.epoch(slot), isOwner(slot));
        return true;
    }

    /**
     * Who began a connection has sent more than a SYN.
     *
     * @return whether it is open only now
     */
    public boolean opened(int slot) {
        boolean opens = phase(slot) == Phase.OPENING && isOwner(slot);
        if (opens) {
            records.state(slot, Phase.OPEN, records.epoch(slot), true);
        }
        return opens;
    }

    /** One side of an owned connection ends it, or has just ended it. */
    public void closed(int slot, long nowNanos) {
        records.state(slot, Phase.CLOSING, records.epoch(slot), true);
        refresh(slot, nowNanos);
    }

    /** The live entry of this tuple, an answer's if there is one; {@link #NONE} when there is none. */
    public int find(ConnectionKey key, long nowNanos) {
        int found = NONE;
        long hash = hash(key);
        for (int entry = index.first(hash); entry != EntryIndex.NONE; entry = index.following(entry)) {
            if (isAt(entry, key) && isLive(slotOf(entry), nowNanos)) {
                if (isAnswer(entry)) {
                    return entry;
                }
                found = entry;
            }
        }
        return found;
    }

    /** The slot of the live connection that began with this tuple; {@link #NONE} when there is none. */
    public int begunBy(ConnectionKey key, long nowNanos) {
        long hash = hash(key);
        for (int entry = index.first(hash); entry != EntryIndex.NONE; entry = index.following(entry)) {
            if (!isAnswer(entry) && isAt(entry, key) && isLive(slotOf(entry), nowNanos)) {
                return slotOf(entry);
            }
        }
        return NONE;
    }

    /** This host was told of an owned connection. */
    public void told(int slot, long hostHigh, long hostLow) {
        records.host(slot, hosts.numberOf(hostHigh, hostLow));
    }

    /** Underlay address of the host last told of an owned connection, high word; with the low one, 0 for none. */
    public long toldHigh(int slot) {
        return hosts.high(records.host(slot));
    }

    public long toldLow(int slot) {
        return hosts.low(records.host(slot));
    }

    /** Whether it entered by the port with this id. */
    public boolean isOfPort(int slot, long portHigh, long portLow) {
        return ports.high(portOf[slot]) == portHigh && ports.low(portOf[slot]) == portLow;
    }

    /** Whether this connection's answers would be another live one's: it must take another way, or none. */
    public boolean wouldClash(Connection connection, long nowNanos) {
        int slot = begunBy(connection.forward, nowNanos);
        return (slot == NONE || !isSameWay(slot, connection)) && isTaken(connection, slot, nowNanos);
    }

    /** The scope of answers as they reach a device that translates; see {@link #find}. */
    public static long atDevice(long deviceTag) {
        return Hashing.combine(BINDING_DOMAIN, deviceTag);
    }

    public int slotOf(int entry) {
        return entry < 2 * capacity ? entry >> 1 : bindings.slot(entry - 2 * capacity);
    }

    /** Whether the tuple was that of an answer. */
    public boolean isAnswer(int entry) {
        return entry >= 2 * capacity || (entry & 1) != 0;
    }

    /**
     * What a device does to packets of the forward direction.
     *
     * @param before the tuple as it reaches the device; only when this is true
     * @param after as it leaves it
     * @return whether the connection has a binding there
     */
    public boolean crossing(int slot, long deviceTag, ConnectionKey before, ConnectionKey after) {
        records.readForward(slot, after);
        int binding = firstBinding[slot];
        while (binding != NONE && bindings.device(binding) != deviceTag) {
            bindings.apply(binding, after);
            binding = bindings.next(binding);
        }
        if (binding == NONE) {
            return false;
        }
        before.copyFrom(after);
        for (; binding != NONE && bindings.device(binding) == deviceTag; binding = bindings.next(binding)) {
            bindings.apply(binding, after);
        }
        return true;
    }

    /** The live connection of which this is the forward tuple; one whose time is over goes first. */
    private int findForward(ConnectionKey key, long nowNanos) {
        long hash = hash(key);
        for (int entry = index.first(hash); entry != EntryIndex.NONE; entry = index.following(entry)) {
            if (!isAnswer(entry) && isAt(entry, key)) {
                int slot = slotOf(entry);
                if (isLive(slot, nowNanos)) {
                    return slot;
                }
                end(slot);
                expired++;
                return NONE;
            }
        }
        return NONE;
    }

    /** The connection is over. */
    public void remove(int slot) {
        end(slot);
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
        for (int i = Math.min(limit, capacity); i > 0; i--) {
            int slot = cursor;
            cursor = slot + 1 == capacity ? 0 : slot + 1;
            if (portOf[slot] == NONE) {
                continue;
            }
            if (isOwner(slot) && isRefreshDue(slot, nowNanos) && sweep.inUse(this, slot)) {
                refresh(slot, nowNanos);
            } else if (!isLive(slot, nowNanos)) {
                end(slot);
                expired++;
                ended++;
            }
        }
        return ended;
    }

    /** The tag of every flow whose verdict looked this tuple up, found or not. Of this table only. */
    public long tag(ConnectionKey key) {
        return Tag.connection(hash(key));
    }

    /** The tag of every flow whose verdict asked how far this connection is. */
    public long phaseTag(int slot) {
        records.readForward(slot, scratch);
        return Tag.connection(~hash(scratch));
    }

    /** The tags of all tuples by which this connection is found. */
    public void tags(int slot, TagConsumer to) {
        records.readForward(slot, scratch);
        to.accept(tag(scratch));
        read(slot, known);
        to.accept(tag(known.answer));
        for (int binding = firstBinding[slot]; binding != NONE; binding = bindings.next(binding)) {
            if (bindings.isLastOfDevice(binding)) {
                keyAt(slot, binding, scratch);
                to.accept(tag(scratch));
            }
        }
    }

    public void read(int slot, Connection into) {
        into.clear();
        records.read(slot, into);
        int owner = isOwner(slot) ? HostBook.SELF : records.host(slot);
        into.owner(hosts.high(owner), hosts.low(owner));
        into.port(ports.high(portOf[slot]), ports.low(portOf[slot]));
        bindings.read(firstBinding[slot], into);
        into.answerAt(records.answerScope(slot));
    }

    /** Whether there is a connection in this slot; for walks from 0 to {@link #capacity()}. */
    public boolean isUsed(int slot) {
        return portOf[slot] != NONE;
    }

    public boolean isOwner(int slot) {
        return records.isOwned(slot);
    }

    /** An answer has been seen here. */
    public boolean isAnswered(int slot) {
        return records.isAnswered(slot);
    }

    public int epoch(int slot) {
        return records.epoch(slot);
    }

    /** A {@link Phase}. */
    public int phase(int slot) {
        return records.phase(slot);
    }

    /** Since it was last refreshed; to a millisecond. */
    public long idleNanos(int slot, long nowNanos) {
        return records.idleNanos(slot, nowNanos);
    }

    /** How long it lives without traffic, from its last refresh on. */
    public long lifetimeNanos(int slot) {
        long lifetime = lifetimes.nanos(records.protocol(slot), phase(slot));
        return isOwner(slot) ? lifetime : 2 * lifetime;
    }

    public int size() {
        return size;
    }

    public int capacity() {
        return capacity;
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

    /** Not taken in: too many ports. */
    public long refused() {
        return refused;
    }

    /** Records that came too late. */
    public long stale() {
        return stale;
    }

    /** Not taken in: their answers would have been another connection's. */
    public long taken() {
        return taken;
    }

    private int add(Connection connection, long nowNanos) {
        if (isTaken(connection, NONE, nowNanos)) {
            taken++;
            return TAKEN;
        }
        int port = ports.open(connection.portHigh(), connection.portLow());
        if (port == PortShares.NONE) {
            refused++;
            return NO_ROOM;
        }
        if (ports.count(port) >= limits.connectionsPerPort()) {
            evictOldestOf(port, port);
        } else if (free == NONE) {
            evictOldestOf(ports.fattest(), port);
        }
        while (!bindings.hasRoom(connection.bindings())) {
            evictOldestOf(ports.fattest(), port); // ends: without connections there are no bindings
        }
        int slot = free;
        free = older[slot];
        ports.addCount(port, 1);
        portOf[slot] = port;
        linkNewest(slot, port);
        fill(slot, connection, nowNanos);
        size++;
        added++;
        return ADDED;
    }

    /** Whether another connection's answers, at the end of the way or on it, would be like this one's. */
    private boolean isTaken(Connection connection, int except, long nowNanos) {
        int entry = find(connection.answer, nowNanos);
        if (entry != NONE && isAnswer(entry) && slotOf(entry) != except) {
            return true;
        }
        way.copyFrom(connection.forward);
        for (int i = 0; i < connection.bindings(); i++) {
            connection.apply(i, way);
            boolean last = i + 1 == connection.bindings() || connection.device(i + 1) != connection.device(i);
            if (last) {
                known.answer.answering(way).scope(atDevice(connection.device(i)));
                entry = find(known.answer, nowNanos);
                if (entry != NONE && slotOf(entry) != except) {
                    return true;
                }
            }
        }
        return false;
    }

    private int replace(int slot, Connection connection, long nowNanos) {
        if (isTaken(connection, slot, nowNanos)) {
            taken++;
            return TAKEN;
        }
        end(slot);
        return add(connection, nowNanos);
    }

    private void fill(int slot, Connection connection, long nowNanos) {
        records.write(slot, connection, hosts.numberOf(connection.ownerHigh(), connection.ownerLow()), nowNanos);
        firstBinding[slot] = bindings.add(connection, slot);
        index.add(2 * slot, hash(connection.forward));
        index.add(2 * slot + 1, hash(connection.answer));
        for (int binding = firstBinding[slot]; binding != NONE; binding = bindings.next(binding)) {
            if (bindings.isLastOfDevice(binding)) {
                keyAt(slot, binding, scratch);
                index.add(2 * capacity + binding, hash(scratch));
            }
        }
    }

    /** The tuple of an answer as it reaches the device of this binding. */
    private void keyAt(int slot, int last, ConnectionKey into) {
        records.readForward(slot, into);
        int binding = firstBinding[slot];
        while (binding != last) {
            bindings.apply(binding, into);
            binding = bindings.next(binding);
        }
        bindings.apply(last, into);
        into.answering(into).scope(atDevice(bindings.device(last)));
    }

    private boolean isSameWay(int slot, Connection connection) {
        return records.answerScope(slot) == connection.answer.scope() && bindings.equal(firstBinding[slot], connection);
    }

    /** @param keep the port about to get an entry: it keeps its place even if this was its last one */
    private void evictOldestOf(int port, int keep) {
        int victim = ports.oldest(port);
        ending.onEnd(this, victim);
        unlink(victim);
        if (port != keep && ports.count(port) == 0) {
            ports.close(port);
        }
        evicted++;
    }

    private void end(int slot) {
        ending.onEnd(this, slot);
        int port = portOf[slot];
        unlink(slot);
        if (ports.count(port) == 0) {
            ports.close(port);
        }
    }

    /** Out of the index and its port's list, onto the free list. */
    private void unlink(int slot) {
        int port = portOf[slot];
        index.remove(2 * slot);
        index.remove(2 * slot + 1);
        for (int binding = firstBinding[slot]; binding != NONE; binding = bindings.next(binding)) {
            if (bindings.isLastOfDevice(binding)) {
                index.remove(2 * capacity + binding);
            }
        }
        bindings.removeAll(firstBinding[slot]);
        firstBinding[slot] = NONE;
        unlinkFromPort(slot, port);
        ports.addCount(port, -1);
        portOf[slot] = NONE;
        older[slot] = free;
        free = slot;
        size--;
    }

    private void refresh(int slot, long nowNanos) {
        records.refresh(slot, nowNanos);
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
        return records.idleNanos(slot, nowNanos) < lifetimeNanos(slot);
    }

    private boolean isRefreshDue(int slot, long nowNanos) {
        long wait = Math.min(lifetimeNanos(slot) / 3, Math.max(FIRST_REFRESH_NANOS, records.ageNanos(slot)));
        return records.idleNanos(slot, nowNanos) >= RecordSlab.nanos(RecordSlab.ticks(wait));
    }

    private boolean isAt(int entry, ConnectionKey key) {
        if (!isAnswer(entry)) {
            return records.isForward(entry >> 1, key);
        }
        if (entry >= 2 * capacity) {
            int binding = entry - 2 * capacity;
            keyAt(bindings.slot(binding), binding, scratch);
        } else {
            int slot = entry >> 1;
            records.readForward(slot, scratch);
            for (int binding = firstBinding[slot]; binding != NONE; binding = bindings.next(binding)) {
                bindings.apply(binding, scratch);
            }
            scratch.answering(scratch).scope(records.answerScope(slot));
        }
        return scratch.equals(key);
    }

    private long hash(ConnectionKey key) {
        long hash = Hashing.combine(seed, key.scope());
        hash = Hashing.combine(hash, key.srcHigh());
        hash = Hashing.combine(hash, key.srcLow());
        hash = Hashing.combine(hash, key.dstHigh());
        hash = Hashing.combine(hash, key.dstLow());
        return Hashing.combine(hash, key.transport());
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
