package dev.weft.sim;

import dev.weft.base.HotPath;
import dev.weft.base.IpAddress;
import dev.weft.sim.packet.Packet;
import dev.weft.sim.packet.PacketWriter;
import dev.weft.sim.trace.Explanation;
import org.jspecify.annotations.Nullable;

/**
 * Works out what the whole virtual network does with a packet: a function of packet, network, tables and time; the
 * tables are read, never written. One per worker, not thread safe. Packets are parsed before
 * ({@code PacketParser.parse}) and carry their ingress in the key.
 */
@HotPath
public final class Simulator {
    private final Tables tables;
    private final Simulation run;
    private VirtualNetwork network = VirtualNetwork.EMPTY;

    /**
     * @param tunnelMtu longest frame that fits the tunnel, Ethernet header included: the underlay's MTU less 50 octets
     *     of VXLAN over IPv4 plus 14 of the inner Ethernet header; tunnel actions carry it. 0: unknown
     */
    public Simulator(Tables tables, int tunnelMtu) {
        this.tables = tables;
        run = new Simulation(tables);
        setTunnelMtu(tunnelMtu);
    }

    /** Between two simulations. Tags: {@code tunnelMtu()}. */
    public void setTunnelMtu(int tunnelMtu) {
        if (tunnelMtu < 0 || tunnelMtu > 0xffff) {
            throw new IllegalArgumentException("tunnel MTU " + tunnelMtu + " (expected 0..65535)");
        }
        run.setTunnelMtu(tunnelMtu);
    }

    /** Longest frame that fits the tunnel; 0: unknown. */
    public int tunnelMtu() {
        return run.tunnelMtu();
    }

    /** Between two simulations; {@code network.delta()} says which flows go. */
    public void setNetwork(VirtualNetwork network) {
        this.network = network;
        run.network = network;
        tables.services().follow(network.services);
        tables.stickyClients().setNetwork(network);
    }

    public VirtualNetwork network() {
        return network;
    }

    public Tables tables() {
        return tables;
    }

    /** Explains every simulation from now on; null, the normal state: none. */
    public void setExplanation(@Nullable Explanation explanation) {
        run.explainTo(explanation);
    }

    /** The frame entered at this exterior port. */
    public void simulate(Packet packet, int ingressPort, long nowNanos, Outcome out) {
        ingress(packet, ingressPort, false, nowNanos, out);
    }

    /**
     * As {@link #simulate}, of a frame that a flow found longer than its tunnel takes: where it would enter the tunnel
     * it is dropped instead, and a router on its way says so to its source.
     */
    public void simulateTooLong(Packet packet, int ingressPort, long nowNanos, Outcome out) {
        ingress(packet, ingressPort, true, nowNanos, out);
    }

    private void ingress(Packet packet, int ingressPort, boolean tooLong, long nowNanos, Outcome out) {
        run.begin(packet, ingressPort, tooLong, nowNanos, out);
        Port port = network.port(ingressPort);
        if (port == null) {
            run.noteDrop(DropReason.UNKNOWN_PORT);
            out.notCacheable();
        } else {
            run.explain("port", port.name, "in");
            if (!run.mayEnter(port)) {
                run.end();
                return;
            }
            run.tracking.begin(port);
            if (port.tracks()) {
                run.tracking.state(run);
            }
            if (port.servalGuarded) {
                SalGuardWalk.hears(run);
            }
            run.enter(port);
        }
        run.end();
    }

    /**
     * The frame came with our flood key for this bridge: to the bridge's ports here. What it meets on the way to other
     * devices was done where it came from.
     *
     * @param vlan of the key; 0: the frame's tag says
     */
    public void simulateFlood(Packet packet, int bridge, int vlan, long nowNanos, Outcome out) {
        run.begin(packet, Simulation.NO_INGRESS, false, nowNanos, out);
        Bridge device = network.bridge(bridge);
        if (device == null) {
            run.noteDrop(DropReason.UNKNOWN_PORT);
            out.notCacheable();
        } else {
            out.addTag(device.tag);
            run.path.add(ConditionCompiler.CROSSED_BRIDGE, device.index);
            BridgeFlood.floodHere(run, device, vlan);
        }
        run.end();
    }

    /**
     * A frame made here leaves the port: an exterior one to its VM, an interior one into the device at its other end.
     * Never cacheable.
     */
    public void simulateEmit(Packet packet, int port, long nowNanos, Outcome out) {
        run.begin(packet, Simulation.NO_INGRESS, false, nowNanos, out);
        out.notCacheable();
        Port from = network.port(port);
        if (from == null) {
            run.noteDrop(DropReason.UNKNOWN_PORT);
        } else {
            run.emit(from);
        }
        run.end();
    }

    /**
     * A frame that a device made of a packet comes in by the port where that one did. Never cacheable.
     *
     * @param cause exterior port that the packet entered by, {@link Tables#NONE} when it entered by none
     */
    public void simulateEntering(Packet packet, int port, int cause, long nowNanos, Outcome out) {
        run.begin(packet, cause, false, nowNanos, out);
        out.notCacheable();
        Port at = network.port(port);
        Port from = network.port(cause);
        if (at == null) {
            run.noteDrop(DropReason.UNKNOWN_PORT);
        } else {
            run.tracking.begin(from);
            if (from != null && from.tracks()) {
                run.tracking.state(run);
            }
            run.enter(at);
        }
        run.end();
    }

    /**
     * Writes the router port's question for a neighbour's MAC, ARP or neighbour solicitation, into the emits of the
     * outcome, which is otherwise {@code CONSUMED}. No emit when the port is gone or has no address of that family.
     */
    public void requestNeighbour(int routerPort, long high, long low, Outcome out) {
        out.clear();
        out.consume();
        Port port = network.port(routerPort);
        int from = port == null ? Port.NONE : port.addressFor(high, low);
        if (port == null || from == Port.NONE) {
            return;
        }
        long ownHigh = port.addressHigh(from);
        long ownLow = port.addressLow(from);
        int length = IpAddress.isV4(high, low)
                ? PacketWriter.arpRequest(out.emitBuffer(), out.nextEmit(), port.mac, (int) ownLow, (int) low)
                : PacketWriter.neighbourSolicitation(
                        out.emitBuffer(), out.nextEmit(), port.mac, ownHigh, ownLow, high, low);
        out.emitted(port.index, length);
    }
}
