package dev.weft.state;

import dev.weft.base.Hashing;
import dev.weft.base.HotPath;
import java.util.ArrayList;
import java.util.List;
import org.agrona.collections.Long2ObjectHashMap;

/**
 * The blocks of public ports one worker may give out: each belongs to it alone, so that nobody else can give the same
 * port to a connection with the same remote end. One port serves many destinations; only the whole tuple of the answer
 * must be free. Not thread safe: touched only by its worker thread. Choosing changes nothing: a port is taken as long as
 * the table has a connection with it.
 */
@HotPath
public final class PortBlocks {
    /** No port is free in the blocks that are here. */
    public static final int NONE = -1;

    private static final Offer NOTHING = new Offer() {
        @Override
        public boolean gives(long high, long low) {
            return false;
        }

        @Override
        public boolean givesPort(int port) {
            return false;
        }
    };

    /** Ports looked at for one whose answers come back to the same worker. */
    private static final int TRIES_FOR_HOME = 32;

    /** Ports of a block looked at, at random, before the next block is: one choice of a hundred fails in one that is 93 % full. */
    private static final int TRIES = 64;

    /** So many ports that were taken say that about three of four are. */
    private static final int TRIES_WHEN_SCARCE = 8;

    /** A pool where all ports of an address were taken is not searched port by port again before. */
    private static final long SEARCH_AGAIN_NANOS = 10_000_000L;

    // Immutable after construction.
    private final int worker;
    private final int workers;
    // Owned by the worker thread.
    private final Long2ObjectHashMap<Pool> pools = new Long2ObjectHashMap<>();
    private final ConnectionKey candidate = new ConnectionKey();
    private Offer offered = NOTHING;
    private long chosenHigh;
    private long chosenLow;
    private boolean scarce;
    private int tried;

    /** What a rule says may be given out: a block may still be here when its rule has changed. */
    public interface Offer {
        boolean gives(long high, long low);

        boolean givesPort(int port);
    }

    /** The blocks of one pool of addresses. */
    private static final class Pool {
        private final List<Block> blocks = new ArrayList<>();
        private boolean exhausted;
        private long exhaustedUntilNanos;
        private boolean searched;
        private long searchedAtNanos;
    }

    private record Block(long high, long low, int first, int count, boolean open) {
        boolean isAt(long itsHigh, long itsLow, int itsFirst) {
            return high == itsHigh && low == itsLow && first == itsFirst;
        }

        boolean contains(long itsHigh, long itsLow, int port) {
            return high == itsHigh && low == itsLow && port >= first && port < first + count;
        }
    }

    public PortBlocks(int worker, int workers) {
        this.worker = worker;
        this.workers = workers;
    }

    /** This worker may give out these ports of the address from now on. */
    public void grant(long pool, long high, long low, int first, int count) {
        Pool of = pools.computeIfAbsent(pool, tag -> new Pool());
        of.exhausted = false;
        of.blocks.removeIf(block -> block.isAt(high, low, first));
        of.blocks.add(new Block(high, low, first, count, true));
    }

    /** No new connection gets a port of the block; it stays known, so that those that have one can be told. */
    public void close(long pool, long high, long low, int first) {
        Pool of = pools.get(pool);
        if (of != null) {
            of.blocks.replaceAll(
                    block -> block.isAt(high, low, first) ? new Block(high, low, first, block.count, false) : block);
        }
    }

    /** The block is somebody else's now. */
    public void drop(long pool, long high, long low, int first) {
        Pool of = pools.get(pool);
        if (of != null) {
            of.blocks.removeIf(block -> block.isAt(high, low, first));
        }
    }

    /** There are no more blocks to be had for this pool, until then. */
    public void exhausted(long pool, long untilNanos) {
        Pool of = pools.computeIfAbsent(pool, tag -> new Pool());
        of.exhausted = true;
        of.exhaustedUntilNanos = untilNanos;
    }

    public boolean isExhausted(long pool, long nowNanos) {
        Pool of = pools.get(pool);
        return of != null && of.exhausted && of.exhaustedUntilNanos - nowNanos > 0;
    }

    /** Whether the address and port are in a block of this pool that is here. */
    public boolean owns(long pool, long high, long low, int port) {
        Pool of = pools.get(pool);
        if (of == null) {
            return false;
        }
        for (int i = 0; i < of.blocks.size(); i++) {
            if (of.blocks.get(i).contains(high, low, port)) {
                return true;
            }
        }
        return false;
    }

    public int blocks(long pool) {
        Pool of = pools.get(pool);
        return of == null ? 0 : of.blocks.size();
    }

