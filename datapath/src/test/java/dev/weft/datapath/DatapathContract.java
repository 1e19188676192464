package dev.weft.datapath;

import static dev.weft.datapath.TestFrames.exact;
import static dev.weft.datapath.TestFrames.key;
import static dev.weft.datapath.TestFrames.toDestination;
import static dev.weft.datapath.TestFrames.udp;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.weft.base.IpAddress;
import dev.weft.datapath.WorkerPort.UpcallHandler;
import dev.weft.sim.flow.ActionList;
import dev.weft.sim.flow.FlowKey;
import dev.weft.sim.flow.FlowMask;
import dev.weft.sim.packet.Frames;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.Set;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReference;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * What every kind of datapath does with flows, ports, upcalls and the tunnel; what it does with actions is
 * {@link ActionContract}'s. A kind's test extends it and says how hosts are made.
 */
public abstract class DatapathContract extends DatapathSuite {
    // Ports.

    @Test
    void listsAttachedPortsAndForgetsDetachedOnes() {
        TestHost host = host(underlay(1), 1);
        PortSpec first = host.newInterface(7);
        PortSpec second = host.newInterface(8);
        int one = host.datapath().attach(first);
        int two = host.datapath().attach(second);

        assertThat(one).isPositive().isNotEqualTo(two);
        assertThat(host.datapath().ports()).extracting(PortStatistics::spec).containsExactly(first, second);
        assertThat(host.datapath().ports()).allMatch(PortStatistics::up);

        host.datapath().detach(one);
        host.datapath().detach(4711);
        assertThat(host.datapath().ports()).extracting(PortStatistics::port).containsExactly(two);
        assertThat(host.datapath().attach(first)).as("a number comes back late").isNotIn(one, two);
    }

    @Test
    void refusesAnInterfaceThatIsAttachedAlready() {
        TestHost host = host(underlay(1), 1);
        PortSpec spec = host.newInterface(UNLIMITED);
        host.datapath().attach(spec);
        var again = new PortSpec(UUID.randomUUID(), spec.interfaceName(), spec.namespace(), UNLIMITED);
        assertThatThrownBy(() -> host.datapath().attach(again))
                .isInstanceOf(DatapathException.class)
                .hasMessageContaining(spec.interfaceName());
    }

    @Test
    void tellsWhenAnInterfaceVanishesAndAttachesItsSuccessor() {
        TestHost host = host(underlay(1), 1);
        var lost = new AtomicReference<UUID>();
        host.datapath().setPortListener((port, id) -> lost.set(id));
        PortSpec spec = host.newInterface(UNLIMITED);
        int port = host.datapath().attach(spec);

        host.destroy(port);
        soon().untilAsserted(() -> assertThat(lost.get()).isEqualTo(spec.id()));
        assertThat(statistics(host, port).up()).isFalse();

        host.datapath().detach(port);
        int successor = attach(host);
        host.send(successor, udp("10.0.0.1", 1, "10.0.0.2", 2, 64, 10));
        assertThat(upcalls(host, 1)).extracting(Upcall::inPort).containsExactly(successor);
    }

    // Misses, hits, flows.

    @Test
    void aMissIsOneUpcallWithTheWholeFrame() {
        TestHost host = host(underlay(1), 1);
        int port = attach(host);
        byte[] frame = udp("10.0.0.1", 1000, "10.0.0.2", 53, 64, 1400);
        host.send(port, frame);

        Upcall upcall = upcalls(host, 1).getFirst();
        assertThat(upcall.frame()).isEqualTo(frame);
        assertThat(upcall.inPort()).isEqualTo(port);
        assertThat(upcall.tunnelKey()).isZero();
        assertThat(upcall.reason()).isEqualTo(UpcallHandler.MISS);
        assertThat(poll(host)).isEmpty();
        assertThat(host.datapath().statistics().misses()).isEqualTo(1);
        assertThat(statistics(host, port).upcalls()).isEqualTo(1);
    }

    @Test
    void theSecondPacketAndOneEqualUnderTheMaskCauseNoUpcall() {
        TestHost host = host(underlay(1), 1);
        int a = attach(host);
        int b = attach(host);
        byte[] first = udp("10.0.0.1", 1000, "10.0.0.2", 53, 64, 10);
        byte[] equalUnderMask = udp("10.0.0.9", 77, "10.0.0.2", 99, 64, 20);
        WorkerPort worker = host.datapath().worker(0);
        assertThat(worker.install(1, key(first, a, 0), toDestination(), actions(list -> list.output(b, 0))))
                .isEqualTo(WorkerPort.INSTALLED);

        host.send(a, first);
        host.send(a, first);
        host.send(a, equalUnderMask);
        awaitHits(host, 3);
        assertThat(poll(host)).isEmpty();
        assertThat(received(host, b)).isEqualTo(first);
        assertThat(received(host, b)).isEqualTo(first);
        assertThat(received(host, b)).isEqualTo(equalUnderMask);

        host.send(a, udp("10.0.0.1", 1000, "10.0.0.3", 53, 64, 10));
        assertThat(upcalls(host, 1)).hasSize(1);
    }

