package dev.weft.agent.worker;

import static org.assertj.core.api.Assertions.assertThat;

import dev.weft.agent.TestNetwork;
import dev.weft.base.IpAddress;
import dev.weft.base.MacAddress;
import dev.weft.datapath.Datapath;
import dev.weft.datapath.DatapathConfig;
import dev.weft.datapath.memory.MemoryDatapath;
import dev.weft.datapath.memory.MemoryFabric;
import dev.weft.sim.flow.ActionList;
import dev.weft.sim.packet.Frames;
import dev.weft.state.StateMessage;
import java.lang.foreign.MemorySegment;
import java.util.Set;
import java.util.UUID;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** How MACs are learned, move and are forgotten, on a host with two workers. */
class MacsTest {
    private static final String HERE = "172.16.0.1";
    private static final IpAddress THERE = IpAddress.parse("172.16.0.2");
    private static final String MAC_A = "02:00:00:00:00:0a";
    private static final String MAC_Z = "02:00:00:00:00:0f";
    private static final int PER_PORT = 64; // as the bench has it

    private final MemoryFabric fabric = new MemoryFabric();
    private final WorkerBench bench = new WorkerBench(fabric, HERE, 2, 4096);
    private final MemoryDatapath other = new MemoryDatapath(DatapathConfig.of(1, THERE), fabric);
    private final TestNetwork net = new TestNetwork("t")
            .bridge("b")
            .router("r")
            .join("b", "r", "02:00:00:00:ff:01", "10.0.1.1/24")
            .vm("a", "b", WorkerBench.HERE, false)
            .vm("z", "b", WorkerBench.HERE, false)
            .vm("loop", "b", WorkerBench.HERE, false)
            .vm("far", "b", WorkerBench.THERE, false);
    private int a;
    private int z;
    private int loop;

    private void build() {
        bench.build(net);
        bench.datapath.setPeers(Set.of(THERE));
        a = bench.attach(net, "a");
        z = bench.attach(net, "z");
        loop = bench.attach(net, "loop");
    }

    @AfterEach
    void close() {
        bench.close();
        other.close();
    }

    @Test
    void whoUsedUpItsShareLearnsAgainWhenTheOldOnesAreSilentForLong() {
        build();
        for (int i = 0; i <= PER_PORT; i++) {
            bench.send(a, frame("02:00:00:00:01:%02x".formatted(i), MAC_Z));
        }
        pass(1);
        assertThat(bench.count(WorkerCounter.MACS_OVER_LIMIT)).isPositive();
        assertThat(isKnown("02:00:00:00:01:40")).as("one too many").isFalse();

        pass(400);
        assertThat(bench.lessons).contains("no mac 02:00:00:00:01:00");
        bench.send(a, frame("02:00:00:00:01:40", MAC_Z));
        assertThat(isKnown("02:00:00:00:01:40")).isTrue();
        assertThat(isKnown("02:00:00:00:01:00")).isFalse();
    }

    @Test
    void whoSpeaksNowAndThenIsNotForgotten() {
        build();
        for (int i = 0; i < 50; i++) {
            bench.send(a, frame(MAC_A, MAC_Z));
            pass(20);
        }
        assertThat(bench.lessons).containsExactly("mac");
        assertThat(isKnown(MAC_A)).isTrue();
    }

    @Test
    void aMacThatMovesIsFollowedAtOnceAndOneThatFlapsIsHeld() {
        build();
        bench.send(a, frame(MAC_A, MAC_Z));
        pass(60);
        bench.send(loop, frame(MAC_A, MAC_Z));
        assertThat(received(z, loop, a, frame(MAC_Z, MAC_A))).as("it moved").isEqualTo(loop);

        for (int i = 0; i < 100; i++) {
            bench.send(i % 2 == 0 ? a : loop, frame(MAC_A, MAC_Z));
        }
        pass(1);
        assertThat(bench.count(WorkerCounter.MACS_DAMPED)).isPositive();
        assertThat(bench.lessons.stream().filter("mac"::equals).count())
                .as("what the store hears of")
                .isLessThan(2L * Macs.MOVES);
    }

    @Test
    void aHintOfAnotherHostEndsUnlessTheTableConfirmsIt() {
        build();
        hint(MAC_A);
        assertThat(isKnown(MAC_A)).isTrue();
        pass(90);
        assertThat(isKnown(MAC_A)).isFalse();

        hint(MAC_A);
        bench.tell(new Command.MacLearned(bench.network.bridgeIndex(net.bridgeId("b")), 0, bits(MAC_A), port("far")));
        pass(90);
        assertThat(isKnown(MAC_A)).as("confirmed").isTrue();
    }

