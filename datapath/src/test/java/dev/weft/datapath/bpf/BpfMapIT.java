package dev.weft.datapath.bpf;

import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.weft.base.Allocation;
import dev.weft.datapath.kernel.CpuAffinity;
import dev.weft.datapath.kernel.Errno;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.HashMap;
import java.util.Map;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

final class BpfMapIT {
    private final Arena arena = Arena.ofConfined();
    private final MemorySegment key = arena.allocate(JAVA_LONG);
    private final MemorySegment value = arena.allocate(JAVA_LONG);

    @BeforeEach
    void needKernel() {
        TestPrograms.needKernel();
    }

    @AfterEach
    void close() {
        arena.close();
    }

    private static BpfMap hash(int entries) {
        return BpfMap.create(BpfMapType.HASH, "test_hash", 8, 8, entries, BpfMap.NO_PREALLOCATION);
    }

    private int put(BpfMap map, long number, long content, long flags) {
        key.set(JAVA_LONG, 0, number);
        value.set(JAVA_LONG, 0, content);
        return map.update(key.address(), value.address(), flags);
    }

    @Test
    void entriesArePutFoundAndDeleted() {
        try (var map = hash(2)) {
            assertThat(put(map, 5, 50, BpfMap.NO_EXIST)).isZero();
            assertThat(Errno.EEXIST.is(put(map, 5, 51, BpfMap.NO_EXIST))).isTrue();
            assertThat(Errno.ENOENT.is(put(map, 6, 60, BpfMap.EXIST))).isTrue();
            assertThat(put(map, 6, 60, BpfMap.ANY)).isZero();
            assertThat(Errno.E2BIG.is(put(map, 7, 70, BpfMap.ANY))).as("full").isTrue();

            key.set(JAVA_LONG, 0, 5);
            value.fill((byte) 0);
            assertThat(map.lookup(key.address(), value.address())).isZero();
            assertThat(value.get(JAVA_LONG, 0)).isEqualTo(50);
            assertThat(map.delete(key.address())).isZero();
            assertThat(Errno.ENOENT.is(map.lookup(key.address(), value.address())))
                    .isTrue();
            assertThat(map.nextKey(0, value.address())).isZero();
            assertThat(value.get(JAVA_LONG, 0)).as("the only key left").isEqualTo(6);
            assertThat(Errno.ENOENT.is(map.nextKey(value.address(), key.address())))
                    .isTrue();
        }
    }

    @Test
    void mapTellsWhatItIs() {
        try (var array = BpfMap.create(BpfMapType.PER_CPU_ARRAY, "a_name_longer_than_kept", 4, 12, 1, 0)) {
            assertThat(array.name()).isEqualTo("a_name_longer_t");
            assertThat(array.valueBytes()).isEqualTo(16 * CpuAffinity.possible());
        }
    }

    @Test
    void mapLivesAsLongAsOneOfItsHolders() {
        BpfMap same;
        try (var map = hash(3)) {
            assertThat(map.toString()).matches("HASH map test_hash \\(id \\d+, 3 entries of 8 \\+ 8 B\\)");
            assertThat(map.flags()).isEqualTo(BpfMap.NO_PREALLOCATION);
            same = map.duplicate();
            assertThat(same.id()).isEqualTo(map.id());
            assertThat(same.fd()).isNotEqualTo(map.fd());
        }
        try (same) {
            assertThat(put(same, 1, 1, BpfMap.ANY)).isZero();
        }
    }

    @Test
    void refusedMapIsToldWithWhatWasAskedFor() {
        assertThatThrownBy(() -> BpfMap.create(BpfMapType.HASH, "none", 8, 8, 0, 0))
                .isInstanceOf(BpfException.class)
                .hasMessageContaining("create HASH map none of 0 entries, key 8 B, value 8 B")
                .hasMessageContaining("EINVAL")
                .satisfies(thrown -> assertThat(((BpfException) thrown).errno()).isEqualTo(Errno.EINVAL.number));
    }

    @Test
    void batchesWriteReadAllAndDelete() {
        int count = 1000;
        var keys = arena.allocate(JAVA_LONG, count);
        var values = arena.allocate(JAVA_LONG, count);
        for (int i = 0; i < count; i++) {
            keys.setAtIndex(JAVA_LONG, i, i);
            values.setAtIndex(JAVA_LONG, i, 3L * i);
        }
        try (var map = hash(count);
                var cursor = map.cursor()) {
            assertThat(map.updateBatch(keys.address(), values.address(), count, BpfMap.ANY))
                    .isEqualTo(count);
            for (int round = 0; round < 2; round++) {
                assertThat(readAll(cursor, 100))
                        .hasSize(count)
                        .allSatisfy((number, content) -> assertThat(content).isEqualTo(3 * number));
                cursor.rewind();
            }
            assertThat(map.deleteBatch(keys.address(), count - 1)).isEqualTo(count - 1);
            assertThat(readAll(cursor, 100)).containsOnlyKeys(count - 1L);
        }
    }