    @Test
    void anEqualFlowExistsAlreadyWhoeverInstalledIt() {
        TestHost host = host(underlay(1), 2);
        int a = attach(host);
        byte[] frame = udp("10.0.0.1", 1000, "10.0.0.2", 53, 64, 10);
        byte[] other = udp("10.0.0.7", 1, "10.0.0.2", 2, 64, 10);
        ActionList drop = new ActionList();
        WorkerPort one = host.datapath().worker(0);
        WorkerPort two = host.datapath().worker(1);
        assertThat(one.install(1, key(frame, a, 0), toDestination(), drop)).isEqualTo(WorkerPort.INSTALLED);
        assertThat(one.install(2, key(other, a, 0), toDestination(), drop)).isEqualTo(WorkerPort.EXISTS);
        assertThat(two.install(1, key(other, a, 0), toDestination(), drop)).isEqualTo(WorkerPort.EXISTS);
        assertThat(two.install(1, key(other, a, 0), exact(), drop))
                .as("same packet, other mask")
                .isEqualTo(WorkerPort.INSTALLED);

        two.remove(99);
        one.remove(1);
        assertThat(two.install(2, key(frame, a, 0), toDestination(), drop)).isEqualTo(WorkerPort.INSTALLED);
    }

    @Test
    void aRemovedFlowAnswersNoMore() {
        TestHost host = host(underlay(1), 1);
        int a = attach(host);
        int b = attach(host);
        byte[] frame = udp("10.0.0.1", 1000, "10.0.0.2", 53, 64, 10);
        WorkerPort worker = host.datapath().worker(0);
        worker.install(5, key(frame, a, 0), toDestination(), actions(list -> list.output(b, 0)));
        host.send(a, frame);
        awaitHits(host, 1);
        assertThat(host.datapath().statistics().flows()).isEqualTo(1);

        worker.remove(5);
        host.send(a, frame);
        assertThat(upcalls(host, 1)).hasSize(1);
        assertThat(host.datapath().statistics().flows()).isZero();
    }

    @Test
    void aFullCacheSaysSoAndTakesFlowsAgainWhenOneIsRemoved() {
        TestHost host = host(DatapathConfig.of(1, underlay(1)).withFlowCapacity(4));
        int a = attach(host);
        WorkerPort worker = host.datapath().worker(0);
        ActionList drop = new ActionList();
        for (int i = 0; i < 4; i++) {
            byte[] frame = udp("10.0.0.1", 1, "10.0.1." + i, 2, 64, 10);
            assertThat(worker.install(i, key(frame, a, 0), toDestination(), drop))
                    .isEqualTo(WorkerPort.INSTALLED);
        }
        FlowKey fifth = key(udp("10.0.0.1", 1, "10.0.2.1", 2, 64, 10), a, 0);
        assertThat(worker.install(9, fifth, toDestination(), drop)).isEqualTo(WorkerPort.FULL);
        worker.remove(2);
        assertThat(worker.install(9, fifth, toDestination(), drop)).isEqualTo(WorkerPort.INSTALLED);
    }

    @Test
    void atTheMaskLimitTheNextFlowIsExact() {
        TestHost host = host(underlay(1), 1);
        int a = attach(host);
        int b = attach(host);
        WorkerPort worker = host.datapath().worker(0);
        byte[] other = udp("10.0.0.1", 1, "10.9.0.1", 2, 64, 10);
        for (int bits = 0; bits < 64; bits++) {
            var mask = new FlowMask();
            mask.clear();
            mask.addEtherType();
            mask.addL4();
            mask.addDst(64 + bits);
            assertThat(worker.install(bits, key(other, a, 0), mask, new ActionList()))
                    .isEqualTo(WorkerPort.INSTALLED);
        }
        byte[] frame = udp("10.0.0.1", 1000, "10.0.0.2", 53, 64, 10);
        byte[] sibling = udp("10.0.0.1", 1001, "10.0.0.2", 53, 64, 10);
        worker.install(100, key(frame, a, 0), toDestination(), actions(list -> list.output(b, 0)));

        assertThat(host.datapath().flows())
                .filteredOn(flow -> flow.flowId() == 100)
                .extracting(FlowDump::mask)
                .containsExactly(exact());
        host.send(a, frame);
        assertThat(received(host, b)).isEqualTo(frame);
        host.send(a, sibling);
        assertThat(upcalls(host, 1).getFirst().frame()).isEqualTo(sibling);

        worker.remove(0);
        worker.install(101, key(sibling, a, 0), toDestination(), actions(list -> list.output(b, 0)));
        host.send(a, udp("10.0.0.5", 5, "10.0.0.2", 5, 64, 10));
        awaitHits(host, 2);
    }

