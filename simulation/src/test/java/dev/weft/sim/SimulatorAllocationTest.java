package dev.weft.sim;

import static org.assertj.core.api.Assertions.assertThat;

import dev.weft.base.Allocation;
import dev.weft.sim.packet.Frames;
import dev.weft.sim.packet.Packet;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

/** A worker simulates for days: nothing may be left behind per packet, whatever becomes of it. */
class SimulatorAllocationTest {
    private static final int PACKETS = 1_000_000;

    private final Topology net = Topology.build(t -> {
        t.bridge("b1", "10.0.1.99=02:00:00:00:00:99").bridge("b2").router("r");
        t.join("b1", "r", "10.0.1.1/24", "fd00:1::1/64").join("b2", "r", "10.0.2.1/24", "fd00:2::1/64");
        t.vm("a", "b1").statefulVm("s", "b1", "here").vm("z", "b2").vm("far", "b2", "there");
        t.route("r", "10.5.0.0/16 port r-b2 via 10.0.2.9").route("r", "10.5.0.0/16 port r-b2 via 10.0.2.7");
    });
    private final int a = net.portIndex("a");
    private final int s = net.portIndex("s");
    private final Outcome out = new Outcome();
    private final int[] kinds = new int[Outcome.Kind.values().length];

    @Test
    void simulatesAMillionPacketsWithoutAllocating() {
        net.settle("a", "10.0.1.5", "fd00:1::5");
        net.settle("z", "10.0.2.9", "fd00:2::9");
        net.settle("far", "10.0.2.7");
        net.tables().connections().setEnding((table, slot) -> {});
        List<Packet> packets = packets();
        run(packets, 300_000);
        assertThat(Allocation.bytes(() -> run(packets, PACKETS))).isZero();
        assertThat(kinds).as("each kind of outcome occurred").doesNotContain(0);
    }

    private List<Packet> packets() {
        List<Packet> packets = new ArrayList<>();
        add(packets, Frames.udp("10.0.1.5:1000", "10.0.2.9:53"));
        add(packets, Frames.udp("[fd00:1::5]:1000", "[fd00:2::9]:53"));
        add(packets, Frames.udp("10.0.1.5:1000", "10.0.2.7:53"));
        add(packets, Frames.udp("10.0.1.5:1000", "10.5.3.3:53"));
        add(packets, Frames.udp("10.0.1.5:1000", "10.0.2.77:53"));
        add(packets, Frames.udp("10.0.1.5:1000", "10.9.9.9:53"));
        add(packets, Frames.udp("10.0.1.5:1000", "10.0.2.9:53").ttl(1));
        add(packets, Frames.echoRequest("10.0.1.5", "10.0.1.1", 1, 1));
        add(packets, Frames.echoRequest("fd00:1::5", "fd00:1::1", 1, 1));
        packets.add(from(Frames.udp("10.0.1.5:1000", "10.0.1.8:53").to(net.mac("s"))));
        packets.add(from(Frames.arpRequest("10.0.1.5", "10.0.1.1")));
        packets.add(from(Frames.arpRequest("10.0.1.5", "10.0.1.99")));
        packets.add(from(Frames.arpRequest("10.0.1.5", "10.0.1.33")));
        packets.add(from(Frames.neighbourSolicitation("fd00:1::5", "fd00:1::1")));
        return packets;
    }

    private void add(List<Packet> packets, Frames frame) {
        packets.add(from(frame.to(net.mac("r-b1"))));
    }

    private Packet from(Frames frame) {
        var packet = frame.from(net.mac("a")).packet();
        packet.key.setIngress(net.portIndex("a") + 1, 0);
        return packet;
    }

    /** Every packet is a connection of its own; those from strangers teach the bridge a MAC. */
    private void run(List<Packet> packets, int count) {
        for (int i = 0; i < count; i++) {
            Packet packet = packets.get(i % packets.size());
            if (packet.key.protocol() == 17) {
                packet.key.setTransport(17, 0, 0, 0, i & 0xffff, i >>> 16);
            }
            if (i % 64 == 0) {
                packet.key.setSrcMac(0x0600_0000_0000L | i & 0xfff);
            }
            net.simulator().simulate(packet, i % 5 == 0 ? s : a, net.now, out);
            kinds[out.kind().ordinal()]++;
            for (int j = 0; j < out.learnedMacCount(); j++) {
                net.tables()
                        .learnMac(
                                out.learnedMacBridge(j),
                                out.learnedMacVlan(j),
                                out.learnedMac(j),
                                out.learnedMacPort(j));
            }
            if (out.hasConnection()) {
                net.tables().connections().put(out.connection(), out.connectionTcpFlags(), net.now);
            }
        }
    }
}
