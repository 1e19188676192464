package dev.weft.datapath.userspace;

import static org.assertj.core.api.Assertions.assertThat;

import dev.weft.base.IpAddress;
import dev.weft.datapath.DatapathConfig;
import dev.weft.datapath.PortSpec;
import dev.weft.datapath.TestFrames;
import dev.weft.datapath.link.NetworkNamespace;
import dev.weft.sim.flow.ActionList;
import dev.weft.sim.packet.Tshark;
import java.lang.foreign.MemorySegment;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.UUID;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.pcap4j.core.PcapHandle;

/** What stands on the underlay's wire, read by tshark: over either IP version, on the port that is VXLAN's. */
class TunnelWireIT {
    @ParameterizedTest
    @CsvSource({"172.16.9.1, 172.16.9.2, ip", "fd00:9::1, fd00:9::2, ipv6"})
    void theWireCarriesVxlanAsTsharkKnowsIt(String near, String far, String outer, @TempDir Path folder)
            throws Exception {
        Assumptions.assumeTrue(Tshark.isPresent(), "skipped: tshark is not installed");
        try (var network = TestNetwork.createOrSkip()) {
            String underlay = network.addNamespace(near, far);
            String name = network.addVeth(1500);
            PcapHandle vm = network.playVm(name);
            PcapHandle wire = network.listen(underlay, "lo");
            byte[] frame = TestFrames.udp("10.0.0.1", 1000, "10.0.0.2", 5353, 64, 300);
            try (var sender = open(underlay, near);
                    var receiver = open(underlay, far)) {
                int port = receiver.attach(new PortSpec(UUID.randomUUID(), name, network.hostNamespace(), 10));
                receiver.setPeers(Set.of(IpAddress.parse(near)));
                receiver.bindTunnelKey(0xabcdef, port);
                send(sender, IpAddress.parse(far), frame);
                Awaitility.await()
                        .untilAsserted(() -> assertThat(vm.getNextRawPacket()).isEqualTo(frame));
            }
            String line = dissect(wire, folder, outer);
            assertThat(line).isEqualTo("4789,5353\t0x0800\t11259375\t" + near + "\t" + far);
            vm.close();
            wire.close();
        }
    }

    private static UserspaceDatapath open(String namespace, String address) {
        return NetworkNamespace.named(namespace)
                .call(() -> new UserspaceDatapath(DatapathConfig.of(1, IpAddress.parse(address))));
    }

    private static void send(UserspaceDatapath sender, IpAddress remote, byte[] frame) {
        var actions = new ActionList();
        actions.tunnel(remote.high(), remote.low(), 0xabcdef, 0);
        sender.worker(0).execute(MemorySegment.ofArray(frame), 0, frame.length, 1, actions);
    }

    private static String dissect(PcapHandle wire, Path folder, String outer) throws Exception {
        List<byte[]> frames = new ArrayList<>();
        for (byte[] frame = wire.getNextRawPacket(); frame != null; frame = wire.getNextRawPacket()) {
            frames.add(frame);
        }
        List<String> lines = Tshark.fields(
                folder, frames, "udp.dstport", "vxlan.flags", "vxlan.vni", outer + ".src", outer + ".dst");
        String line =
                lines.stream().filter(each -> each.contains("5353")).findFirst().orElseThrow();
        // Over IPv4 the inner addresses follow the outer ones in the same fields.
        return line.replace(",10.0.0.1", "").replace(",10.0.0.2", "");
    }
}