    @Test
    void countsWhatEachFlowCarriedAndReportsUsedFlowsOnce() {
        TestHost host = host(underlay(1), 1);
        int a = attach(host);
        int b = attach(host);
        byte[] frame = udp("10.0.0.1", 1000, "10.0.0.2", 53, 64, 100);
        WorkerPort worker = host.datapath().worker(0);
        worker.install(5, key(frame, a, 0), toDestination(), actions(list -> list.output(b, 0)));
        worker.install(6, key(udp("10.0.0.1", 1, "10.0.0.3", 1, 64, 1), a, 0), toDestination(), new ActionList());
        host.send(a, frame);
        host.send(a, frame);
        awaitHits(host, 2);

        var used = new ArrayList<long[]>();
        WorkerPort.FlowUse collect = (id, packets, bytes, last, flags) -> used.add(new long[] {id, packets, bytes});
        assertThat(worker.readUsed(collect, 10)).isEqualTo(1);
        assertThat(used).containsExactly(new long[] {5, 2, 2L * frame.length});
        assertThat(worker.readUsed(collect, 10)).isZero();
        assertThat(worker.isRoundOver()).as("all was read").isTrue();

        host.send(a, frame);
        awaitHits(host, 3);
        assertThat(worker.readUsed(collect, 10)).isEqualTo(1);
        assertThat(used.getLast()).containsExactly(5, 3, 3L * frame.length);
        assertThat(host.datapath().flows())
                .filteredOn(flow -> flow.flowId() == 5)
                .allMatch(flow -> flow.packets() == 3 && flow.key().inPort() == a && flow.worker() == 0);
        assertThat(statistics(host, a).receivedPackets()).isEqualTo(3);
        soon().untilAsserted(() -> assertThat(statistics(host, b).sentBytes()).isEqualTo(3L * frame.length));
    }

    @Test
    void remembersWhetherAFlowHasCarriedTheEndOfATcpConnection() {
        TestHost host = host(underlay(1), 1);
        int a = attach(host);
        int b = attach(host);
        WorkerPort worker = host.datapath().worker(0);
        worker.install(5, key(tcp(0x10), a, 0), toDestination(), actions(list -> list.output(b, 0)));
        var seen = new ArrayList<Integer>();
        WorkerPort.FlowUse collect = (id, packets, bytes, last, flags) -> seen.add(flags);

        host.send(a, tcp(0x12));
        host.send(a, tcp(0x18));
        awaitHits(host, 2);
        assertThat(worker.readUsed(collect, 10)).isEqualTo(1);
        host.send(a, tcp(0x11));
        host.send(a, tcp(0x10));
        awaitHits(host, 4);
        assertThat(worker.readUsed(collect, 10)).isEqualTo(1);
        host.send(a, tcp(0x14));
        awaitHits(host, 5);
        assertThat(worker.readUsed(collect, 10)).isEqualTo(1);
        assertThat(seen).as("none, FIN, FIN and RST").containsExactly(0, 1, 5);

        worker.remove(5);
        worker.install(6, key(tcp(0x10), a, 0), toDestination(), actions(list -> list.output(b, 0)));
        host.send(a, tcp(0x10));
        awaitHits(host, 6);
        assertThat(worker.readUsed(collect, 10)).isEqualTo(1);
        assertThat(seen).as("of another flow").endsWith(0);
    }

    @Test
    void onlyASynWithoutAckDiffersInTheFlagThatSaysWhatOpens() {
        TestHost host = host(underlay(1), 1);
        int a = attach(host);
        int b = attach(host);
        FlowMask mask = toDestination();
        mask.addTcpFlags(FlowKey.TCP_OPENS);
        WorkerPort worker = host.datapath().worker(0);
        worker.install(5, key(tcp(0x10), a, 0), mask, actions(list -> list.output(b, 0)));

        host.send(a, tcp(0x12));
        host.send(a, tcp(0x11));
        host.send(a, tcp(0x14));
        awaitHits(host, 3);
        host.send(a, tcp(0x02));

        assertThat(upcalls(host, 1)).hasSize(1);
        awaitHits(host, 3);
    }

    /** To one destination, with these flags. */
    private static byte[] tcp(int flags) {
        return TestFrames.tcp("10.0.0.1", 1000, "10.0.0.2", 80, 1, flags, new byte[20]);
    }

    @Test
    void anEmptyListDrops() {
        TestHost host = host(underlay(1), 1);
        int a = attach(host);
        byte[] frame = udp("10.0.0.1", 1000, "10.0.0.2", 53, 64, 100);
        host.datapath().worker(0).install(5, key(frame, a, 0), toDestination(), new ActionList());
        host.send(a, frame);
        awaitDrops(host, "by-flow", 1);
    }

    // Outputs.

