package dev.weft.agent.control;

import dev.weft.agent.health.Places;
import dev.weft.agent.worker.Command;
import dev.weft.base.NanoClock;
import dev.weft.datapath.Datapath;
import dev.weft.sim.VirtualNetwork;
import dev.weft.topology.StateTables;
import java.time.Duration;
import java.time.InstantSource;
import java.util.Set;
import java.util.UUID;
import java.util.random.RandomGenerator;

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
    final ServiceEvents events = new ServiceEvents(InstantSource.system());
    final PortBoard board = new PortBoard(this::portIs);
    final FabricBoard fabric = new FabricBoard();
    final Readiness readiness = new Readiness();
    final HostWatch hosts;
    final Instances instances;
    final NanoClock clock;
    final Options options;
    final BlockClaims claims;
    final Elections elections;
    final Places places;
    // Written by the topology actor, read by anyone.
    private volatile VirtualNetwork network = VirtualNetwork.EMPTY;
    private volatile Set<UUID> ports = Set.of();
    private volatile boolean takingOver;
    // Written by whoever ends the control side.
    private volatile boolean leaving;

    /**
     * @param upcallsPerSecond misses one port may cause
     * @param floodsPerSecond that flows send for one port
     * @param learnedPerPort MACs and addresses one port may have written to the store
     * @param deletionHold entries that went with their session are believed after this
     * @param grace what a host published stays valid for so long without its agent, while its datapath answers
     */
    record Options(
            int upcallsPerSecond, int floodsPerSecond, int learnedPerPort, Duration deletionHold, Duration grace) {
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
            Elections elections,
            Places places,
            RandomGenerator random,
            Options options) {
        this.host = host;
        this.datapath = datapath;
        this.crew = crew;
        this.tables = tables;
        instances = new Instances(tables);
        this.interfaces = interfaces;
        this.clock = clock;
        this.claims = claims;
        this.elections = elections;
        this.places = places;
        this.options = options;
        hosts = new HostWatch(
                (underlay, token) ->
                        crew.tell(crew.workers().getFirst(), new Command.Probe(underlay.high(), underlay.low(), token)),
                options.grace().toNanos(),
                random);
    }

    VirtualNetwork network() {
        return network;
    }

    /** By the topology actor, after the crew was told. */
    void show(VirtualNetwork now, Set<UUID> localPorts) {
        network = now;
        ports = localPorts;
    }

    private void portIs(UUID port, String state) {
        events.publish(new ServiceEvent.Interface(port, state));
        instances.portChanged();
    }

    /** Whether the port is bound to this host. */
    boolean isLocal(UUID port) {
        return ports.contains(port);
    }

    /** What the agent before said of this host's VMs is said again, as it comes. */
    void takeOver() {
        takingOver = true;
    }

    void takenOver() {
        takingOver = false;
    }

    boolean isTakingOver() {
        return takingOver;
    }

    /** Everything stays as it is when the actors end: the datapath goes on, the next agent takes over. */
    void leave() {
        leaving = true;
    }

    boolean isLeaving() {
        return leaving;
    }
}
