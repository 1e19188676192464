package dev.weft.agent.control;

import dev.weft.base.Hashing;
import dev.weft.base.IpAddress;
import dev.weft.sim.NatPool;
import dev.weft.state.Lifetimes;
import dev.weft.topology.PortBlockStore;
import dev.weft.topology.PortBlockStore.Block;
import dev.weft.topology.PortBlockStore.Held;
import dev.weft.topology.PortBlockStore.Owner;
import java.time.InstantSource;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.TimeUnit;
import java.util.function.Supplier;

/**
 * Finds a block of public ports for a worker: one that this host had before its agent was restarted, else one that
 * nobody has. Hosts begin to look at different places, so that they seldom want the same one. Thread safe.
 */
final class BlockClaims {
    /** Addresses of a pool that are looked at for one claim. */
    private static final int MAX_ADDRESSES = 16;

    /** Claims of one address that another host may win before the next address is tried. */
    private static final int MAX_RACES = 8;

    private static final long CLOSED_MILLIS = TimeUnit.NANOSECONDS.toMillis(2 * Lifetimes.STANDARD.tcpNanos());

    private static final int LEAST_PORTS = 16;
    private static final int MOST_PORTS = 1024;
    /** Blocks that each host can have of one address, if all take the same. */
    private static final int BLOCKS_PER_HOST = 4;

    // Immutable after construction.
    private final PortBlockStore store;
    private final UUID self;
    private final int epoch;
    private final int workers;
    private final Supplier<Set<UUID>> hosts;
    private final InstantSource time;
    // Shared.
    private final Set<Block> granted = ConcurrentHashMap.newKeySet();

    /** What a worker gets: it may give out these ports. */
    record Grant(IpAddress address, int first, int count) {}

    /**
     * @param hosts that there are: the more, the smaller the blocks; those of a host that is no longer among them are closed
     */
    BlockClaims(
            PortBlockStore store, UUID self, int epoch, int workers, Supplier<Set<UUID>> hosts, InstantSource time) {
        this.time = time;
        this.store = store;
        this.self = self;
        this.epoch = epoch;
        this.workers = workers;
        this.hosts = hosts;
    }

    /**
     * Claims a block. Empty when there is none, or (of one wanted ahead) when half of the ports are taken: then they are
     * for those who have none.
     */
    CompletableFuture<Optional<Grant>> claim(NatPool pool, int worker, boolean ahead) {
        return store.blockSize(pool.id(), wantedSize(pool)).thenCompose(size -> {
            long start = Long.remainderUnsigned(hash(worker), pool.addressCount());
            return search(new Search(pool, worker, ahead, size, start), 0);
        });
    }

    private record Search(NatPool pool, int worker, boolean ahead, int size, long start) {
        IpAddress address(int attempt) {
            return pool.address((start + attempt) % pool.addressCount());
        }

        int firstNumber() {
            return pool.firstPort() / size;
        }

        int blocks() {
            return pool.lastPort() / size - firstNumber() + 1;
        }

        /** What of a block lies in the pool's range. */
        Grant grant(Block block) {
            int first = Math.max(pool.firstPort(), block.number() * size);
            int last = Math.min(pool.lastPort(), (block.number() + 1) * size - 1);
            return new Grant(block.address(), first, last - first + 1);
        }
    }

    private CompletableFuture<Optional<Grant>> search(Search search, int attempt) {
        if (attempt == Math.min(MAX_ADDRESSES, search.pool().addressCount())) {
            return CompletableFuture.completedFuture(Optional.empty());
        }
        return claimAt(search, search.address(attempt), 0)
                .thenCompose(found ->
                        found.isPresent() ? CompletableFuture.completedFuture(found) : search(search, attempt + 1));
    }

    private CompletableFuture<Optional<Grant>> claimAt(Search search, IpAddress address, int race) {
        UUID pool = search.pool().id();
        return store.held(pool, address).thenCompose(held -> {
            Optional<Block> own = forgotten(held, search.worker());
            if (own.isPresent()) {
                return CompletableFuture.completedFuture(own.map(search::grant));
            }
            inherit(held);
            boolean enough = search.ahead() && 2 * held.size() >= search.blocks();
            Optional<Block> free = enough ? Optional.empty() : free(search, address, held);
            if (free.isEmpty() || race == MAX_RACES) {
                return CompletableFuture.completedFuture(Optional.empty());
            }
            return store.claim(free.get(), new Owner(self, search.worker(), epoch, true))
                    .thenCompose(won -> {
                        if (won && granted.add(free.get())) {
                            return CompletableFuture.completedFuture(Optional.of(search.grant(free.get())));
                        }
                        return claimAt(search, address, race + 1);
                    });
        });
    }

    /**
     * Blocks of hosts that were removed: whoever meets one closes it, so that nobody gets its ports while connections may
     * still live that have them; after the longest lifetime it is anybody's again.
     */
    private void inherit(List<Held> all) {
        Set<UUID> living = hosts.get();
        if (!living.contains(self)) {
            return; // the topology has not been read yet: nobody knows who was removed
        }
        for (Held held : all) {
            Owner owner = held.owner();
            if (owner.open() && !living.contains(owner.host())) {
                store.take(held, new Owner(owner.host(), owner.worker(), owner.epoch(), false));
            } else if (!owner.open() && time.millis() - held.changedMillis() > CLOSED_MILLIS) {
                store.release(held);
            }
        }
    }

    /** Ours, of an earlier run with perhaps another number of workers. */
    private Optional<Block> forgotten(List<Held> all, int worker) {
        return all.stream()
                .filter(held -> held.owner().host().equals(self)
                        && held.owner().open()
                        && held.owner().worker() % workers == worker)
                .map(Held::block)
                .filter(granted::add)
                .findFirst();
    }

    private Optional<Block> free(Search search, IpAddress address, List<Held> all) {
        var taken = new HashSet<Integer>();
        all.forEach(held -> taken.add(held.block().number()));
        int start = (int) Long.remainderUnsigned(hash(~search.worker()), search.blocks());
        for (int i = 0; i < search.blocks(); i++) {
            int number = search.firstNumber() + (start + i) % search.blocks();
            if (!taken.contains(number)) {
                return Optional.of(new Block(search.pool().id(), address, number));
            }
        }
        return Optional.empty();
    }

    private int wantedSize(NatPool pool) {
        int ports = pool.lastPort() - pool.firstPort() + 1;
        return Math.clamp(ports / (BLOCKS_PER_HOST * Math.max(1, hosts.get().size())), LEAST_PORTS, MOST_PORTS);
    }

    private long hash(int worker) {
        return Hashing.combine(self.getMostSignificantBits() ^ self.getLeastSignificantBits(), worker);
    }
}