    @Test
    void executeRunsActionsOnceAndLeavesTheFrameAsItWas() {
        TestHost host = host(underlay(1), 1);
        int a = attach(host);
        int b = attach(host);
        byte[] frame = udp("10.0.0.1", 1000, "10.0.0.2", 53, 64, 10);
        byte[] padded = new byte[frame.length + 8];
        System.arraycopy(frame, 0, padded, 3, frame.length);
        byte[] before = padded.clone();
        host.datapath().worker(0).execute(MemorySegment.ofArray(padded), 3, frame.length, a, actions(list -> {
            list.decTtl();
            list.output(a, 0);
            list.output(b, 0);
        }));
        assertThat(received(host, b)[TestFrames.ETHERNET + 8]).isEqualTo((byte) 63);
        assertThat(padded).isEqualTo(before);
        assertThat(statistics(host, a).sentPackets()).isZero();
        assertThat(host.datapath().statistics().hits()).isZero();
    }

    @Test
    void anOutputToADetachedPortIsDroppedAndCounted() {
        TestHost host = host(underlay(1), 1);
        int a = attach(host);
        int b = attach(host);
        byte[] frame = udp("10.0.0.1", 1000, "10.0.0.2", 53, 64, 10);
        WorkerPort worker = host.datapath().worker(0);
        worker.install(1, key(frame, a, 0), toDestination(), actions(list -> list.output(b, 0)));
        host.datapath().detach(b);
        host.send(a, frame);
        awaitDrops(host, "no-port", 1);
        assertThat(worker.install(2, key(frame, b, 0), toDestination(), new ActionList()))
                .isEqualTo(WorkerPort.FULL);
    }

    // Tunnel.

    private static void tunnel(TestHost from, int inPort, byte[] frame, IpAddress to, int key) {
        from.datapath()
                .worker(0)
                .execute(
                        MemorySegment.ofArray(frame),
                        0,
                        frame.length,
                        inPort,
                        actions(list -> list.tunnel(to.high(), to.low(), key, 0)));
    }

    @Test
    void aTunnelKeyDeliversWithoutFlowOrUpcall() {
        TestHost sender = host(underlay(1), 1);
        TestHost receiver = host(underlay(2), 1);
        int a = attach(sender);
        int b = attach(receiver);
        receiver.datapath().setPeers(Set.of(underlay(1)));
        receiver.datapath().bindTunnelKey(0x012345, b);
        byte[] frame = udp("10.0.0.1", 1000, "10.0.0.2", 53, 64, 1000);
        sender.datapath()
                .worker(0)
                .install(
                        1,
                        key(frame, a, 0),
                        toDestination(),
                        actions(list ->
                                list.tunnel(underlay(2).high(), underlay(2).low(), 0x012345, 0)));
        sender.send(a, frame);

        assertThat(received(receiver, b)).isEqualTo(frame);
        DatapathStatistics statistics = receiver.datapath().statistics();
        assertThat(statistics.delivered()).isEqualTo(1);
        assertThat(statistics.misses() + statistics.tunnelUpcalls() + statistics.hits())
                .isZero();
    }

    @Test
    void anUnknownKeyAndAnUnknownPeerAreRefusedAndCounted() {
        TestHost sender = host(underlay(1), 1);
        TestHost stranger = host(underlay(3), 1);
        TestHost receiver = host(underlay(2), 1);
        int b = attach(receiver);
        receiver.datapath().setPeers(Set.of(underlay(1)));
        receiver.datapath().bindTunnelKey(7, b);
        byte[] frame = udp("10.0.0.1", 1000, "10.0.0.2", 53, 64, 10);

        tunnel(sender, 1, frame, underlay(2), 8);
        awaitDrops(receiver, "stale-key", 1);
        tunnel(stranger, 1, frame, underlay(2), 7);
        awaitDrops(receiver, "unknown-peer", 1);

        receiver.datapath().setPeers(Set.of(underlay(3)));
        tunnel(stranger, 1, frame, underlay(2), 7);
        assertThat(received(receiver, b)).isEqualTo(frame);
        receiver.datapath().unbindTunnelKey(7);
        tunnel(stranger, 1, frame, underlay(2), 7);
        awaitDrops(receiver, "stale-key", 2);
        assertThat(receiver.datapath().statistics().delivered()).isEqualTo(1);
    }

    @Test
    void refusesTunnelKeysOutOfRange() {
        TestHost host = host(underlay(1), 1);
        for (int key : new int[] {0, -1, 0x100_0000}) {
            assertThatThrownBy(() -> host.datapath().bindTunnelKey(key, 1))
                    .isInstanceOf(DatapathException.class)
                    .hasMessageContaining("expected 1..");
        }
        assertThatThrownBy(() -> host.datapath().bindTunnelKey(Datapath.STATE_KEY, 1))
                .isInstanceOf(DatapathException.class);
    }

