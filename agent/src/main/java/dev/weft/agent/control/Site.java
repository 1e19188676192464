package dev.weft.agent.control;

import dev.weft.base.NanoClock;
import dev.weft.datapath.Datapath;
import dev.weft.sim.VirtualNetwork;
import dev.weft.topology.StateTables;
import java.time.Duration;
import java.util.UUID;

/**
 * What all actors of one host share: the things that are thread safe, and the network of the moment. A network is shown
 * here after every worker was told of it, so whoever takes a number from it may use it in a command.
 */
final class Site {
    // Immutable after construction.
    final UUID host;
    final Datapath datapath;
    final Crew crew;
    final StateTables tables;
    final Interfaces interfaces;
    final PortBoard board = new PortBoard();
    final FabricBoard fabric = new FabricBoard();
    final NanoClock clock;
    final Options options;
    final BlockClaims claims;
    // Written by the topology actor, read by anyone.
    private volatile VirtualNetwork network = VirtualNetwork.EMPTY;

    /**
     * @param upcallsPerSecond misses one port may cause
     * @param learnedPerPort MACs and addresses one port may have written to the store
     * @param deletionHold entries that went with their session are believed after this
     */
    record Options(int upcallsPerSecond, int learnedPerPort, Duration deletionHold) {
        private static final Duration TIMER_SLACK = Duration.ofMillis(10);

        /** When to look at what was held: a moment later, since timers and the clock do not tick together. */
        Duration release() {
            return deletionHold.plus(TIMER_SLACK);
        }
    }

    Site(
            UUID host,
            Datapath datapath,
            Crew crew,
            StateTables tables,
            Interfaces interfaces,
            NanoClock clock,
            BlockClaims claims,
            Options options) {
        this.host = host;
        this.datapath = datapath;
        this.crew = crew;
        this.tables = tables;
        this.interfaces = interfaces;
        this.clock = clock;
        this.claims = claims;
        this.options = options;
    }

    VirtualNetwork network() {
        return network;
    }

    /** By the topology actor, after the crew was told. */
    void show(VirtualNetwork now) {
        network = now;
    }
}
