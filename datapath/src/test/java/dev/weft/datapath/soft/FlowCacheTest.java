package dev.weft.datapath.soft;

import static org.assertj.core.api.Assertions.assertThat;

import dev.weft.base.Property;
import dev.weft.datapath.WorkerPort;
import dev.weft.sim.flow.ActionList;
import dev.weft.sim.flow.FlowKey;
import dev.weft.sim.flow.FlowMask;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.random.RandomGenerator;
import org.junit.jupiter.api.Test;

class FlowCacheTest {
    private record Flow(FlowKey key, FlowMask mask, int output) {}

    private static FlowKey key(RandomGenerator random) {
        var key = new FlowKey();
        key.setIngress(random.nextInt(0, 3), 0);
        key.setEtherType(0x0800);
        key.setDst(0, 0xffff_0a00_0000L | random.nextInt(0, 8));
        key.setTransport(17, 0, 0, 0, random.nextInt(0, 4), random.nextInt(0, 4));
        return key;
    }

    private static FlowMask mask(RandomGenerator random) {
        var mask = new FlowMask();
        mask.clear();
        mask.addDst(random.nextInt(120, 129));
        if (random.nextBoolean()) {
            mask.addEtherType();
        }
        if (random.nextBoolean()) {
            mask.addL4();
        }
        if (random.nextInt(10) == 0) {
            mask.exact();
        }
        return mask;
    }

    private static ActionList output(int port) {
        var actions = new ActionList();
        actions.output(port, 0);
        return actions;
    }

    /** A lookup answers with one of the flows that a linear scan finds, and with none when the scan finds none. */
    @Test
    void answersLikeALinearScan() {
        Property.check("flow cache against a scan", 40, random -> {
            var cache = new FlowCache(64, 2);
            cache.addPort(1);
            cache.addPort(2);
            Map<Long, Flow> oracle = new HashMap<>();
            var found = new ActionList();
            for (int step = 0; step < 2000; step++) {
                long id = random.nextInt(0, 100);
                int worker = (int) id & 1;
                switch (random.nextInt(4)) {
                    case 0 -> {
                        if (!oracle.containsKey(id)) {
                            install(cache, oracle, worker, id, new Flow(key(random), mask(random), step));
                        }
                    }
                    case 1 -> {
                        cache.remove(worker, id);
                        oracle.remove(id);
                    }
                    default -> {
                        FlowKey key = key(random);
                        List<ActionList> right = scan(oracle, key);
                        assertThat(cache.lookup(key, 60, step, found)).isEqualTo(!right.isEmpty());
                        if (!right.isEmpty()) {
                            assertThat(found).isIn(right);
                        }
                    }
                }
                assertThat(cache.size()).isEqualTo(oracle.size());
            }
        });
    }

    private static void install(FlowCache cache, Map<Long, Flow> oracle, int worker, long id, Flow flow) {
        boolean there = oracle.values().stream()
                .anyMatch(
                        other -> other.mask().equals(flow.mask()) && other.key().matches(flow.key(), flow.mask()));
        int expected = oracle.size() == 64 ? WorkerPort.FULL : there ? WorkerPort.EXISTS : WorkerPort.INSTALLED;
        assertThat(cache.install(worker, id, flow.key(), flow.mask(), output(flow.output())))
                .isEqualTo(expected);
        if (expected == WorkerPort.INSTALLED) {
            oracle.put(id, flow);
        }
    }

    private static List<ActionList> scan(Map<Long, Flow> oracle, FlowKey key) {
        return oracle.values().stream()
                .filter(flow -> flow.key().matches(key, flow.mask()))
                .map(flow -> output(flow.output()))
                .toList();
    }

    @Test
    void longActionListsComeBackWholeAndTheirRoomIsUsedAgain() {
        var cache = new FlowCache(4, 1);
        cache.addPort(1);
        var random = RandomGenerator.of("L64X128MixRandom");
        for (int round = 0; round < 100; round++) {
            var key = key(random);
            key.setIngress(1, 0);
            var actions = new ActionList();
            for (int i = 0; i < 80; i++) {
                actions.tunnel(round, i, i, 1450);
            }
            var mask = new FlowMask();
            mask.exact();
            assertThat(cache.install(0, round, key, mask, actions)).isEqualTo(WorkerPort.INSTALLED);
            var found = new ActionList();
            assertThat(cache.lookup(key, 60, 1, found)).isTrue();
            assertThat(found).isEqualTo(actions);
            cache.remove(0, round);
        }
        assertThat(cache.size()).isZero();
    }

    /** Each flow outputs to the port its key names, so a mixed-up answer would show. */
    @Test
    void lookupsBesideInstallsAndRemovalsNeverMixFlows() throws Exception {
        var cache = new FlowCache(256, 2);
        cache.addPort(1);
        var threads = new ArrayList<CompletableFuture<Void>>();
        for (int worker = 0; worker < 2; worker++) {
            int index = worker;
            threads.add(CompletableFuture.runAsync(() -> churn(cache, index)));
        }
        for (int reader = 0; reader < 2; reader++) {
            threads.add(CompletableFuture.runAsync(() -> check(cache)));
        }
        for (var thread : threads) {
            thread.get(60, TimeUnit.SECONDS);
        }
        assertThat(cache.size()).isZero();
    }

    private static void numbered(FlowKey key, int number) {
        key.setIngress(1, 0);
        key.setDst(0, number);
    }

    private static void churn(FlowCache cache, int worker) {
        var key = new FlowKey();
        var mask = new FlowMask();
        for (int i = 0; i < 50_000; i++) {
            int number = (i % 100) * 2 + worker;
            numbered(key, number);
            mask.clear();
            mask.addDst(128);
            assertThat(cache.install(worker, i, key, mask, output(number + 1))).isEqualTo(WorkerPort.INSTALLED);
            cache.remove(worker, i - 50);
            if (i >= 50_000 - 1) {
                for (int left = i - 50; left <= i; left++) {
                    cache.remove(worker, left);
                }
            }
        }
    }

    private static void check(FlowCache cache) {
        var key = new FlowKey();
        var found = new ActionList();
        for (int i = 0; i < 100_000; i++) {
            int number = i % 200;
            numbered(key, number);
            if (cache.lookup(key, 60, i, found)) {
                assertThat(ActionList.port(found.word(0))).isEqualTo(number + 1);
            }
        }
    }
}