    @Test
    void aKeyBoundToTheWorkersIsLookedUpWithTheTunnelAsIngress() {
        TestHost sender = host(underlay(1), 1);
        TestHost receiver = host(underlay(2), 1);
        int b = attach(receiver);
        int c = attach(receiver);
        receiver.datapath().setPeers(Set.of(underlay(1)));
        receiver.datapath().bindTunnelKey(9, Datapath.TO_WORKER);
        byte[] frame = udp("10.0.0.1", 1000, "10.0.0.2", 53, 64, 10);

        tunnel(sender, 1, frame, underlay(2), 9);
        Upcall upcall = upcalls(receiver, 1).getFirst();
        assertThat(upcall.inPort()).isEqualTo(FlowKey.TUNNEL_PORT);
        assertThat(upcall.tunnelKey()).isEqualTo(9);
        assertThat(receiver.datapath().statistics().tunnelUpcalls()).isEqualTo(1);

        receiver.datapath().worker(0).install(1, key(frame, FlowKey.TUNNEL_PORT, 9), toDestination(), actions(list -> {
            list.output(b, 0);
            list.output(c, 0);
        }));
        tunnel(sender, 1, frame, underlay(2), 9);
        assertThat(received(receiver, b)).isEqualTo(frame);
        assertThat(received(receiver, c)).isEqualTo(frame);
        assertThat(receiver.datapath().statistics().tunnelUpcalls()).isEqualTo(1);
    }

    @Test
    void stateFramesReachTheHomeTheyNameBeforeTheDataBehindThem() {
        TestHost sender = host(underlay(1), 1);
        TestHost receiver = host(underlay(2), 4);
        int b = attach(receiver);
        receiver.datapath().setPeers(Set.of(underlay(1)));
        receiver.datapath().bindTunnelKey(Datapath.STATE_KEY, Datapath.TO_WORKER);
        receiver.datapath().bindTunnelKey(7, b);
        byte[] data = udp("10.0.0.1", 1000, "10.0.0.2", 53, 64, 10);
        for (int home = 0; home < 4; home++) {
            byte[] state = new byte[64];
            state[12] = (byte) 0x88;
            state[13] = (byte) 0xb5;
            state[17] = (byte) (4 + home);
            tunnel(sender, 1, state, underlay(2), Datapath.STATE_KEY);
            tunnel(sender, 1, data, underlay(2), 7);

            assertThat(received(receiver, b)).isEqualTo(data);
            List<Upcall> queued = poll(receiver);
            assertThat(queued).hasSize(1);
            assertThat(queued.getFirst().worker()).isEqualTo(home);
            assertThat(queued.getFirst().tunnelKey()).isEqualTo(Datapath.STATE_KEY);
            assertThat(queued.getFirst().frame()).isEqualTo(state);
        }
        assertThat(receiver.datapath().statistics().stateFrames()).isEqualTo(4);
        assertThat(receiver.datapath().statistics().tunnelUpcalls()).isZero();
    }

    // Workers and budgets.

    @Test
    void bothDirectionsOfAConversationHaveOneHome() {
        TestHost host = host(underlay(1), 4);
        int a = attach(host);
        int b = attach(host);
        var homes = new ArrayList<Integer>();
        for (int i = 0; i < 32; i++) {
            host.send(a, udp("10.0.0.1", 1000 + i, "10.0.0.2", 53, 64, 10));
            int there = upcalls(host, 1).getFirst().worker();
            host.send(b, udp("10.0.0.2", 53, "10.0.0.1", 1000 + i, 64, 10));
            int back = upcalls(host, 1).getFirst().worker();
            assertThat(back).isEqualTo(there);
            homes.add(there);
        }
        assertThat(homes).contains(0, 1, 2, 3);
    }

    @Test
    void aPortHasItsBudgetOfUpcallsAndNoMore() {
        TestHost host = host(underlay(1), 1);
        int greedy = host.datapath().attach(host.newInterface(5));
        int other = attach(host);
        long start = System.nanoTime();
        for (int i = 0; i < 50; i++) {
            host.send(greedy, udp("10.0.0.1", i, "10.0.0.2", 53, 64, 10));
        }
        soon().untilAsserted(() ->
                assertThat(statistics(host, greedy).receivedPackets()).isEqualTo(50));
        soon().untilAsserted(() -> {
            PortStatistics statistics = statistics(host, greedy);
            assertThat(statistics.upcalls() + statistics.upcallsOverBudget()).isEqualTo(50);
        });
        long refilled = 5 * (System.nanoTime() - start) / TimeUnit.SECONDS.toNanos(1) + 1;
        PortStatistics statistics = statistics(host, greedy);
        assertThat(statistics.upcalls()).isBetween(5L, 5 + refilled);
        assertThat(host.datapath().statistics().drops()).containsEntry("upcall-budget", statistics.upcallsOverBudget());

        host.send(other, udp("10.0.0.3", 1, "10.0.0.2", 53, 64, 10));
        soon().untilAsserted(() -> assertThat(statistics(host, other).upcalls()).isEqualTo(1));
    }