    /**
     * A port for the source of a packet that reaches a translating device as {@code before}. The same inside address
     * gets the same outside address while that has ports (RFC 4787 REQ-2), the packet's own port if that is free
     * (REQ-3), else one whose answers come to this worker too, else any.
     *
     * <p>All blocks of an address fill evenly, and ports are tried at random, so that a choice takes a few tries until
     * the blocks are nearly full. Only then is every port looked at, an address after the other.
     *
     * @param offer the pool's rule as it is now
     * @param hasPorts whether the protocol has ports, or an id
     * @return the port, with the address in {@link #chosenHigh} and {@link #chosenLow}; {@link #NONE}
     */
    public int choose(
            long pool,
            Offer offer,
            ConnectionTable table,
            ConnectionKey before,
            long deviceTag,
            boolean hasPorts,
            long nowNanos) {
        scarce = true;
        tried = 0;
        offered = offer;
        Pool of = pools.get(pool);
        int count = of == null ? 0 : of.blocks.size();
        if (of == null || count == 0) {
            return NONE;
        }
        long scope = ConnectionTable.atDevice(deviceTag);
        Block preferred = preferred(of, before);
        boolean maySearch = hasPorts && (!of.searched || nowNanos - of.searchedAtNanos >= SEARCH_AGAIN_NANOS);
        int port = hasPorts ? own(of, preferred, table, before, scope, nowNanos) : NONE;
        for (int step = 0; step < 4 && port == NONE; step++) {
            boolean everyPort = (step & 1) != 0;
            if (!everyPort || maySearch) {
                port = search(of, preferred, step < 2, table, before, scope, hasPorts, everyPort, nowNanos);
            }
            if (everyPort && maySearch && port == NONE) {
                of.searched = true;
                of.searchedAtNanos = nowNanos;
            }
        }
        scarce = port == NONE || tried >= TRIES_WHEN_SCARCE;
        return port;
    }

    /** The block whose address is preferred to the others'. */
    private static Block preferred(Pool of, ConnectionKey before) {
        long hash = Hashing.combine(before.srcHigh(), before.srcLow());
        return of.blocks.get((int) Long.remainderUnsigned(hash, of.blocks.size()));
    }

    /** The packet's own port, of the preferred address. */
    private int own(Pool of, Block preferred, ConnectionTable table, ConnectionKey before, long scope, long nowNanos) {
        int port = before.srcPort();
        for (int i = 0; i < of.blocks.size(); i++) {
            Block block = of.blocks.get(i);
            if (isOffered(block)
                    && block.contains(preferred.high, preferred.low, port)
                    && offered.givesPort(port)
                    && isFree(block, port, table, before, scope, nowNanos)) {
                return chosen(block, port);
            }
        }
        return NONE;
    }

    /** The open blocks of the preferred address, or of the others, each time beginning at another. */
    private int search(
            Pool of,
            Block preferred,
            boolean same,
            ConnectionTable table,
            ConnectionKey before,
            long scope,
            boolean hasPorts,
            boolean everyPort,
            long nowNanos) {
        int count = of.blocks.size();
        long hash = Hashing.combine(before.transport(), Hashing.combine(before.srcLow(), before.dstLow()));
        int start = (int) Long.remainderUnsigned(Hashing.mix(hash), count);
        for (int i = 0; i < count; i++) {
            Block block = of.blocks.get((start + i) % count);
            if (isOffered(block) && same == (block.high == preferred.high && block.low == preferred.low)) {
                int port = hasPorts
                        ? inBlock(block, table, before, scope, hash, everyPort, nowNanos)
                        : withoutPort(block, table, before, scope, nowNanos);
                if (port != NONE) {
                    return chosen(block, port);
                }
            }
        }
        return NONE;
    }

    private boolean isOffered(Block block) {
        return block.open && offered.gives(block.high, block.low);
    }

    private int chosen(Block block, int port) {
        chosenHigh = block.high;
        chosenLow = block.low;
        return port;
    }

    private int withoutPort(Block block, ConnectionTable table, ConnectionKey before, long scope, long nowNanos) {
        return isFree(block, before.srcPort(), table, before, scope, nowNanos) ? before.srcPort() : NONE;
    }

    private int inBlock(
            Block block,
            ConnectionTable table,
            ConnectionKey before,
            long scope,
            long hash,
            boolean everyPort,
            long nowNanos) {
        boolean inOrder = everyPort || block.count <= TRIES;
        int start = (int) Long.remainderUnsigned(hash, block.count);
        int first = NONE;
        for (int i = 0; i < (inOrder ? block.count : TRIES); i++) {
            int offset = inOrder
                    ? (start + i) % block.count
                    : (int) Long.remainderUnsigned(Hashing.mix(hash + i), block.count);
            int port = block.first + offset;
            if (offered.givesPort(port) && isFree(block, port, table, before, scope, nowNanos)) {
                if (ConnectionHash.home(candidate.homeHash(), workers) == worker) {
                    return port;
                }
                first = first == NONE ? port : first;
            } else {
                tried++;
            }
            if (first != NONE && i >= TRIES_FOR_HOME) {
                return first;
            }
        }
        return first;
    }

    /** Leaves the answer's tuple in {@link #candidate}. */
    private boolean isFree(
            Block block, int port, ConnectionTable table, ConnectionKey before, long scope, long nowNanos) {
        candidate.copyFrom(before);
        candidate.rewriteSrc(block.high, block.low, port);
        candidate.answering(candidate).scope(scope);
        return table.find(candidate, nowNanos) == ConnectionTable.NONE;
    }

    public long chosenHigh() {
        return chosenHigh;
    }

    public long chosenLow() {
        return chosenLow;
    }

    /** Whether the last choice failed or met many ports taken: another block should be asked for before all are full. */
    public boolean isScarce() {
        return scarce;
    }
}
