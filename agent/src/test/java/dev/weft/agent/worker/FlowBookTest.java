package dev.weft.agent.worker;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.weft.base.Allocation;
import dev.weft.base.Property;
import dev.weft.sim.flow.ActionList;
import dev.weft.sim.flow.FlowKey;
import dev.weft.sim.flow.FlowMask;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Set;
import java.util.random.RandomGenerator;
import org.junit.jupiter.api.Test;

final class FlowBookTest {
    private static final long IDLE_NANOS = 1_000;

    private final Set<Long> unusedTags = new HashSet<>();
    private final List<String> gone = new ArrayList<>();
    private final FlowBook.FlowConsumer toGone = (book, id, why) -> gone.add(book.packets(id) + ":" + why);
    private final FlowBook book = new FlowBook(new FlowBook.Limits(4, 16, 8, 256), IDLE_NANOS, unusedTags::add);
    private final FlowKey key = new FlowKey();
    private final FlowMask mask = new FlowMask();
    private final ActionList actions = new ActionList();

    @Test
    void keepsWhatItWasGiven() {
        key.setDst(1, 2);
        mask.addDst(120);
        for (int i = 0; i < 30; i++) {
            actions.tunnel(i, i, i, 1500);
        }
        long id = add(0, 11, 12, 11);
        book.used(id, 3, 300, 50);

        var readKey = new FlowKey();
        var readMask = new FlowMask();
        var readActions = new ActionList();
        var readTags = new ArrayList<Long>();
        book.readKey(id, readKey);
        book.readMask(id, readMask);
        book.readActions(id, readActions);
        book.forEachTag(id, readTags::add);
        assertThat(readKey).isEqualTo(key);
        assertThat(readMask).isEqualTo(mask);
        assertThat(readActions).isEqualTo(actions);
        assertThat(readTags).as("doubles count once").containsExactlyInAnyOrder(11L, 12L);
        assertThat(book.packets(id)).isEqualTo(3);
        assertThat(book.bytes(id)).isEqualTo(300);
        assertThat(book.lastUsedNanos(id)).isEqualTo(50);
        assertThat(book.createdNanos(id)).isZero();
        assertThat(book.kind(id)).isEqualTo(1);
    }

    @Test
    void changeRemovesTheFlowsThatCarryItsTagAndNoOthers() {
        long a = add(0, 1, 2);
        long b = add(0, 2, 3);
        long c = add(0, 3);
        assertThat(book.invalidate(2, toGone)).isEqualTo(2);
        assertThat(book.contains(a)).isFalse();
        assertThat(book.contains(b)).isFalse();
        assertThat(book.contains(c)).isTrue();
        assertThat(unusedTags).containsExactlyInAnyOrder(1L, 2L);
        assertThat(book.invalidate(2, toGone)).isZero();
    }

    @Test
    void idOfAFlowThatIsGoneNamesNothing() {
        long id = add(0, 1);
        assertThat(book.remove(id)).isTrue();
        long later = add(0, 1);
        assertThat(later).isNotEqualTo(id);
        assertThat((int) later).as("the same slot").isEqualTo((int) id);
        assertThat(book.remove(id)).isFalse();
        book.used(id, 9, 9, 9);
        assertThat(book.packets(later)).isZero();
        assertThat(book.contains(FlowBook.NO_FLOW)).isFalse();
    }

    @Test
    void takesTheMostIdleFlowToMakeRoom() {
        long a = add(0, 1);
        long b = add(1, 2);
        add(2, 3);
        add(3, 4);
        book.used(a, 1, 100, 10);
        add(11, 5);
        assertThat(book.contains(b)).isFalse();
        assertThat(book.contains(a)).isTrue();
        assertThat(gone).containsExactly("0:" + FlowBook.EVICTED);
        assertThat(book.size()).isEqualTo(4);
    }

    @Test
    void makesRoomForTagsAndActionsToo() {
        add(0, 1, 2, 3, 4, 5, 6, 7, 8);
        add(1, 1, 2, 3, 4, 5, 6, 7, 9);
        add(2, 11, 12);
        assertThat(book.size()).as("16 pairs in all").isEqualTo(2);
        for (int i = 0; i < ActionList.MAX_WORDS; i++) {
            actions.decTtl();
        }
        add(3, 11);
        add(4, 11);
        assertThat(book.size()).as("one such list fills the room").isEqualTo(1);
        assertThat(unusedTags)
                .as("told, though the new flow has it: hence the order")
                .contains(11L);
        assertThatThrownBy(() -> add(5, 1, 2, 3, 4, 5, 6, 7, 8, 9))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessage("flow with 9 tags (expected 0..8)");
    }