    @Test
    void aPortHasItsBudgetOfFloodsAndNoMore() {
        TestHost host = host(underlay(1), 1);
        PortSpec spec = host.newInterface(UNLIMITED);
        int greedy =
                host.datapath().attach(new PortSpec(spec.id(), spec.interfaceName(), spec.namespace(), UNLIMITED, 5));
        int other = attach(host);
        int third = attach(host);
        byte[] toAll = udp("10.0.0.1", 1, "10.0.0.2", 53, 64, 10);
        byte[] toGroup = udp("10.0.0.1", 1, "10.0.0.3", 53, 64, 10);
        toGroup[0] |= 1;
        byte[] toOne = udp("10.0.0.1", 1, "10.0.0.4", 53, 64, 10);
        WorkerPort worker = host.datapath().worker(0);
        worker.install(1, key(toAll, greedy, 0), exact(), actions(list -> {
            list.output(other, 0);
            list.output(third, 0);
        }));
        worker.install(2, key(toGroup, greedy, 0), exact(), actions(list -> list.output(other, 0)));
        worker.install(3, key(toOne, greedy, 0), exact(), actions(list -> list.output(other, 0)));
        long start = System.nanoTime();
        for (int i = 0; i < 25; i++) {
            host.send(greedy, toAll);
            host.send(greedy, toGroup);
        }
        awaitHits(host, 50);
        long refilled = 5 * (System.nanoTime() - start) / TimeUnit.SECONDS.toNanos(1) + 1;
        long over = host.datapath().statistics().drops().get("flood-over-limit");
        assertThat(50 - over).isBetween(5L, 5 + refilled);
        for (int i = 0; i < 10; i++) {
            host.send(greedy, toOne);
        }
        awaitHits(host, 60);
        assertThat(host.datapath().statistics().drops()).as("to one alone").containsEntry("flood-over-limit", over);
        assertThat(statistics(host, greedy).spec().floodsPerSecond()).isEqualTo(5);

        worker.install(4, key(toAll, other, 0), exact(), actions(list -> {
            list.output(greedy, 0);
            list.output(third, 0);
        }));
        for (int i = 0; i < 10; i++) {
            host.send(other, toAll);
        }
        awaitHits(host, 70);
        assertThat(host.datapath().statistics().drops()).as("of another port").containsEntry("flood-over-limit", over);
    }

    @Test
    void aFloodingPortNeverTakesAnothersShareOfTheQueue() {
        TestHost host = host(DatapathConfig.of(1, underlay(1)).withUpcallQueueBytes(64 * 2048));
        int flooding = attach(host);
        int victim = attach(host);
        for (int i = 0; i < 200; i++) {
            host.send(flooding, udp("10.0.0.1", i, "10.0.0.2", 53, 64, 10));
        }
        // Four shares (two ports, the tunnel, state frames) of sixteen chunks.
        awaitDrops(host, "upcall-queue-full", 184);
        for (int i = 0; i < 16; i++) {
            host.send(victim, udp("10.0.0.3", i, "10.0.0.2", 53, 64, 10));
        }
        soon().untilAsserted(
                        () -> assertThat(statistics(host, victim).upcalls()).isEqualTo(16));
        assertThat(host.datapath().statistics().drops()).containsEntry("upcall-queue-full", 184L);
        assertThat(upcalls(host, 32)).hasSize(32);
        host.send(flooding, udp("10.0.0.1", 1, "10.0.0.2", 53, 64, 10));
        assertThat(upcalls(host, 1)).as("room again").hasSize(1);
    }

    @Test
    void awaitEndsForAnUpcallAndForAWakeUp() throws Exception {
        TestHost host = host(underlay(1), 1);
        int a = attach(host);
        WorkerPort worker = host.datapath().worker(0);
        var woken = CompletableFuture.runAsync(() -> worker.await(TimeUnit.MINUTES.toNanos(5)));
        worker.wakeUp();
        woken.get(10, TimeUnit.SECONDS);

        var upcall = CompletableFuture.supplyAsync(() -> {
            int polled = 0;
            while (polled == 0) {
                worker.await(TimeUnit.MINUTES.toNanos(5));
                polled = worker.poll((segment, offset, length, inPort, tunnelKey, reason) -> {}, 1);
            }
            return polled;
        });
        host.send(a, udp("10.0.0.1", 1, "10.0.0.2", 53, 64, 10));
        assertThat(upcall.get(10, TimeUnit.SECONDS)).isEqualTo(1);
    }

    @Test
    void malformedFramesAreDroppedAndCounted() {
        TestHost host = host(underlay(1), 1);
        int a = attach(host);
        byte[] lying = udp("10.0.0.1", 1, "10.0.0.2", 53, 64, 10);
        lying[TestFrames.ETHERNET] = 0x4f;
        host.send(a, lying);
        awaitDrops(host, "bad-ipv4-total-length", 1);
        assertThat(poll(host)).isEmpty();
    }

