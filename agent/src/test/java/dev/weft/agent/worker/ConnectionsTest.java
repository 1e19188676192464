package dev.weft.agent.worker;

import static org.assertj.core.api.Assertions.assertThat;

import dev.weft.agent.TestNetwork;
import dev.weft.base.IpAddress;
import dev.weft.base.MacAddress;
import dev.weft.datapath.memory.MemoryFabric;
import dev.weft.sim.packet.Frames;
import dev.weft.sim.packet.Tcp;
import java.util.Set;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

class ConnectionsTest {
    private static final String A_MAC = "02:00:00:00:01:05";
    private static final String B_MAC = "02:00:00:00:01:09";

    private final MemoryFabric fabric = new MemoryFabric();
    private final TestNetwork net = new TestNetwork("t")
            .bridge("left")
            .vm("a", "left", WorkerBench.HERE, true)
            .vm("b", "left", WorkerBench.THERE, false);
    private final WorkerBench here = new WorkerBench(fabric, "172.16.0.1", 2, 4096);
    private final WorkerBench second = new WorkerBench(fabric, "172.16.0.2", 1, 4096);
    private final WorkerBench third = new WorkerBench(fabric, "172.16.0.3", 1, 4096);
    private int a;

    @BeforeEach
    void build() {
        here.build(net);
        a = here.attach(net, "a");
        Set<IpAddress> peers = Set.of(IpAddress.parse("172.16.0.1"));
        second.datapath.setPeers(peers);
        third.datapath.setPeers(peers);
        here.tell(new Command.MacLearned(
                here.network.bridgeIndex(net.bridgeId("left")),
                0,
                MacAddress.parse(B_MAC).bits(),
                b()));
    }

    @AfterEach
    void close() {
        here.close();
        second.close();
        third.close();
    }

    @Test
    void theHostThatTheRemoteEndMovesToHearsOfAConnectionBegunBefore() {
        here.tell(at("172.16.0.2"));
        send();
        assertThat(received(second))
                .as("the first packet's record, and its MAC")
                .isPositive();
        assertThat(received(third)).isZero();

        here.tell(at("172.16.0.3"));
        send();

        assertThat(received(third)).as("the record, ahead of the next packet").isPositive();
    }

    @Test
    void packetsThatAFlowAnswersTellNobody() {
        here.tell(at("172.16.0.2"));
        send();
        long told = here.count(WorkerCounter.STATE_SENT);

        send();
        send();

        assertThat(here.count(WorkerCounter.STATE_SENT)).isEqualTo(told);
    }

    @Test
    void nextPacketOfATcpConnectionFindsItsFlow() {
        here.tell(at("172.16.0.2"));
        sendTcp(Tcp.SYN);
        assertThat(here.count(WorkerCounter.INSTALLED)).as("one flow").isEqualTo(1);
        long cameUp = here.count(WorkerCounter.SIMULATIONS);

        sendTcp(Tcp.ACK);
        sendTcp(Tcp.ACK | Tcp.PSH);

        assertThat(here.count(WorkerCounter.SIMULATIONS)).isEqualTo(cameUp);
    }

    @Test
    void everyFlagIsSeenWhereARuleAsksHowFarConnectionsAre() {
        here.build(net.dropsClosing("b"));
        here.tell(at("172.16.0.2"));
        sendTcp(Tcp.SYN);
        long cameUp = here.count(WorkerCounter.SIMULATIONS);

        sendTcp(Tcp.FIN | Tcp.ACK);
        sendTcp(Tcp.RST);

        assertThat(here.count(WorkerCounter.SIMULATIONS)).isEqualTo(cameUp + 2);
    }

    @Test
    void aRuleThatBeginsToAskHowFarConnectionsAreMeetsTheEndOfThoseThatAreOpen() {
        here.tell(at("172.16.0.2"));
        sendTcp(Tcp.SYN);
        sendTcp(Tcp.ACK);
        here.build(net.vm("c", "left", WorkerBench.THERE, false).dropsClosing("c"));
        sendTcp(Tcp.ACK);
        long cameUp = here.count(WorkerCounter.SIMULATIONS);

        sendTcp(Tcp.FIN | Tcp.ACK);

        assertThat(here.count(WorkerCounter.SIMULATIONS)).isEqualTo(cameUp + 1);
    }

