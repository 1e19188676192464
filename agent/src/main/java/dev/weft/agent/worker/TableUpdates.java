package dev.weft.agent.worker;

import dev.weft.base.NanoClock;
import dev.weft.base.Tag;
import dev.weft.sim.RouteChange;
import dev.weft.sim.Simulator;
import dev.weft.sim.Tables;
import dev.weft.sim.VirtualNetwork;

/**
 * Applies what others tell a worker: to its tables, and to the flows that rest on them. Not thread safe: touched only by
 * its worker thread.
 */
final class TableUpdates {
    // Immutable after construction.
    private final Tables tables;
    private final Simulator simulator;
    private final Flows flows;
    private final Macs macs;
    private final Neighbours neighbours;
    private final DelayedServices delayed;
    private final StateChannel channel;
    private final FloodFlows floods;
    private final Inspector inspector;
    private final Adoption adoption;
    private final Blocks blocks;
    private final Redecision redecision;
    private final SalGuards salGuards;
    private final Stickiness stickiness;
    private final ConnectionLister lister;
    private final ServiceLister services;
    private final NanoClock clock;
    // Owned by the worker thread.
    private VirtualNetwork network = VirtualNetwork.EMPTY;

    TableUpdates(WorkerParts parts, FloodFlows floods, Inspector inspector, Adoption adoption) {
        tables = parts.tables;
        simulator = parts.simulator;
        flows = parts.flows;
        macs = parts.macs;
        neighbours = parts.neighbours;
        delayed = parts.delayed;
        channel = parts.channel;
        blocks = parts.blocks;
        redecision = parts.redecision;
        salGuards = parts.salGuards;
        stickiness = parts.stickiness;
        lister = new ConnectionLister(parts);
        services = new ServiceLister(parts);
        clock = parts.clock;
        this.floods = floods;
        this.inspector = inspector;
        this.adoption = adoption;
    }

    VirtualNetwork network() {
        return network;
    }

    void apply(Command command) {
        switch (command) {
            case Command.NetworkChanged changed -> switchTo(changed.network());
            case Command.LocalPort at -> {
                salGuards.placed(at.port(), clock.nanoTime());
                if (tables.setLocalPort(at.port(), at.datapathPort())) {
                    moved(at.port());
                    neighbours.placesCame();
                }
            }
            case Command.NoLocalPort gone -> {
                salGuards.gone(gone.port());
                if (tables.clearLocalPort(gone.port())) {
                    moved(gone.port());
                }
            }
            case Command.RemotePort at -> {
                if (tables.setRemotePort(at.port(), at.hostHigh(), at.hostLow(), at.key())) {
                    located(at.port());
                    neighbours.placesCame();
                }
            }
            case Command.NoRemotePort gone -> {
                if (tables.clearRemotePort(gone.port())) {
                    located(gone.port());
                }
            }
            case Command.FloodTarget to -> {
                if (tables.setFloodTarget(to.bridge(), to.vlan(), to.host(), to.hostHigh(), to.hostLow(), to.key())) {
                    floodsChanged(to.bridge());
                    neighbours.placesCame();
                }
            }
            case Command.NoFloodTarget gone -> {
                if (tables.clearFloodTarget(gone.bridge(), gone.vlan(), gone.host())) {
                    floodsChanged(gone.bridge());
                }
            }
            case Command.FloodKey own -> floods.setKey(own.bridge(), own.vlan(), own.key());
            case Command.MacLearned at -> macs.inTable(at.bridge(), at.vlan(), at.mac(), at.port(), clock.nanoTime());
            case Command.MacHeard at ->
                macs.heardBySibling(at.bridge(), at.vlan(), at.mac(), at.port(), clock.nanoTime());
            case Command.MacHinted at -> macs.hinted(at.bridge(), at.vlan(), at.mac(), at.port(), clock.nanoTime());
            case Command.MacAged at ->
                macs.agedBySibling(at.bridge(), at.vlan(), at.mac(), at.port(), clock.nanoTime());
            case Command.MacForgotten at -> macs.forget(at.bridge(), at.vlan(), at.mac(), at.port());
            case Command.NeighbourLearned at -> {
                macs.suppose(at.mac(), at.macPort(), at.port(), clock.nanoTime());
                neighbours.inTable(at.router(), at.port(), at.high(), at.low(), at.mac());
            }
            case Command.NeighbourForgotten at -> neighbours.outOfTable(at.router(), at.high(), at.low(), at.mac());
            case Command.BlockGranted block -> blocks.granted(block);
            case Command.BlocksExhausted none -> blocks.exhausted(none, clock.nanoTime());
            case Command.MemberHealth of -> {
                if (tables.setDown(of.member(), of.down())) {
                    flows.invalidate(of.poolTag());
                    stickiness.poolChanged(of.poolTag());
                }
            }
            case Command.ClientStays of -> stickiness.heard(of);
            case Command.Invalidate tags -> invalidate(tags.tags());
            case Command.TunnelMtu mtu -> {
                simulator.setTunnelMtu(mtu.octets());
                flows.invalidate(Tag.tunnelMtu());
            }
            case Command.Probe probe -> channel.probe(probe.hostHigh(), probe.hostLow(), probe.token());
            case Command.Adopt adopt -> adoption.begin(adopt.replace(), adopt.waiting(), adopt.latch());
            case Command.Done done -> {
                floods.install();
                done.latch().countDown();
            }
            case Command.ShowConnections show -> lister.show(show);
            case Command.InstanceUp up -> {
                if (tables.services().up(up.instance())) {
                    delayed.rulesChanged();
                }
                servicesTouched();
            }
            case Command.InstanceDown down -> {
                tables.services().down(down.prefix(), down.port());
                servicesTouched();
            }
            case Command.ShowServices show -> services.show(show);
            case Command.Inspect inspect -> inspector.inspect(inspect);
        }
    }

    private void servicesTouched() {
        for (long table : tables.services().touched()) {
            flows.invalidate(table);
            stickiness.poolChanged(table);
        }
    }

    /** Between two simulations: what is simulated before sees the old network, what comes after the new one. */
    private void switchTo(VirtualNetwork next) {
        network = next;
        simulator.setNetwork(next);
        if (!tables.services().changed().isEmpty()) {
            delayed.rulesChanged();
        }
        for (long tag : next.delta().tags()) {
            stickiness.poolChanged(tag);
        }
        macs.setNetwork(next);
        neighbours.setNetwork(next);
        invalidate(next.delta().tags());
        for (RouteChange change : next.delta().routes()) {
            flows.routeChanged(next.routerIndex(change.router()), change.prefix());
        }
        floods.refresh();
        if (!next.delta().isEmpty()) {
            redecision.begin();
        }
    }

    private void invalidate(long[] tags) {
        for (long tag : tags) {
            flows.invalidate(tag);
        }
        floods.refresh();
    }

    /** A port is here now, or no longer. */
    private void moved(int port) {
        located(port);
        if (network.hasPort(port)) {
            floodsChanged(network.bridgeOfPort(port));
        }
    }

    /** What is gone from the network took its flows along when the worker switched. */
    private void located(int port) {
        if (network.hasPort(port)) {
            flows.invalidate(Tag.location(network.portId(port)));
        }
    }

    private void floodsChanged(int bridge) {
        if (network.hasBridge(bridge)) {
            flows.invalidate(Tag.flood(network.bridgeId(bridge)));
            floods.refresh();
        }
    }
}