    @Test
    void everyTamperedFrameIsAnUpcallOrACountedDrop() {
        TestHost host = host(underlay(1), 2);
        int a = attach(host);
        var random = new Random(20260101);
        for (int i = 0; i < 300; i++) {
            byte[] frame = i % 2 == 0
                    ? TestFrames.tcp("10.0.0.1", 1, "10.0.0.2", 2, 3, 0x18, new byte[20])
                    : udp("fd00::1", 1, "fd00::2", 53, 64, 20);
            for (int tampered = 0; tampered < 3; tampered++) {
                frame[random.nextInt(TestFrames.ETHERNET, frame.length)] = (byte) random.nextInt();
            }
            int length = random.nextInt(3) > 0 ? frame.length : random.nextInt(TestFrames.ETHERNET, frame.length);
            host.send(a, Arrays.copyOf(frame, length));
            // A capture ring holds some 250 frames, and on a busy machine its reader may come late.
            int sent = i + 1;
            if (sent % 100 == 0) {
                soon().untilAsserted(() ->
                        assertThat(statistics(host, a).receivedPackets()).isEqualTo(sent));
            }
        }
        soon().untilAsserted(() -> {
            DatapathStatistics statistics = host.datapath().statistics();
            long dropped = statistics.drops().values().stream()
                    .mapToLong(Long::longValue)
                    .sum();
            assertThat(dropped).isPositive();
            assertThat(statistics.misses()).isPositive().isEqualTo(300 - dropped);
        });
    }

    @Test
    void closeReleasesEverything() {
        TestHost first = host(underlay(1), 1);
        PortSpec spec = first.newInterface(UNLIMITED);
        first.datapath().attach(spec);
        first.datapath().close();
        assertThat(first.datapath().ports()).isEmpty();

        TestHost second = host(underlay(1), 1);
        int port = second.datapath().attach(spec);
        assertThat(statistics(second, port).up()).isTrue();
    }

    // Probes.

    @Test
    void aProbeIsAnsweredByTheDatapathItself() {
        TestHost asker = host(underlay(1), 1);
        TestHost asked = host(underlay(2), 1);
        asker.datapath().setPeers(Set.of(underlay(2)));
        asked.datapath().setPeers(Set.of(underlay(1)));
        var question = MemorySegment.ofArray(new byte[ProbeFrame.LENGTH]);
        ProbeFrame.writeQuestion(question, 0, 0x1234_5678_9abcL);

        asker.datapath()
                .worker(0)
                .execute(
                        question,
                        0,
                        ProbeFrame.LENGTH,
                        FlowKey.TUNNEL_PORT,
                        actions(list ->
                                list.tunnel(underlay(2).high(), underlay(2).low(), Datapath.PROBE_KEY, 0)));

        Upcall answer = upcalls(asker, 1).getFirst();
        assertThat(answer.tunnelKey()).isEqualTo(Datapath.PROBE_KEY);
        var frame = MemorySegment.ofArray(answer.frame());
        assertThat(ProbeFrame.isAnswer(frame, 0, ProbeFrame.LENGTH)).isTrue();
        assertThat(ProbeFrame.token(frame, 0)).isEqualTo(0x1234_5678_9abcL);
        assertThat(poll(asked)).isEmpty();
    }

    @Test
    void aStrangersProbeIsNotAnswered() {
        TestHost asker = host(underlay(1), 1);
        TestHost asked = host(underlay(2), 1);
        asker.datapath().setPeers(Set.of(underlay(2)));
        var question = MemorySegment.ofArray(new byte[ProbeFrame.LENGTH]);
        ProbeFrame.writeQuestion(question, 0, 1);
        asker.datapath()
                .worker(0)
                .execute(
                        question,
                        0,
                        ProbeFrame.LENGTH,
                        FlowKey.TUNNEL_PORT,
                        actions(list ->
                                list.tunnel(underlay(2).high(), underlay(2).low(), Datapath.PROBE_KEY, 0)));
        awaitDrops(asked, "unknown-peer", 1);
        assertThat(poll(asker)).isEmpty();
    }

    // Captures.

    @Test
    void aCaptureSeesWhatComesFromTheVmAndWhatGoesToIt() {
        TestHost host = host(underlay(1), 1);
        int a = attach(host);
        int b = attach(host);
        byte[] frame = udp("10.0.0.1", 1000, "10.0.0.2", 53, 64, 10);
        host.datapath().worker(0).install(1, key(frame, a, 0), toDestination(), actions(list -> {
            list.decTtl();
            list.output(b, 0);
        }));
        var seen = new CopyOnWriteArrayList<String>();
        Capture.Sink sink = (fromVm, segment, offset, length) -> seen.add((fromVm ? "from" : "to") + " ttl "
                + segment.get(ValueLayout.JAVA_BYTE, offset + TestFrames.ETHERNET + 8) + " of " + length);

        try (Capture ofA = host.datapath().capture(a, 1000, sink);
                Capture ofB = host.datapath().capture(b, 1000, sink)) {
            host.send(a, frame);
            received(host, b);
            soon().untilAsserted(() -> assertThat(seen)
                    .containsExactlyInAnyOrder("from ttl 64 of " + frame.length, "to ttl 63 of " + frame.length));
            assertThat(ofA.missed() + ofB.missed()).isZero();
        }
        host.send(a, frame);
        received(host, b);
        assertThat(seen).as("closed").hasSize(2);
    }

