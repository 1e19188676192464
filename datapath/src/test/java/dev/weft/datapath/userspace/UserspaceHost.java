package dev.weft.datapath.userspace;

import dev.weft.datapath.Datapath;
import dev.weft.datapath.PortSpec;
import dev.weft.datapath.TestHost;
import java.util.HashMap;
import java.util.Map;
import java.util.Objects;
import java.util.UUID;
import org.jspecify.annotations.Nullable;
import org.pcap4j.core.NotOpenException;
import org.pcap4j.core.PcapHandle;
import org.pcap4j.core.PcapNativeException;

/** A host of the suites. Each interface is a veth whose far end, in the VMs' namespace, is played through libpcap. */
final class UserspaceHost implements TestHost {
    private final TestNetwork network;
    private final UserspaceDatapath datapath;
    private final Map<String, PcapHandle> vms = new HashMap<>();

    UserspaceHost(TestNetwork network, UserspaceDatapath datapath) {
        this.network = network;
        this.datapath = datapath;
    }

    @Override
    public Datapath datapath() {
        return datapath;
    }

    @Override
    public PortSpec newInterface(int upcallsPerSecond) {
        String name = network.addVeth(1500);
        vms.put(name, network.playVm(name));
        return new PortSpec(UUID.randomUUID(), name, network.hostNamespace(), upcallsPerSecond);
    }

    private String nameOf(int port) {
        return datapath.ports().stream()
                .filter(each -> each.port() == port)
                .map(each -> each.spec().interfaceName())
                .findFirst()
                .orElseThrow();
    }

    private PcapHandle vm(int port) {
        return Objects.requireNonNull(vms.get(nameOf(port)));
    }

    @Override
    public void send(int port, byte[] frame) {
        try {
            vm(port).sendPacket(frame);
        } catch (PcapNativeException | NotOpenException refused) {
            throw new IllegalStateException("the VM of port " + port + " cannot send", refused);
        }
    }

    @Override
    public byte @Nullable [] receive(int port) {
        try {
            return vm(port).getNextRawPacket();
        } catch (NotOpenException closed) {
            throw new IllegalStateException("the VM of port " + port + " is gone", closed);
        }
    }

    @Override
    public void destroy(int port) {
        String name = nameOf(port);
        Objects.requireNonNull(vms.remove(name)).close();
        network.removeVeth(name);
    }

    @Override
    public void close() {
        datapath.close();
        vms.values().forEach(PcapHandle::close);
    }
}
