package dev.weft.datapath.ebpf;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;

import dev.weft.datapath.Datapath;
import dev.weft.datapath.DatapathConfig;
import dev.weft.datapath.PortSpec;
import dev.weft.datapath.TestHost;
import dev.weft.datapath.link.Links;
import dev.weft.datapath.link.NetworkNamespace;
import dev.weft.datapath.link.PacketSocket;
import dev.weft.datapath.link.VirtioNetHeader;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.HashMap;
import java.util.Map;
import java.util.Objects;
import java.util.UUID;
import org.jspecify.annotations.Nullable;

/**
 * A host of the suites. Each interface is a veth whose far end, in the VMs' namespace, is played by a packet socket, or
 * a tap played by the program behind it.
 */
final class EbpfHost implements TestHost {
    /** What plays a VM. Lengths, or negative errnos. */
    private interface Vm extends AutoCloseable {
        int send(MemorySegment frame);

        int receive(MemorySegment buffer);

        @Override
        void close();
    }

    private final EbpfUnderlay network;
    private final String namespace;
    private final EbpfDatapath datapath;
    private final boolean taps;
    private final Map<String, Vm> vms = new HashMap<>();
    private final Map<Integer, String> names = new HashMap<>();
    private final Arena arena = Arena.ofShared();
    private final MemorySegment buffer = arena.allocate(70_000, 8);

    EbpfHost(EbpfUnderlay network, String namespace, EbpfDatapath datapath, boolean taps) {
        this.taps = taps;
        this.network = network;
        this.namespace = namespace;
        this.datapath = datapath;
    }

    /** The same machine and interfaces, another process. */
    EbpfHost reopen(DatapathConfig config) {
        var host = new EbpfHost(network, namespace, new EbpfDatapath(config.withNamespace(namespace)), taps);
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
        String name = taps ? network.newName() : network.addVeth(namespace);
        vms.put(name, taps ? behindTap(name) : behindVeth(name));
        return new PortSpec(UUID.randomUUID(), name, namespace, upcallsPerSecond);
    }

    private Vm behindVeth(String name) {
        var machines = NetworkNamespace.named(network.vms());
        try (var links = Links.in(machines)) {
            PacketSocket socket = PacketSocket.open(machines, links.get(name).ifindex());
            return new Vm() {
                @Override
                public int send(MemorySegment frame) {
                    return socket.send(frame, 0, frame.byteSize());
                }

                @Override
                public int receive(MemorySegment buffer) {
                    return socket.receive(buffer);
                }

                @Override
                public void close() {
                    socket.close();
                }
            };
        }
    }

    private Vm behindTap(String name) {
        Tap tap = Tap.open(namespace, name);
        network.ip(namespace, "link set " + name + " up");
        MemorySegment whole = arena.allocate(70_000, 8); // a header of zeros: nothing is left undone
        return new Vm() {
            @Override
            public int send(MemorySegment frame) {
                MemorySegment.copy(frame, 0, whole.fill((byte) 0), VirtioNetHeader.LENGTH, frame.byteSize());
                return tap.send(whole.asSlice(0, VirtioNetHeader.LENGTH + frame.byteSize())) - VirtioNetHeader.LENGTH;
            }

            @Override
            public int receive(MemorySegment buffer) {
                int length = tap.receive(whole) - VirtioNetHeader.LENGTH;
                if (length > 0) {
                    MemorySegment.copy(whole, VirtioNetHeader.LENGTH, buffer, 0, length);
                }
                return length;
            }

            @Override
            public void close() {
                tap.close();
            }
        };
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

    private Vm vm(int port) {
        return Objects.requireNonNull(vms.get(nameOf(port)));
    }

    @Override
    public void send(int port, byte[] frame) {
        MemorySegment.copy(frame, 0, buffer, JAVA_BYTE, 0, frame.length);
        int sent = vm(port).send(buffer.asSlice(0, frame.length));
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
        if (!taps) {
            network.removeVeth(namespace, name);
        }
    }

    @Override
    public void close() {
        datapath.close();
        vms.values().forEach(Vm::close);
        arena.close();
    }
}
