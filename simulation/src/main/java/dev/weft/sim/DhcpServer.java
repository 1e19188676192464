package dev.weft.sim;

import dev.weft.base.HotPath;
import dev.weft.base.IpAddress;
import dev.weft.base.MacAddress;
import dev.weft.sim.flow.FlowKey;
import dev.weft.sim.packet.Dhcp;
import dev.weft.sim.packet.DhcpReply;
import dev.weft.sim.packet.Ethernet;
import dev.weft.sim.packet.Ipv4;
import dev.weft.sim.packet.Packet;
import dev.weft.sim.packet.Udp;
import java.lang.foreign.MemorySegment;

/**
 * The DHCP server of a bridge in one VLAN. Immutable. Who gets which address is fixed by the topology, so every host
 * answers alike and nothing need be remembered; requests of clients that it does not know pass by.
 */
@HotPath
final class DhcpServer {
    private static final int DAY_SECONDS = 86_400;
    private static final int NO_ADDRESS = 0;

    /** Its own, where the address it answers from is nobody else's. */
    final long mac;

    private final Subnet[] subnets;
    /** MAC to the number of the client. */
    private final FrozenMap clients;

    private final Client[] known;

    /**
     * @param server the address it answers from
     * @param serverMac of that address
     * @param mtu 0: what the tunnel takes
     * @param options those that are the same for all clients
     */
    record Subnet(int mask, int server, long serverMac, int mtu, int leaseSeconds, MemorySegment options) {
        int lease() {
            return leaseSeconds == 0 ? DAY_SECONDS : leaseSeconds;
        }
    }

    /**
     * @param subnet its number
     * @param options its own
     */
    record Client(int subnet, int address, MemorySegment options) {}

    DhcpServer(long mac, Subnet[] subnets, FrozenMap clients, Client[] known) {
        this.mac = mac;
        this.subnets = subnets;
        this.clients = clients;
        this.known = known;
    }

    /** Of a frame that this server might be meant by: to a group, or to the MAC of a server. */
    boolean isAnswered(Simulation sim, Device device, Port in, int vlan, BridgeVlan bridge) {
        if (sim.useEtherType() != Ethernet.IPV4
                || sim.useProtocol() != Ipv4.UDP
                || sim.useFragment() != FlowKey.NOT_FRAGMENT
                || sim.useL4Dst() != Dhcp.SERVER_PORT) {
            return false;
        }
        sim.out.notCacheable(); // the rest is payload
        Packet packet = sim.packet;
        long at = packet.offset + packet.l4Offset + Udp.LENGTH;
        long end = packet.offset + packet.l3End;
        if (!Dhcp.isRequest(packet.segment, at, end) || Dhcp.clientMac(packet.segment, at) != sim.srcMac()) {
            return false;
        }
        long number = clients.get(0, sim.srcMac());
        long fixed = bridge.fixedMacs.get(0, sim.srcMac());
        boolean elsewhere = in.bound && fixed != FrozenMap.NONE && fixed != in.index;
        if (number == FrozenMap.NONE || elsewhere || !sim.out.hasEmitRoom()) {
            return false;
        }
        return answer(sim, device, in, vlan, known[(int) number], at, end);
    }

    private boolean answer(Simulation sim, Device device, Port in, int vlan, Client client, long at, long end) {
        MemorySegment message = sim.packet.segment;
        Subnet subnet = subnets[client.subnet];
        long server = Dhcp.option(message, at, end, Dhcp.SERVER, 4);
        if (server != Dhcp.NONE && (int) server != subnet.server) {
            return false; // it has chosen another
        }
        switch ((int) Dhcp.option(message, at, end, Dhcp.MESSAGE_TYPE, 1)) {
            case Dhcp.DISCOVER -> reply(sim, in, vlan, subnet, client, Dhcp.OFFER, at, end);
            case Dhcp.REQUEST -> {
                long wanted = Dhcp.option(message, at, end, Dhcp.REQUESTED_ADDRESS, 4);
                int address = wanted == Dhcp.NONE ? Dhcp.clientAddress(message, at) : (int) wanted;
                int type = address == client.address ? Dhcp.ACK : Dhcp.NAK;
                reply(sim, in, vlan, subnet, client, type, at, end);
            }
            case Dhcp.INFORM -> reply(sim, in, vlan, subnet, client, Dhcp.INFORM, at, end);
            case Dhcp.RELEASE, Dhcp.DECLINE -> {} // its address stays its own
            default -> {
                return false;
            }
        }
        sim.consume(device, "takes the DHCP message");
        return true;
    }

    /** @param type of the answer; {@link Dhcp#INFORM}: an ACK without a lease */
    private void reply(Simulation sim, Port in, int vlan, Subnet subnet, Client client, int type, long at, long end) {
        boolean inform = type == Dhcp.INFORM;
        boolean refuses = type == Dhcp.NAK;
        int has = refuses ? NO_ADDRESS : Dhcp.clientAddress(sim.packet.segment, at);
        int gets = inform || refuses ? NO_ADDRESS : client.address;
        DhcpReply reply = sim.dhcp;
        reply.start(sim.out.emitBuffer(), sim.out.nextEmit(), sim.packet, at, end, gets, has);
        reply.option8(Dhcp.MESSAGE_TYPE, inform ? Dhcp.ACK : type);
        reply.option32(Dhcp.SERVER, subnet.server);
        if (gets != NO_ADDRESS) {
            int lease = subnet.lease();
            reply.option32(Dhcp.LEASE_SECONDS, lease);
            reply.option32(Dhcp.RENEWAL_SECONDS, lease / 2);
            reply.option32(Dhcp.REBINDING_SECONDS, (int) (lease * 7L / 8)); // RFC 2131 §4.4.5
        }
        if (!refuses) {
            reply.option32(Dhcp.SUBNET_MASK, subnet.mask);
            reply.options(subnet.options);
            int mtu = sim.mtuFor(subnet.mtu);
            if (mtu != 0) {
                reply.option16(Dhcp.MTU, mtu);
            }
            reply.options(client.options);
        }
        boolean toAll = refuses || has == NO_ADDRESS && Dhcp.wantsBroadcast(sim.packet.segment, at);
        int to = toAll ? NO_ADDRESS : has == NO_ADDRESS ? client.address : has;
        int length = reply.finish(subnet.serverMac, subnet.server, sim.srcMac(), to);
        sim.emitted(in, length, vlan, "DHCP ", sim.isExplaining() ? inWords(type, client, sim.srcMac()) : "");
    }

    private static String inWords(int type, Client client, long mac) {
        String what =
                switch (type) {
                    case Dhcp.OFFER -> "offer of ";
                    case Dhcp.NAK -> "refusal of anything but ";
                    default -> "acknowledgement of ";
                };
        return what + IpAddress.ofV4(client.address) + " to " + MacAddress.toString(mac);
    }
}
