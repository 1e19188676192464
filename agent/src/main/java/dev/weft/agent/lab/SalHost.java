package dev.weft.agent.lab;

import dev.weft.base.IpAddress;
import dev.weft.base.MacAddress;
import dev.weft.base.ServiceId;
import dev.weft.datapath.link.Links;
import dev.weft.datapath.link.NetworkNamespace;
import dev.weft.datapath.link.PacketSocket;
import dev.weft.sim.packet.Ipv4;
import dev.weft.sim.packet.Malformed;
import dev.weft.sim.packet.Packet;
import dev.weft.sim.packet.PacketParser;
import dev.weft.sim.packet.Udp;
import dev.weft.sim.sal.SalControl;
import dev.weft.sim.sal.SalMessage;
import dev.weft.sim.trace.PacketExpression;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Collectors;

/**
 * A host that speaks Serval, packet by packet, in the place of a VM without IP addresses: it answers ARP, opens
 * connections to services, and of those it serves accepts connections and sends back what it is told. It repeats nothing
 * and forgets nothing. Driven by one thread: nothing happens between calls of {@link #turn}.
 */
public final class SalHost implements AutoCloseable {
    /** One more than the longest frame of a VM whose interface takes no segments to put together. */
    private static final int LONGEST_FRAME = 9_216;

    private static final String ALL = "ff:ff:ff:ff:ff:ff";
    private static final int FIRST_FLOW = 2;

    private final IpAddress address;
    private final String mac;
    private final PacketSocket socket;
    private final Arena arena = Arena.ofShared();
    private final MemorySegment buffer = arena.allocate(LONGEST_FRAME, 8);
    private final Packet packet = new Packet();
    private final Set<ServiceId> served = new HashSet<>();
    private final Map<Integer, Connection> connections = new HashMap<>();
    private final Map<ServiceId, Integer> begun = new HashMap<>();
    private int nextFlow = FIRST_FLOW;

    /** One connection, by the flow id at this end. */
    private static final class Connection {
        private final ServiceId service;
        private final String nonce;
        private boolean established;
        private int answers;
        private String peer = "";
        private String peerMac = "";
        private int peerFlow;
        private String heard = "";

        Connection(ServiceId service, int flow) {
            this.service = service;
            nonce = "%016x".formatted(0x5eed_0000_0000_0000L | flow);
        }
    }

    private SalHost(IpAddress address, String mac, PacketSocket socket) {
        this.address = address;
        this.mac = mac;
        this.socket = socket;
    }

    /** @param address IPv4, which the VM itself does not have: its kernel would refuse what it does not know */
    public static SalHost in(Vm vm, String address) {
        var namespace = NetworkNamespace.named(vm.namespace());
        try (var links = Links.in(namespace)) {
            int index = links.get(Vm.INTERFACE).ifindex();
            return new SalHost(IpAddress.parse(address), vm.mac(), PacketSocket.open(namespace, index));
        }
    }

    public String address() {
        return address.toString();
    }

    /** From now on it accepts connections to a service. */
    public void serve(ServiceId service) {
        served.add(service);
    }

    /** From now on it does not. */
    public void serveNoMore(ServiceId service) {
        served.remove(service);
    }

    /** Asks a service router for a service. Returns the flow id at this end. */
    public int begin(ServiceId service, String router, String routerMac) {
        int flow = nextFlow++;
        connections.put(flow, new Connection(service, flow));
        send(flow, router, 0, routerMac, "flags syn verno " + flow, connections.get(flow), List.of());
        return flow;
    }

    /** Asks once more, as nobody has answered. */
    public void repeat(int flow, String router, String routerMac) {
        Connection connection = connections.get(flow);
        if (connection != null && connection.answers == 0) {
            send(flow, router, 0, routerMac, "flags syn verno " + flow, connection, List.of());
        }
    }

    /** Asks everybody on the bridge for a service. Returns the flow id at this end. */
    public int search(ServiceId service) {
        return begin(service, "255.255.255.255", ALL);
    }

    /** Treats every frame that has come since. */
    public void turn() {
        while (true) {
            int length = socket.receive(buffer);
            if (length == PacketSocket.NOTHING || length == PacketSocket.LINK_DOWN) {
                return;
            }
            packet.wrap(buffer, 0, Math.max(length, 0));
            if (length > 0 && PacketParser.parse(packet) == Malformed.OK && isForMe()) {
                treat(buffer.asSlice(0, length).toArray(ValueLayout.JAVA_BYTE));
            }
        }
    }

    /** A bridge that does not know yet where a MAC is shows a frame to all. */
    private boolean isForMe() {
        long to = packet.key.dstMac();
        return to == MacAddress.parse(mac).bits() || MacAddress.isGroup(to);
    }

    private void treat(byte[] frame) {
        if (packet.sal.present) {
            treatSal();
            return;
        }
        String text = PacketExpression.summary(frame);
        if (text.startsWith("arp request ") && text.contains(" > " + address + " ")) {
            String asker = text.split(" ")[2];
            send("arp reply " + address + " > " + asker + " src-mac " + mac + " dst-mac " + srcMac());
        }
    }

    private void treatSal() {
        int flags = packet.sal.flags;
        if (packet.sal.control == 0) {
            treatData();
        } else if ((flags & (SalControl.SYN | SalControl.ACK)) == SalControl.SYN) {
            accept();
        } else if ((flags & (SalControl.SYN | SalControl.ACK)) == (SalControl.SYN | SalControl.ACK)) {
            treatAnswer();
        } else if ((flags & SalControl.ACK) != 0) {
            Connection connection = connections.get(packet.sal.dstFlow);
            if (connection != null && connection.peerFlow == packet.sal.srcFlow) {
                connection.established = true;
            }
        }
    }

