package dev.weft.agent.worker;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.weft.base.Allocation;
import dev.weft.base.Property;
import dev.weft.base.Tag;
import java.lang.management.ManagementFactory;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Set;
import java.util.random.RandomGenerator;
import org.junit.jupiter.api.Test;

final class FlowBookTest {
    private static final long IDLE_NANOS = 1_000;
    private static final long LEFT = Tag.datapathPort(1);
    private static final long RIGHT = Tag.datapathPort(2);

    private final Set<Long> unusedTags = new HashSet<>();
    private final List<String> gone = new ArrayList<>();
    private final FlowBook.FlowConsumer toGone = (book, id, why) -> gone.add(book.lastUsedNanos(id) + ":" + why);
    private final FlowBook book = new FlowBook(new FlowBook.Limits(4, 16, 16, 8, 2), IDLE_NANOS, unusedTags::add);

    @Test
    void keepsWhatItWasGiven() {
        long id = add(0, 11, 12, 11);
        book.used(id, 50);

        assertThat(tags(id)).as("doubles count once").containsExactlyInAnyOrder(11L, 12L);
        assertThat(book.lastUsedNanos(id)).isEqualTo(50);
    }

    @Test
    void flowsOfOnePathShareItsTagsAndAChangeOfThePathTakesAllOfThem() {
        long a = add(0, LEFT, RIGHT, 1);
        long b = add(0, LEFT, RIGHT, 2);
        long c = add(0, LEFT, 3);
        assertThat(book.paths()).isEqualTo(2);
        assertThat(book.tags()).isEqualTo(3);
        assertThat(tags(b)).containsExactlyInAnyOrder(LEFT, RIGHT, 2L);

        assertThat(book.invalidate(RIGHT, toGone)).isEqualTo(2);

        assertThat(book.contains(a)).isFalse();
        assertThat(book.contains(b)).isFalse();
        assertThat(book.contains(c)).isTrue();
        assertThat(book.paths()).isEqualTo(1);
        assertThat(book.invalidate(LEFT, toGone)).isEqualTo(1);
        assertThat(book.paths()).isZero();
    }

    @Test
    void flowsOnMorePathsThanAreKeptHaveTheTagsForThemselves() {
        add(0, LEFT, 1);
        add(0, RIGHT, 1);
        long c = add(0, LEFT, RIGHT, 1);
        assertThat(book.paths()).isEqualTo(2);
        assertThat(tags(c)).containsExactlyInAnyOrder(LEFT, RIGHT, 1L);
        assertThat(book.invalidate(LEFT, toGone)).isEqualTo(2);
        assertThat(book.size()).isEqualTo(1);
    }

    @Test
    void aMillionFlowsOfIpv6TakeLessThan250MegabytesAndRoomForThemLessThan100() {
        long before = heapUsed();
        var big = new FlowBook(FlowBook.Limits.of(1_000_000), 5_000, tag -> {});
        var destinations = new DestinationIndex(1_000_000);
        assertThat((heapUsed() - before) / 1_000_000.0).as("megabytes at first").isLessThan(100);
        for (int i = 0; i < 1_000_000; i++) {
            big.add(new long[] {LEFT, RIGHT, i + 1L, i % 5000 << 8}, 4, 0, toGone);
            destinations.add(1, i, i, 128, 64, i + 1L);
        }

        assertThat(big.size()).isEqualTo(destinations.size()).isEqualTo(1_000_000);
        assertThat((heapUsed() - before) / 1_000_000.0).as("bytes a flow").isLessThan(250);
    }

    private static long heapUsed() {
        System.gc();
        return ManagementFactory.getMemoryMXBean().getHeapMemoryUsage().getUsed();
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
        book.used(id, 9);
        assertThat(book.lastUsedNanos(later)).isZero();
        assertThat(book.contains(FlowBook.NO_FLOW)).isFalse();
    }

    @Test
    void takesTheMostIdleFlowToMakeRoom() {
        long a = add(0, 1);
        long b = add(1, 2);
        add(2, 3);
        add(3, 4);
        book.used(a, 10);
        add(11, 5);
        assertThat(book.contains(b)).isFalse();
        assertThat(book.contains(a)).isTrue();
        assertThat(gone).containsExactly("1:" + FlowBook.EVICTED);
        assertThat(book.size()).isEqualTo(4);
    }