    @Test
    void aCaptureIsBoundedAndCountsWhatItMissed() {
        TestHost host = host(underlay(1), 1);
        int a = attach(host);
        byte[] frame = udp("10.0.0.1", 1000, "10.0.0.2", 53, 64, 10);
        host.datapath().worker(0).install(1, key(frame, a, 0), toDestination(), new ActionList());
        var seen = new AtomicInteger();
        try (Capture capture =
                host.datapath().capture(a, 1, (fromVm, segment, offset, length) -> seen.incrementAndGet())) {
            for (int i = 0; i < 20; i++) {
                host.send(a, frame);
            }
            awaitHits(host, 20);
            soon().untilAsserted(() -> assertThat(capture.missed() + seen.get()).isEqualTo(20));
            assertThat(seen.get()).isBetween(1, 5);
        }
        assertThatThrownBy(() -> host.datapath().capture(4711, 1, (fromVm, segment, offset, length) -> {}))
                .isInstanceOf(DatapathException.class)
                .hasMessageContaining("4711");
    }

    @ParameterizedTest
    @ValueSource(strings = {"10.0.0.1 10.0.0.2", "fd00::1 fd00::2"})
    void laterFragmentsAreLookedUpByThePortsOfTheirFirst(String addresses) {
        boolean v4 = addresses.indexOf(':') < 0;
        String[] pair = addresses.split(" ");
        String src = v4 ? pair[0] + ":1000" : "[" + pair[0] + "]:1000";
        String dst = v4 ? pair[1] + ":53" : "[" + pair[1] + "]:53";
        byte[] first = Frames.udp(src, dst).payload(64).fragment(7, 0, true).bytes();
        byte[] later = Frames.udp(src, dst).payload(64).fragment(7, 72, true).bytes();
        byte[] last = Frames.udp(src, dst).payload(9).fragment(7, 136, false).bytes();
        byte[] anothers =
                Frames.udp(src, dst).payload(9).fragment(8, 136, false).bytes();
        TestHost host = host(underlay(1), 1);
        int a = attach(host);
        int b = attach(host);

        host.send(a, later);
        upcalls(host, 1);
        assertThat(keyAt(host, later, a).l4Dst()).as("before the first").isZero();

        host.send(a, first);
        upcalls(host, 1);
        FlowKey known = keyAt(host, later, a);
        assertThat(known.l4Src()).isEqualTo(1000);
        assertThat(known.l4Dst()).isEqualTo(53);
        assertThat(known.fragment()).isEqualTo(FlowKey.LATER_FRAGMENT);
        assertThat(keyAt(host, later, b).l4Dst()).as("at another port").isZero();
        assertThat(keyAt(host, anothers, a).l4Dst()).as("of another packet").isZero();
        assertThat(keyAt(host, first, a)).isEqualTo(key(first, a, 0));

        assertThat(host.datapath().worker(0).install(1, known, exact(), actions(list -> list.output(b, 0))))
                .isEqualTo(WorkerPort.INSTALLED);
        host.send(a, later);
        assertThat(received(host, b)).isEqualTo(later);
        host.send(a, last);
        assertThat(received(host, b)).isEqualTo(last);
        host.send(a, anothers);
        assertThat(upcalls(host, 1)).hasSize(1);
    }

    @ParameterizedTest
    @ValueSource(strings = {"10.0.0.1 10.0.0.2", "fd00::1 fd00::2"})
    void laterFragmentsOfAnEchoHaveItsIdAndType(String addresses) {
        String[] pair = addresses.split(" ");
        var request = Frames.echoRequest(pair[0], pair[1], 4711, 1).payload(64);
        byte[] first = request.fragment(7, 0, true).bytes();
        byte[] later = request.fragment(7, 72, false).bytes();
        TestHost host = host(underlay(1), 1);
        int a = attach(host);
        host.send(a, first);
        upcalls(host, 1);
        FlowKey known = keyAt(host, later, a);
        FlowKey whole = keyAt(host, first, a);
        assertThat(known.icmpId()).isEqualTo(4711).isEqualTo(whole.icmpId());
        assertThat(known.l4Src()).isNotZero().isEqualTo(whole.l4Src());
        assertThat(known.l4Dst()).isEqualTo(whole.l4Dst());

        assertThat(host.datapath().worker(0).install(1, known, exact(), new ActionList()))
                .isEqualTo(WorkerPort.INSTALLED);
        host.send(a, later);
        awaitHits(host, 1);
    }
}
