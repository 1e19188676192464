package dev.weft.agent.worker;

import static dev.weft.agent.worker.Slabs.NONE;

import dev.weft.base.Hashing;
import dev.weft.base.HotPath;

/**
 * {@link Records} found by their tag, through chained hashing. The first three ints of each are spoken for. Not thread
 * safe.
 */
@HotPath
final class TaggedRecords {
    /** The first int that is the owner's. */
    static final int FIRST = 3;

    private static final int TAG = 0;
    private static final int NEXT_IN_BUCKET = 2;

    private final Records records;
    private final int mask;
    private final int[] buckets;

    /** @param width ints of a record that are the owner's */
    TaggedRecords(int capacity, int width) {
        records = new Records(capacity, FIRST + width);
        buckets = Slabs.buckets(capacity);
        mask = buckets.length - 1;
    }

    /** The slot of this tag's record, {@link Slabs#NONE} when there is none. */
    int find(long tag) {
        int slot = buckets[bucket(tag)];
        while (slot != NONE && records.getLong(slot, TAG) != tag) {
            slot = records.get(slot, NEXT_IN_BUCKET);
        }
        return slot;
    }

    /** Makes the record of a tag that has none; {@link Slabs#NONE} when all are taken. */
    int open(long tag) {
        int slot = records.take();
        if (slot != NONE) {
            int bucket = bucket(tag);
            records.setLong(slot, TAG, tag);
            records.set(slot, NEXT_IN_BUCKET, buckets[bucket]);
            buckets[bucket] = slot;
        }
        return slot;
    }

    void close(int slot) {
        int bucket = bucket(tag(slot));
        int after = records.get(slot, NEXT_IN_BUCKET);
        if (buckets[bucket] == slot) {
            buckets[bucket] = after;
        } else {
            int before = buckets[bucket];
            while (records.get(before, NEXT_IN_BUCKET) != slot) {
                before = records.get(before, NEXT_IN_BUCKET);
            }
            records.set(before, NEXT_IN_BUCKET, after);
        }
        records.give(slot);
    }

    long tag(int slot) {
        return records.getLong(slot, TAG);
    }

    int get(int slot, int field) {
        return records.get(slot, field);
    }

    void set(int slot, int field, int value) {
        records.set(slot, field, value);
    }

    long getLong(int slot, int field) {
        return records.getLong(slot, field);
    }

    void setLong(int slot, int field, long value) {
        records.setLong(slot, field, value);
    }

    int size() {
        return records.size();
    }

    int room() {
        return records.room();
    }

    int capacity() {
        return records.capacity();
    }

    private int bucket(long tag) {
        return (int) Hashing.mix(tag) & mask;
    }
}