    @Test
    void makesRoomForTagsToo() {
        add(0, 1, 2, 3, 4, 5, 6, 7, 8);
        add(1, 1, 2, 3, 4, 5, 6, 7, 9);
        add(2, 11, 12);
        assertThat(book.size()).as("16 pairs in all").isEqualTo(2);
        add(3, 1, 2, 3, 4, 5, 6, 7);
        add(4, 11, 12, 13, 14, 15, 16, 17, 18);
        assertThat(unusedTags)
                .as("told, though the new flow has it: hence the order")
                .contains(11L, 12L);
        assertThatThrownBy(() -> add(5, 1, 2, 3, 4, 5, 6, 7, 8, 9))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessage("flow with 9 tags (expected 0..8)");
    }

    @Test
    void idleFlowsGoInBoundedSlices() {
        add(0, 1);
        add(0, 1);
        long used = add(0, 1);
        book.used(used, 600);
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
        book.used(id, 500);
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
                for (int j = 0; j < tags.length; j++) {
                    tags[j] = i * 31L % (1 << (2 * j + 4)) << 8 | j;
                }
                tags[0] = Tag.datapathPort(i % 50);
                long id = big.add(tags, tags.length, i, nothing);
                big.used(id - 5, i);
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
        return book.add(tags, tags.length, now, toGone);
    }

    private Set<Long> tags(long id) {
        var found = new HashSet<Long>();
        book.forEachTag(id, found::add);
        return found;
    }

    /** A random history, told to the book and to a map of flows kept by their last report. */
    private static final class History {
        private static final int CAPACITY = 12;
        private static final int TAG_PAIRS = 40;
        private static final int SHARED_TAGS = 5;

        private final RandomGenerator random;
        private final Set<Long> liveTags = new HashSet<>();
        private final FlowBook book =
                new FlowBook(new FlowBook.Limits(CAPACITY, TAG_PAIRS, 12, 6, 3), IDLE_NANOS, this::onUnused);
        private final LinkedHashMap<Long, Flow> oracle = new LinkedHashMap<>();
        private long now = -20_000;

        private record Flow(Set<Long> tags, long lastUsed) {}

        History(RandomGenerator random) {
            this.random = random;
        }

        void run(int steps) {
            for (int i = 0; i < steps; i++) {
                now += random.nextInt(200);
                switch (random.nextInt(6)) {
                    case 0, 1, 2 -> add();
                    case 3 -> use();
                    case 4 -> invalidate(tag(random.nextInt(12)));
                    default -> expire();
                }
                check();
            }
        }

        private void add() {
            long[] tags =
                    random.longs(random.nextInt(7), 0, 12).map(History::tag).toArray();
            var evicted = new ArrayList<Long>();
            long id = book.add(tags, tags.length, now, (ofBook, flow, why) -> evicted.add(flow));
            for (long flow : evicted) {
                assertThat(flow).isEqualTo(oracle.firstEntry().getKey());
                oracle.remove(flow);
            }
            oracle.put(id, new Flow(toSet(tags), now));
            // After the call: a tag whose last flow made room is told to be unused, though the new flow has it.
            for (long tag : toSet(tags)) {
                if (!Tag.isShared(tag)) {
                    liveTags.add(tag);
                }
            }
        }

        private void use() {
            if (oracle.isEmpty()) {
                return;
            }
            var ids = List.copyOf(oracle.keySet());
            long id = ids.get(random.nextInt(ids.size()));
            var old = oracle.remove(id);
            oracle.put(id, new Flow(old.tags, Math.max(old.lastUsed, now - 50)));
            book.used(id, now - 50);
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
            var walked = new HashSet<Long>();
            for (long id = book.first(); id != FlowBook.NO_FLOW; id = book.next(id)) {
                walked.add(id);
                var flow = oracle.get(id);
                var tags = new HashSet<Long>();
                book.forEachTag(id, tags::add);
                assertThat(tags).isEqualTo(flow.tags);
                assertThat(book.lastUsedNanos(id)).isEqualTo(flow.lastUsed);
            }
            assertThat(walked).isEqualTo(oracle.keySet());
            var own = new HashSet<Long>();
            oracle.values()
                    .forEach(flow ->
                            flow.tags.stream().filter(tag -> !Tag.isShared(tag)).forEach(own::add));
            assertThat(liveTags).as("tags not told to be unused").isEqualTo(own);
        }

        private void onUnused(long tag) {
            // Of a path that had no room its flow has the tags for itself.
            assertThat(liveTags.remove(tag) || Tag.isShared(tag))
                    .as("told once")
                    .isTrue();
        }

        private static long tag(long number) {
            return number < SHARED_TAGS ? Tag.datapathPort((int) number) : number;
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
