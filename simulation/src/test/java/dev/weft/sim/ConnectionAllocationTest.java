package dev.weft.sim;

import static org.assertj.core.api.Assertions.assertThat;

import dev.weft.base.Allocation;
import dev.weft.sim.packet.Frames;
import dev.weft.sim.packet.Packet;
import dev.weft.topology.schema.Chain;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

/** New connections through translation, balancers, stateful rules that are logged and security groups, their answers, and ICMP errors about them. */
class ConnectionAllocationTest {
    private static final int PACKETS = 1_000_000;
    private static final String OUTSIDE_MAC = "02:00:00:00:99:01";

    private final Topology net = Topology.build(t -> t.bridge("b1")
            .router("r")
            .join("b1", "r", "10.0.1.1/24")
            .uplink("up", "r", "here", "203.0.113.2/24")
            .route("r", "0.0.0.0/0 port up via 203.0.113.1")
            .vm("a", "b1")
            .vm("m", "b1")
            .nat("r", "out", "source from 10.0.1.0/24 out of up to 203.0.113.10")
            .nat("r", "floating", "static from 10.0.1.7 out of up to 203.0.113.7")
            .nat("r", "web", "destination for 203.0.113.9 udp 53 to 10.0.1.6 ports 5353")
            .pool("p", "10.0.1.6:8080")
            .balancer("r", "front", "203.0.113.80 tcp 80", "p")
            .serviceBlock("ours", "0x00004001/32")
            .serviceTable("table", "0x00004001/32 forward 10.0.1.6, forward 10.0.1.7 weight 3")
            .services("router", "r", "table")
            .service("r", "late", "0x00004001", "203.0.113.90 tcp 80 to 8080")
            .chain("only-known", "connection forward,answer,related,new accept", "drop")
            .chainLog("only-known", Chain.Log.ALL)
            .securityGroup("all", "in udp", "in tcp 8080 from 0.0.0.0/0", "in icmp 3", "out udp", "out tcp", "log-all")
            .guard("a", "all")
            .guard("m", "all")
            .hook("router", "r", "forward", "only-known"));
    private final Outcome out = new Outcome();
    private int forwarded;

    @Test
    void connectsTranslatesAndAnswersAMillionTimesWithoutAllocating() {
        net.settle("a", "10.0.1.5");
        net.settle("m", "10.0.1.6", "10.0.1.7");
        net.learnNeighbour("r", "203.0.113.1", OUTSIDE_MAC);
        net.grant("out", "203.0.113.10", 1024, 60_000);
        net.tables().connections().setEnding((table, slot) -> {});
        List<Packet> packets = new ArrayList<>();
        packets.add(inside(Frames.udp("10.0.1.5:1", "8.8.8.8:53")));
        packets.add(inside(Frames.tcp("10.0.1.5:1", "8.8.8.8:443").flags(2)));
        packets.add(inside(Frames.udp("10.0.1.7:1", "8.8.8.8:53")));
        packets.add(outside(Frames.udp("198.51.100.1:1", "203.0.113.9:53")));
        packets.add(outside(Frames.tcp("198.51.100.1:1", "203.0.113.80:80").flags(2)));
        packets.add(outside(Frames.tcp("198.51.100.1:1", "203.0.113.90:80").flags(2)));
        packets.add(outside(Frames.icmp("192.0.2.1", "203.0.113.10", 3, 1, 0)
                .payload(Frames.udp("203.0.113.10:1024", "8.8.8.8:53").ipBytes())));
        run(packets, 300_000);
        assertThat(Allocation.bytes(() -> run(packets, PACKETS))).isZero();
        assertThat(forwarded).isGreaterThan(PACKETS);
    }

    private Packet inside(Frames frame) {
        return entering("a", frame.from(net.mac("a")).to(net.mac("r-b1")));
    }

    private Packet outside(Frames frame) {
        return entering("up", frame.from(OUTSIDE_MAC).to(net.mac("up")));
    }

    private Packet entering(String port, Frames frame) {
        var packet = frame.packet();
        packet.key.setIngress(net.portIndex(port) + 1, 0);
        return packet;
    }

    private void run(List<Packet> packets, int count) {
        for (int i = 0; i < count; i++) {
            Packet packet = packets.get(i % packets.size());
            int protocol = packet.key.protocol();
            if (protocol != 1) {
                packet.key.setTransport(protocol, 0, 0, packet.key.tcpFlags(), 1024 + i % 60_000, packet.key.l4Dst());
            }
            net.simulator().simulate(packet, packet.key.inPort() - 1, net.now, out);
            forwarded += out.kind() == Outcome.Kind.FORWARD ? 1 : 0;
            if (out.hasConnection()) {
                net.tables().connections().put(out.connection(), out.connectionTcpFlags(), net.now);
            }
        }
    }
}