    private Map<Long, Long> readAll(MapCursor cursor, int room) {
        var found = new HashMap<Long, Long>();
        var keys = arena.allocate(JAVA_LONG, room);
        var values = arena.allocate(JAVA_LONG, room);
        for (int read = cursor.next(keys.address(), values.address(), room);
                read != 0;
                read = cursor.next(keys.address(), values.address(), room)) {
            assertThat(read).as("errno").isPositive();
            for (int i = 0; i < read; i++) {
                found.put(keys.getAtIndex(JAVA_LONG, i), values.getAtIndex(JAVA_LONG, i));
            }
        }
        return found;
    }

    @Test
    void batchEndsAtTheFirstRefusedEntryAndSaysHowFarItCame() {
        var keys = arena.allocateFrom(JAVA_LONG, 1, 2, 3, 4);
        var values = arena.allocateFrom(JAVA_LONG, 10, 20, 30, 40);
        try (var map = hash(2)) {
            assertThat(map.updateBatch(keys.address(), values.address(), 4, BpfMap.ANY))
                    .isEqualTo(2);
            assertThat(Errno.E2BIG.is(map.updateBatch(keys.address() + 16, values.address() + 16, 2, BpfMap.ANY)))
                    .isTrue();
            key.set(JAVA_LONG, 0, 2);
            assertThat(map.delete(key.address())).isZero();
            assertThat(map.deleteBatch(keys.address(), 4)).isEqualTo(1);
            assertThat(Errno.ENOENT.is(map.deleteBatch(keys.address() + 8, 3))).isTrue();
        }
    }

    @Test
    void emptyMapHasNoBatch() {
        try (var map = hash(10);
                var cursor = map.cursor()) {
            assertThat(cursor.next(key.address(), value.address(), 1)).isZero();
            assertThat(cursor.next(key.address(), value.address(), 1)).isZero();
        }
    }

    @Test
    void arrayIsSharedMemory() {
        try (var map = BpfMap.create(BpfMapType.ARRAY, "shared", 4, 8, 1000, BpfMap.MMAPABLE)) {
            var shared = map.map(arena);
            assertThat(shared.byteSize()).isEqualTo(8000);
            shared.setAtIndex(JAVA_LONG, 999, 77);
            key.set(JAVA_INT, 0, 999);
            assertThat(map.lookup(key.address(), value.address())).isZero();
            assertThat(value.get(JAVA_LONG, 0)).isEqualTo(77);
            key.set(JAVA_INT, 0, 1);
            value.set(JAVA_LONG, 0, 88);
            assertThat(map.update(key.address(), value.address(), BpfMap.ANY)).isZero();
            assertThat(shared.getAtIndex(JAVA_LONG, 1)).isEqualTo(88);
        }
    }

    @Test
    void perCpuCountersAreAdded() {
        try (var map = BpfMap.create(BpfMapType.PER_CPU_ARRAY, "counters", 4, 12, 1, 0)) {
            var values = arena.allocate(map.valueBytes(), 8);
            for (int cpu = 0; cpu < CpuAffinity.possible(); cpu++) {
                values.set(JAVA_LONG, cpu * 16L, cpu + 1);
            }
            assertThat(map.update(key.address(), values.address(), BpfMap.ANY)).isZero();
            values.fill((byte) 0);
            assertThat(map.lookup(key.address(), values.address())).isZero();
            long cpus = CpuAffinity.possible();
            assertThat(map.sum(values, 0)).isEqualTo(cpus * (cpus + 1) / 2);
        }
    }

    @Test
    void entryOperationsAllocateNothing() {
        try (var map = hash(1000)) {
            Runnable work = () -> {
                for (int i = 0; i < 20_000; i++) {
                    long failed = put(map, i % 1000, i, BpfMap.ANY);
                    failed |= map.lookup(key.address(), value.address());
                    failed |= map.updateBatch(key.address(), value.address(), 1, BpfMap.ANY) - 1;
                    failed |= map.delete(key.address());
                    assert failed == 0;
                }
            };
            work.run();
            work.run();
            assertThat(Allocation.bytes(work)).isZero();
        }
    }
}