    @Test
    void idleFlowsGoInBoundedSlices() {
        add(0, 1);
        add(0, 1);
        long used = add(0, 1);
        book.used(used, 1, 1, 600);
        assertThat(book.expire(999, 10, toGone)).isZero();
        assertThat(book.expire(1_000, 1, toGone)).isEqualTo(1);
        assertThat(book.expire(1_000, 10, toGone)).isEqualTo(1);
        assertThat(book.expire(1_599, 10, toGone)).isZero();
        assertThat(book.expire(1_600, 10, toGone)).isEqualTo(1);
        assertThat(book.expired()).isEqualTo(3);
    }

    @Test
    void saysWhetherAnyFlowOfATagWasUsed() {
        add(0, 1);
        long id = add(0, 1, 2);
        book.used(id, 1, 1, 500);
        assertThat(book.usedSince(1, 499)).isTrue();
        assertThat(book.usedSince(1, 500)).isFalse();
        assertThat(book.usedSince(3, 0)).isFalse();
    }

    @Test
    void walkVisitsEveryFlowOnceEvenIfSomeGoMeanwhile() {
        add(0, 1);
        long b = add(0, 1);
        long c = add(0, 1);
        var seen = new ArrayList<Long>();
        for (long id = book.first(); id != FlowBook.NO_FLOW; id = book.next(id)) {
            seen.add(id);
            book.remove(id);
        }
        assertThat(seen).hasSize(3).contains(b, c);
        assertThat(book.size()).isZero();
        assertThat(book.tags()).isZero();
    }

    @Test
    void agreesWithAnOracleOfMapsOverAnyHistory() {
        Property.check("flow book against maps", 100, random -> new History(random).run(300));
    }

    @Test
    void allocatesNothing() {
        var big = new FlowBook(FlowBook.Limits.of(2_000), 5_000, tag -> {});
        FlowBook.FlowConsumer nothing = (ofBook, id, why) -> {};
        long[] tags = new long[6];
        Runnable work = () -> {
            for (int i = 0; i < 100_000; i++) {
                key.setDst(0, i);
                actions.clear();
                for (int j = i % 12; j > 0; j--) {
                    actions.tunnel(0, j, j, 1500);
                }
                for (int j = 0; j < tags.length; j++) {
                    tags[j] = i * 31L % (1 << (2 * j + 4)) << 8 | j;
                }
                long id = big.add(key, mask, actions, tags, tags.length, 0, i, nothing);
                big.used(id - 5, i, i, i);
                if (i % 64 == 0) {
                    big.invalidate(tags[3], nothing);
                }
                big.expire(i, 4, nothing);
            }
        };
        work.run();
        work.run();
        assertThat(Allocation.bytes(work)).isZero();
        assertThat(big.evicted()).isPositive();
        assertThat(big.invalidated()).isPositive();
    }

    private long add(long now, long... tags) {
        return book.add(key, mask, actions, tags, tags.length, 1, now, toGone);
    }

    /** A random history, told to the book and to a map of flows kept by their last report. */
    private static final class History {
        private static final int CAPACITY = 12;
        private static final int TAG_PAIRS = 40;

        private final RandomGenerator random;
        private final Set<Long> liveTags = new HashSet<>();
        private final FlowBook book =
                new FlowBook(new FlowBook.Limits(CAPACITY, TAG_PAIRS, 6, 4096), IDLE_NANOS, this::onUnused);
        private final LinkedHashMap<Long, Flow> oracle = new LinkedHashMap<>();
        private long now = -20_000;

        private record Flow(long key, Set<Long> tags, List<Long> actions, long lastUsed) {}

        History(RandomGenerator random) {
            this.random = random;
        }

        void run(int steps) {
            for (int i = 0; i < steps; i++) {
                now += random.nextInt(200);
                switch (random.nextInt(6)) {
                    case 0, 1, 2 -> add();
                    case 3 -> use();
                    case 4 -> invalidate(random.nextInt(12));
                    default -> expire();
                }
                check();
            }
        }