    /** A SYN: it is answered to whoever asked first, as SOURCE says. */
    private void accept() {
        SalMessage message = message();
        ServiceId service =
                first(message, SalMessage.Service.class).orElseThrow().id();
        if (!served.contains(service)) {
            return;
        }
        int verno = first(message, SalMessage.Control.class).orElseThrow().verno();
        begun.merge(service, 1, Integer::sum);
        int flow = nextFlow++;
        var connection = new Connection(service, flow);
        connections.put(flow, connection);
        List<IpAddress> way = new ArrayList<>(first(message, SalMessage.Source.class)
                .map(SalMessage.Source::addresses)
                .orElse(List.of()));
        connection.peer = way.isEmpty() ? source() : way.getFirst().toString();
        connection.peerMac = srcMac();
        connection.peerFlow = packet.sal.srcFlow;
        if (!way.isEmpty()) {
            way.add(address);
        }
        String control = "flags syn,ack verno " + flow + " ackno " + Integer.toUnsignedString(verno + 1);
        send(flow, connection.peer, connection.peerFlow, connection.peerMac, control, connection, way);
    }

    /** A SYN-ACK: the first one counts, and is acknowledged to the instance itself. */
    private void treatAnswer() {
        Connection connection = connections.get(packet.sal.dstFlow);
        if (connection == null) {
            return;
        }
        connection.answers++;
        if (connection.answers > 1) {
            return;
        }
        SalMessage message = message();
        int verno = first(message, SalMessage.Control.class).orElseThrow().verno();
        connection.peer = source();
        connection.peerMac = srcMac();
        connection.peerFlow = packet.sal.srcFlow;
        connection.established = true;
        String control =
                "flags ack verno " + (packet.sal.dstFlow + 1) + " ackno " + Integer.toUnsignedString(verno + 1);
        send(
                packet.sal.dstFlow,
                connection.peer,
                connection.peerFlow,
                connection.peerMac,
                control,
                connection,
                List.of());
    }

    private void treatData() {
        Connection connection = connections.get(packet.sal.dstFlow);
        if (connection == null) {
            return;
        }
        long at = packet.sal.offset + packet.sal.length + Udp.LENGTH;
        if (at < packet.l3End) {
            connection.heard = HexFormat.of()
                    .formatHex(buffer.asSlice(at, packet.l3End - at).toArray(ValueLayout.JAVA_BYTE));
        }
        if (served.contains(connection.service)) {
            say(packet.sal.dstFlow, connection.heard);
        }
    }

    /** Data of an established connection, in hexadecimal: octets with a header of 12, straight to the other end. */
    public void say(int flow, String hex) {
        Connection to = connections.get(flow);
        if (to != null && to.established) {
            send("sal " + address + ":" + flow + " > " + to.peer + ":" + to.peerFlow + " data " + hex
                    + macs(to.peerMac));
        }
    }

    /** What came last over a connection, in hexadecimal. */
    public String heard(int flow) {
        return Optional.ofNullable(connections.get(flow))
                .map(each -> each.heard)
                .orElse("");
    }

    /** Whose answer a connection took; empty as long as nobody has answered. */
    public Optional<String> peer(int flow) {
        return Optional.ofNullable(connections.get(flow))
                .filter(each -> each.answers > 0)
                .map(each -> each.peer);
    }

    /** How many have answered. */
    public int answers(int flow) {
        return Optional.ofNullable(connections.get(flow))
                .map(each -> each.answers)
                .orElse(0);
    }

    /** How many connections to a service have come here. */
    public int begun(ServiceId service) {
        return begun.getOrDefault(service, 0);
    }

    private void send(
            int flow,
            String to,
            int toFlow,
            String toMac,
            String control,
            Connection connection,
            List<IpAddress> source) {
        boolean named = !control.startsWith("flags syn,ack");
        send("sal " + address + ":" + flow + " > " + to + ":" + toFlow + " " + control + " nonce " + connection.nonce
                + (named ? " service " + connection.service : "")
                + (source.isEmpty()
                        ? ""
                        : source.stream().map(IpAddress::toString).collect(Collectors.joining(",", " source ", "")))
                + macs(toMac));
    }

    private String macs(String toMac) {
        return " src-mac " + mac + " dst-mac " + toMac;
    }

    private void send(String words) {
        byte[] frame = PacketExpression.parse(words);
        try (var confined = Arena.ofConfined()) {
            MemorySegment copy = confined.allocate(frame.length);
            MemorySegment.copy(frame, 0, copy, ValueLayout.JAVA_BYTE, 0, frame.length);
            int sent = socket.send(copy, 0, frame.length);
            if (sent != frame.length) {
                throw new LabException(address + " cannot send '" + words + "': error " + -sent);
            }
        }
    }

    private SalMessage message() {
        return SalMessage.decode(buffer, packet.sal.offset);
    }

    private static <T extends SalMessage.Extension> Optional<T> first(SalMessage message, Class<T> type) {
        return message.extensions().stream()
                .filter(type::isInstance)
                .map(type::cast)
                .findFirst();
    }

    private String source() {
        return IpAddress.ofV4(Ipv4.src(buffer, packet.l3Offset)).toString();
    }

    private String srcMac() {
        return MacAddress.toString(packet.key.srcMac());
    }

    @Override
    public void close() {
        socket.close();
        arena.close();
    }
}
