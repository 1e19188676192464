package dev.weft.sim;

import static org.assertj.core.api.Assertions.assertThat;

import dev.weft.base.Allocation;
import dev.weft.base.MacAddress;
import dev.weft.sim.packet.Frames;
import dev.weft.sim.packet.Packet;
import dev.weft.topology.schema.AllowedPair;
import dev.weft.topology.schema.DhcpSubnet;
import java.nio.ByteBuffer;
import java.util.List;
import org.junit.jupiter.api.Test;

/** VLANs, port security, DHCP and path MTU leave nothing behind per packet. */
class LayerTwoAllocationTest {
    private static final String MAC = "02:00:00:00:00:05";
    private static final int PACKETS = 100_000;

    private final Topology net = Topology.build(t -> t.bridge(
                    "b",
                    DhcpSubnet.newBuilder()
                            .setSubnet("10.0.1.0/24")
                            .setRouter("10.0.1.1")
                            .addDns("10.0.1.53")
                            .setVlan(10)
                            .build())
            .router("r")
            .join("b", "r", port -> port.setVlan(10), "10.0.1.1/24", "fd00:1::1/64")
            .vm(
                    "a",
                    "b",
                    "here",
                    port -> port.setVlan(10)
                            .setMac(MAC)
                            .addAddresses("10.0.1.5/24")
                            .addAddresses("fd00:1::5/64")
                            .setSecurity(true)
                            .addAllowedPairs(AllowedPair.newBuilder().setAddress("10.0.9.0/24")))
            .vm("trunk", "b", "here", port -> port.addTrunk("10-20").setNativeVlan(30))
            .vm("small", "b", "here", port -> port.setVlan(10).setMtu(600))
            .vm("far", "b", "there", port -> port.setVlan(10))
            .vm("far-trunk", "b", "yonder", port -> port.addTrunk("10")));
    private final int a = net.portIndex("a");
    private final Outcome out = new Outcome();
    private final int[] reasons = new int[DropReason.values().length];
    private int emitted;

    @Test
    void simulatesWithoutAllocating() {
        net.learnMac("b", 10, net.mac("small"), "small");
        List<Packet> packets = packets();
        run(packets, 200_000);
        for (Packet packet : packets) {
            List<Packet> one = List.of(packet);
            run(one, 20_000);
            assertThat(Allocation.bytes(() -> run(one, PACKETS)))
                    .as("bytes for packets like %s", packet.key)
                    .isZero();
        }
        assertThat(emitted).as("DHCP, ARP, ND and ICMP answers").isPositive();
        for (DropReason why : List.of(
                DropReason.SPOOFED_MAC,
                DropReason.SPOOFED_ADDRESS,
                DropReason.SPOOFED_NEIGHBOUR,
                DropReason.ROGUE_DHCP,
                DropReason.ROGUE_ROUTER,
                DropReason.TOO_LONG)) {
            assertThat(reasons[why.ordinal()]).as(why.label()).isPositive();
        }
    }

    private List<Packet> packets() {
        return List.of(
                from(MAC, Frames.udp("10.0.1.5:1000", "10.0.1.9:53").to("02:00:00:00:00:77")),
                from(MAC, Frames.udp("10.0.9.5:1000", "10.0.1.9:53").to(net.mac("trunk"))),
                from(
                        MAC,
                        Frames.udp("10.0.1.5:1000", "10.0.1.9:53")
                                .payload(700)
                                .dontFragment()
                                .to(net.mac("small"))),
                from(MAC, Frames.udp("10.0.1.6:1000", "10.0.1.9:53").to(net.mac("trunk"))),
                from(MAC, Frames.udp("10.0.1.5:67", "10.0.1.9:68").to(net.mac("trunk"))),
                from(
                        "02:00:00:00:00:66",
                        Frames.udp("10.0.1.5:1000", "10.0.1.9:53").to(net.mac("trunk"))),
                from(MAC, Frames.arpRequest("10.0.1.5", "10.0.1.1")),
                from(MAC, Frames.arpRequest("10.0.1.6", "10.0.1.1")),
                from(MAC, Frames.neighbourSolicitation("fd00:1::5", "fd00:1::1")),
                from(MAC, Frames.icmp("fd00:1::5", "ff02::1", 134, 0, 0).payload(8)),
                from(
                        MAC,
                        Frames.udp("0.0.0.0:68", "255.255.255.255:67")
                                .payload(discover())
                                .to("ff:ff:ff:ff:ff:ff")));
    }

    private Packet from(String mac, Frames frame) {
        var packet = frame.from(mac).packet();
        packet.key.setIngress(net.portIndex("a") + 1, 0);
        return packet;
    }

    private static byte[] discover() {
        long bits = MacAddress.parse(MAC).bits();
        return ByteBuffer.allocate(244)
                .put(new byte[] {1, 1, 6, 0})
                .putShort(28, (short) (bits >>> 32))
                .putInt(30, (int) bits)
                .putInt(236, 0x6382_5363)
                .put(240, new byte[] {53, 1, 1, (byte) 255})
                .array();
    }

    private void run(List<Packet> packets, int count) {
        for (int i = 0; i < count; i++) {
            Packet packet = packets.get(i % packets.size());
            if (i % 2 == 0) {
                net.simulator().simulate(packet, a, net.now, out);
            } else {
                net.simulator().simulateTooLong(packet, a, net.now, out);
            }
            emitted += out.emitCount();
            DropReason why = out.dropReason();
            if (why != null) {
                reasons[why.ordinal()]++;
            }
        }
    }
}
