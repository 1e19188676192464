package dev.weft.datapath.ebpf;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;

import dev.weft.datapath.Datapath;
import dev.weft.datapath.DatapathConfig;
import dev.weft.datapath.PortSpec;
import dev.weft.datapath.TestHost;
import dev.weft.datapath.link.Links;
import dev.weft.datapath.link.NetworkNamespace;
import dev.weft.datapath.link.PacketSocket;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.HashMap;
import java.util.Map;
import java.util.Objects;
import java.util.UUID;
import org.jspecify.annotations.Nullable;

/** A host of the suites. Each interface is a veth whose far end, in the VMs' namespace, is played by a packet socket. */
final class EbpfHost implements TestHost {
    private final EbpfUnderlay network;
    private final String namespace;
    private final EbpfDatapath datapath;
    private final Map<String, PacketSocket> vms = new HashMap<>();
    private final Map<Integer, String> names = new HashMap<>();
    private final Arena arena = Arena.ofShared();
    private final MemorySegment buffer = arena.allocate(70_000, 8);

    EbpfHost(EbpfUnderlay network, String namespace, EbpfDatapath datapath) {
        this.network = network;
        this.namespace = namespace;
        this.datapath = datapath;
    }

    /** The same machine and interfaces, another process. */
    EbpfHost reopen(DatapathConfig config) {
        var host = new EbpfHost(network, namespace, new EbpfDatapath(config.withNamespace(namespace)));
        host.names.putAll(names);
        host.vms.putAll(vms);
        vms.clear();
        return host;
    }

    /** Remembers which port is where, as long as the datapath can tell: its VMs go on when it is closed. */
    @Override
    public Datapath datapath() {
        datapath.ports().forEach(each -> names.put(each.port(), each.spec().interfaceName()));
        return datapath;
    }

    @Override
    public PortSpec newInterface(int upcallsPerSecond) {
        String name = network.addVeth(namespace);
        var machines = NetworkNamespace.named(network.vms());
        try (var links = Links.in(machines)) {
            vms.put(name, PacketSocket.open(machines, links.get(name).ifindex()));
        }
        return new PortSpec(UUID.randomUUID(), name, namespace, upcallsPerSecond);
    }

    private String nameOf(int port) {
        return Objects.requireNonNull(names.computeIfAbsent(
                port,
                fresh -> datapath.ports().stream()
                        .filter(each -> each.port() == fresh)
                        .map(each -> each.spec().interfaceName())
                        .findFirst()
                        .orElse(null)));
    }

    private PacketSocket vm(int port) {
        return Objects.requireNonNull(vms.get(nameOf(port)));
    }

    @Override
    public void send(int port, byte[] frame) {
        MemorySegment.copy(frame, 0, buffer, JAVA_BYTE, 0, frame.length);
        int sent = vm(port).send(buffer, 0, frame.length);
        if (sent != frame.length) {
            throw new IllegalStateException("the VM of port " + port + " cannot send: " + sent);
        }
    }

    @Override
    public byte @Nullable [] receive(int port) {
        int length = vm(port).receive(buffer);
        return length > 0 ? buffer.asSlice(0, length).toArray(JAVA_BYTE) : null;
    }

    @Override
    public void destroy(int port) {
        String name = nameOf(port);
        Objects.requireNonNull(vms.remove(name)).close();
        network.removeVeth(namespace, name);
    }

    @Override
    public void close() {
        datapath.close();
        vms.values().forEach(PacketSocket::close);
        arena.close();
    }
}