    @Test
    void firstAckIsSeenWhereARuleAsksHowFarConnectionsAre() {
        here.build(net.dropsClosing("b"));
        here.tell(at("172.16.0.2"));
        sendTcp(Tcp.SYN);
        long cameUp = here.count(WorkerCounter.SIMULATIONS);

        sendTcp(Tcp.ACK);

        assertThat(here.count(WorkerCounter.SIMULATIONS)).isEqualTo(cameUp + 1);
    }

    private void sendTcp(int flags) {
        here.send(
                a,
                Frames.tcp("10.0.1.5:1000", "10.0.1.9:80")
                        .flags(flags)
                        .from(A_MAC)
                        .to(B_MAC)
                        .bytes());
    }

    private void send() {
        here.send(
                a,
                Frames.udp("10.0.1.5:1000", "10.0.1.9:53").from(A_MAC).to(B_MAC).bytes());
        second.turn();
        third.turn();
    }

    private Command at(String host) {
        var address = IpAddress.parse(host);
        return new Command.RemotePort(b(), address.high(), address.low(), 99);
    }

    private int b() {
        return here.network.portIndex(net.portId("b"));
    }

    private static long received(WorkerBench bench) {
        return bench.count(WorkerCounter.STATE_RECEIVED);
    }

    @Test
    void connectionThatARuleForbidsNowEndsHereAndWhereItIsKnown() {
        here.tell(at("172.16.0.2"));
        send();
        assertThat(here.count(WorkerCounter.CONNECTIONS)).isZero(); // shown with the next sweep
        show();
        assertThat(here.count(WorkerCounter.CONNECTIONS)).isEqualTo(1);
        assertThat(second.count(WorkerCounter.CONNECTIONS)).isEqualTo(1);

        here.build(net.drops("b", "udp"));
        second.turn();
        show();

        assertThat(here.count(WorkerCounter.CONNECTIONS)).as("here").isZero();
        assertThat(second.count(WorkerCounter.CONNECTIONS)).as("there").isZero();
    }

    @Test
    void connectionThatASecurityGroupLetInEndsWithItsRule() {
        here.build(net.guarded("b", "udp"));
        here.tell(at("172.16.0.2"));
        send();
        show();
        assertThat(here.count(WorkerCounter.CONNECTIONS)).isEqualTo(1);

        here.build(net.guarded("b", "tcp"));
        second.turn();
        show();

        assertThat(here.count(WorkerCounter.CONNECTIONS)).as("here").isZero();
        assertThat(second.count(WorkerCounter.CONNECTIONS)).as("there").isZero();
    }

    @Test
    void connectionsGoOnWhenTheNetworkChangesElsewhere() {
        here.tell(at("172.16.0.2"));
        send();
        here.build(net.bridge("spare"));
        show();
        assertThat(here.count(WorkerCounter.CONNECTIONS)).isEqualTo(1);
    }

    @Test
    void packetsOfAConnectionThatNobodyElseKnowsComeUpOnce() {
        try (var alone = new WorkerBench(fabric, "172.16.0.4", 1, 4096)) {
            alone.build(net);
            int from = alone.attach(net, "a");
            alone.attach(net, "b");
            alone.tell(new Command.MacLearned(
                    alone.network.bridgeIndex(net.bridgeId("left")),
                    0,
                    MacAddress.parse(B_MAC).bits(),
                    alone.network.portIndex(net.portId("b"))));
            byte[] frame = Frames.udp("10.0.1.5:1000", "10.0.1.9:53")
                    .from(A_MAC)
                    .to(B_MAC)
                    .bytes();
            alone.send(from, frame);
            long upcalls = alone.count(WorkerCounter.UPCALLS);

            for (int i = 0; i < 200; i++) {
                alone.now += 300_000_000;
                alone.turn();
                alone.send(from, frame);
            }

            assertThat(alone.count(WorkerCounter.CONNECTIONS)).isEqualTo(1);
            assertThat(alone.count(WorkerCounter.UPCALLS))
                    .as("refreshed while its flow stays")
                    .isEqualTo(upcalls);
        }
    }

    /** Lets a sweep's time pass. */
    private void show() {
        for (WorkerBench bench : new WorkerBench[] {here, second}) {
            bench.now += 300_000_000;
            bench.turn();
        }
    }
}