    @Test
    void hintsOfOnePortAreBoundedByItsShare() {
        build();
        for (int i = 0; i <= PER_PORT; i++) {
            hint("02:00:00:00:01:%02x".formatted(i));
        }
        pass(1);
        assertThat(bench.count(WorkerCounter.MACS_OVER_LIMIT)).isPositive();
        assertThat(isKnown("02:00:00:00:01:40")).isFalse();
    }

    @Test
    void anotherHostSaysNothingOfPortsThatAreHere() {
        build();
        bench.send(a, frame(MAC_A, MAC_Z));
        var message = MemorySegment.ofArray(new byte[StateMessage.MAX_LENGTH]);
        UUID bridge = net.bridgeId("b");
        UUID vm = net.portId("loop");
        say(
                message,
                StateMessage.writeMacLearned(
                        message,
                        0,
                        bridge.getMostSignificantBits(),
                        bridge.getLeastSignificantBits(),
                        vm.getMostSignificantBits(),
                        vm.getLeastSignificantBits(),
                        bits(MAC_A),
                        0));
        assertThat(received(z, a, loop, frame(MAC_Z, MAC_A))).isEqualTo(a);
    }

    @Test
    void whoAsksForNeighboursIsAHostOfTheFabric() {
        build();
        ask(IpAddress.parse("192.0.2.7"));
        assertThat(bench.dropped(WorkerDrop.BAD_STATE)).isOne();
        ask(THERE);
        assertThat(bench.dropped(WorkerDrop.BAD_STATE)).isOne();
    }

    private void ask(IpAddress asker) {
        var message = MemorySegment.ofArray(new byte[StateMessage.MAX_LENGTH]);
        UUID router = net.routerId("r");
        var wanted = IpAddress.parse("10.0.1.9");
        say(
                message,
                StateMessage.writeNeighbourAsk(
                        message,
                        0,
                        router.getMostSignificantBits(),
                        router.getLeastSignificantBits(),
                        wanted.high(),
                        wanted.low(),
                        asker.high(),
                        asker.low(),
                        0));
    }

    private void hint(String mac) {
        var message = MemorySegment.ofArray(new byte[StateMessage.MAX_LENGTH]);
        UUID bridge = net.bridgeId("b");
        UUID vm = net.portId("far");
        say(
                message,
                StateMessage.writeMacLearned(
                        message,
                        0,
                        bridge.getMostSignificantBits(),
                        bridge.getLeastSignificantBits(),
                        vm.getMostSignificantBits(),
                        vm.getLeastSignificantBits(),
                        bits(mac),
                        0));
    }

    /** From the other host, through the tunnel. */
    private void say(MemorySegment message, int length) {
        var actions = new ActionList();
        var here = IpAddress.parse(HERE);
        actions.tunnel(here.high(), here.low(), Datapath.STATE_KEY, 0);
        other.worker(0).execute(message, 0, length, 0, actions);
        bench.turn();
    }

    /** The port of the two that a frame from the first reaches, -1 when both. */
    private int received(int from, int one, int another, byte[] frame) {
        drain(one);
        drain(another);
        bench.send(from, frame);
        boolean first = drain(one) > 0;
        boolean second = drain(another) > 0;
        return first == second ? -1 : first ? one : another;
    }

    /** Known: a frame to it is not flooded to a port where it is not. */
    private boolean isKnown(String mac) {
        drain(loop);
        bench.send(z, frame(MAC_Z, mac));
        return drain(loop) == 0;
    }

    private int drain(int port) {
        int count = 0;
        while (bench.receive(port) != null) {
            count++;
        }
        return count;
    }

    private void pass(int seconds) {
        for (int i = 0; i < seconds * 2; i++) {
            bench.now += TimeUnit.MILLISECONDS.toNanos(500);
            bench.turn();
        }
    }

    private int port(String name) {
        return bench.network.portIndex(net.portId(name));
    }

    private static long bits(String mac) {
        return MacAddress.parse(mac).bits();
    }

    private static byte[] frame(String from, String to) {
        return Frames.udp("10.0.1.5:1000", "10.0.1.9:53").from(from).to(to).bytes();
    }
}