        private void add() {
            var key = new FlowKey();
            var actions = new ActionList();
            key.setDst(0, random.nextLong());
            var words = new ArrayList<Long>();
            for (int i = random.nextInt(40); i > 0; i--) {
                actions.output(random.nextInt(9), 0);
                words.add(actions.word(actions.length() - 1));
            }
            long[] tags = random.longs(random.nextInt(7), 0, 12).toArray();
            var evicted = new ArrayList<Long>();
            long id = book.add(
                    key, new FlowMask(), actions, tags, tags.length, 0, now, (ofBook, flow, why) -> evicted.add(flow));
            for (long flow : evicted) {
                assertThat(flow).isEqualTo(oracle.firstEntry().getKey());
                oracle.remove(flow);
            }
            oracle.put(id, new Flow(key.dstLow(), toSet(tags), words, now));
            // After the call: a tag whose last flow made room is told to be unused, though the new flow has it.
            liveTags.addAll(toSet(tags));
        }

        private void use() {
            if (oracle.isEmpty()) {
                return;
            }
            var ids = List.copyOf(oracle.keySet());
            long id = ids.get(random.nextInt(ids.size()));
            var old = oracle.remove(id);
            oracle.put(id, new Flow(old.key, old.tags, old.actions, Math.max(old.lastUsed, now - 50)));
            book.used(id, 1, 1, now - 50);
        }

        private void invalidate(long tag) {
            var expected = new HashSet<Long>();
            oracle.forEach((id, flow) -> {
                if (flow.tags.contains(tag)) {
                    expected.add(id);
                }
            });
            var gone = new HashSet<Long>();
            int count = book.invalidate(tag, (ofBook, id, why) -> gone.add(id));
            assertThat(gone).isEqualTo(expected).hasSize(count);
            oracle.keySet().removeAll(expected);
        }

        private void expire() {
            int limit = 1 + random.nextInt(3);
            int count = book.expire(now, limit, (ofBook, id, why) -> {
                assertThat(id).isEqualTo(oracle.firstEntry().getKey());
                assertThat(now - oracle.pollFirstEntry().getValue().lastUsed).isGreaterThanOrEqualTo(IDLE_NANOS);
            });
            assertThat(count).isLessThanOrEqualTo(limit);
            if (count < limit && !oracle.isEmpty()) {
                assertThat(now - oracle.firstEntry().getValue().lastUsed).isLessThan(IDLE_NANOS);
            }
        }

        private void check() {
            assertThat(book.size()).isEqualTo(oracle.size()).isLessThanOrEqualTo(CAPACITY);
            assertThat(oracle.values().stream()
                            .mapToInt(flow -> flow.tags.size())
                            .sum())
                    .isLessThanOrEqualTo(TAG_PAIRS);
            var walked = new HashSet<Long>();
            for (long id = book.first(); id != FlowBook.NO_FLOW; id = book.next(id)) {
                walked.add(id);
                var flow = oracle.get(id);
                var key = new FlowKey();
                var actions = new ActionList();
                var tags = new HashSet<Long>();
                book.readKey(id, key);
                book.readActions(id, actions);
                book.forEachTag(id, tags::add);
                assertThat(key.dstLow()).isEqualTo(flow.key);
                assertThat(tags).isEqualTo(flow.tags);
                assertThat(words(actions)).isEqualTo(flow.actions);
                assertThat(book.lastUsedNanos(id)).isEqualTo(flow.lastUsed);
            }
            assertThat(walked).isEqualTo(oracle.keySet());
            var tags = new HashSet<Long>();
            oracle.values().forEach(flow -> tags.addAll(flow.tags));
            assertThat(liveTags).as("tags not told to be unused").isEqualTo(tags);
            assertThat(book.tags()).isEqualTo(tags.size());
        }

        private void onUnused(long tag) {
            assertThat(liveTags.remove(tag)).as("told once").isTrue();
        }

        private static List<Long> words(ActionList actions) {
            var words = new ArrayList<Long>();
            for (int i = 0; i < actions.length(); i++) {
                words.add(actions.word(i));
            }
            return words;
        }

        private static Set<Long> toSet(long[] values) {
            var set = new HashSet<Long>();
            for (long value : values) {
                set.add(value);
            }
            return set;
        }
    }
}
