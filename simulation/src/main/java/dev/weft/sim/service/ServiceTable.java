package dev.weft.sim.service;

import dev.weft.base.HotPath;
import dev.weft.base.ServiceId;
import dev.weft.base.ServicePrefix;
import dev.weft.sim.service.ServiceTarget.Action;
import org.jspecify.annotations.Nullable;

/**
 * Which rules hold for a service: those of the longest prefix that has any. Not thread safe: one worker looks up, changes
 * and counts.
 */
@HotPath
public final class ServiceTable {
    private final ServiceEntries entries = new ServiceEntries();
    private final ServiceTrie trie = new ServiceTrie(entries);

    private long resolvedPackets;
    private long resolvedBytes;
    private long droppedPackets;
    private long droppedBytes;
    private long unresolved;

    /** The entry of the longest prefix of a service id, given as its four words; null when there is none. */
    public @Nullable ServiceEntry find(long word0, long word1, long word2, long word3) {
        return trie.lookup(word0, word1, word2, word3);
    }

    public @Nullable ServiceEntry find(ServiceId id) {
        return find(id.word0(), id.word1(), id.word2(), id.word3());
    }

    /**
     * How many leading bits of the id looked up last prove the answer: every id that has them, too, is given the same,
     * while the table does not change.
     */
    public int proven() {
        return trie.proven();
    }

    /**
     * Adds a rule, or changes priority and weight of the one with its target.
     *
     * @return false when the entry would get a second rule that holds for all of its packets (DELAY, DROP), or has the
     *     most rules it may have
     */
    public boolean put(ServicePrefix prefix, ServiceRule rule) {
        var known = trie.exact(prefix);
        if (known != null) {
            return known.put(rule);
        }
        var entry = entries.add(prefix);
        trie.insert(entry);
        return entry.put(rule);
    }

    /** Whether there was such a rule. The entry goes with its last one. */
    public boolean remove(ServicePrefix prefix, ServiceTarget target) {
        var entry = trie.exact(prefix);
        if (entry == null || !entry.remove(target)) {
            return false;
        }
        if (entry.rules() == 0) {
            trie.remove(entry);
            entries.remove(entry);
        }
        return true;
    }

    /** Whether packets go to every target of the highest priority; false, to one, until told. Lost with the entry. */
    public boolean setToAll(ServicePrefix prefix, boolean toAll) {
        var entry = trie.exact(prefix);
        if (entry == null) {
            return false;
        }
        entry.setToAll(toAll);
        return true;
    }

    /** Counts a packet that a rule was applied to, here and at the rule. */
    public void count(ServiceSlot slot, int length) {
        slot.count(length);
        if (slot.rule().target().action() == Action.DROP) {
            droppedPackets++;
            droppedBytes += length;
        } else {
            resolvedPackets++;
            resolvedBytes += length;
        }
    }

    /** Counts a packet whose service has no entry. */
    public void countUnresolved() {
        unresolved++;
    }

    /** Prefixes with rules. */
    public int size() {
        return entries.size();
    }

    public long resolvedPackets() {
        return resolvedPackets;
    }

    public long resolvedBytes() {
        return resolvedBytes;
    }

    public long droppedPackets() {
        return droppedPackets;
    }

    public long droppedBytes() {
        return droppedBytes;
    }

    public long unresolvedPackets() {
        return unresolved;
    }

    /** One more than the last place that an entry may have. */
    public int places() {
        return entries.places();
    }

    /** Entries in no order; null where there is none. */
    public @Nullable ServiceEntry entryAt(int place) {
        return entries.get(place);
    }
}
