package dev.weft.agent;

import dev.weft.agent.control.ControlSide;
import dev.weft.agent.control.Interfaces;
import dev.weft.agent.control.Lessons;
import dev.weft.agent.socket.ControlServer;
import dev.weft.base.NanoClock;
import dev.weft.datapath.Datapath;
import dev.weft.topology.Acknowledger;
import dev.weft.topology.HostIdentity;
import dev.weft.topology.HostRegistry;
import dev.weft.topology.PortBlockStore;
import dev.weft.topology.StoreConnection;
import dev.weft.topology.TableLimits;
import dev.weft.topology.TopologyException;
import dev.weft.topology.ZkStateTables;
import dev.weft.topology.ZkTopologyStore;
import dev.weft.topology.schema.Host;
import java.io.IOException;
import java.nio.file.Files;
import java.security.SecureRandom;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.Map;
import java.util.UUID;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** A running agent. Starting registers its host; closing withdraws all it published. Thread safe. */
public final class Agent implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(Agent.class);
    private static final Duration FIRST_CONTACT = Duration.ofSeconds(30);
    private static final NanoClock CLOCK = NanoClock.SYSTEM;

    // Immutable after construction.
    private final AgentConfig config;
    private final UUID hostId;
    private final AgentStatus status;
    // Guarded by this: what is open, the last first.
    private final Deque<AutoCloseable> open;

    private Agent(AgentConfig config, UUID hostId, AgentStatus status, Deque<AutoCloseable> open) {
        this.config = config;
        this.hostId = hostId;
        this.status = status;
        this.open = open;
    }

    /** Makes the datapath; interfaces come from where it says. */
    public interface Ground {
        Datapath openDatapath(AgentConfig config);

        Interfaces openInterfaces();

        /** Longest frame that fits the tunnel, Ethernet header included; 0: unknown. */
        int tunnelMtu(AgentConfig config);
    }

    /**
     * Starts an agent as configured. Returns when its host is registered and its workers run.
     *
     * @throws AgentException when the datapath or the state folder cannot be used
     * @throws TopologyException when the store does not answer, or refuses the host
     */
    public static Agent start(AgentConfig config) {
        return start(config, Grounds.of(config));
    }

    /** As {@link #start(AgentConfig)}, on the caller's own ground: for several agents in one process. */
    public static Agent start(AgentConfig config, Ground ground) {
        var open = new ArrayDeque<AutoCloseable>();
        try {
            return open(config, ground, open);
        } catch (RuntimeException e) {
            closeAll(open);
            throw e;
        }
    }

    private static Agent open(AgentConfig config, Ground ground, Deque<AutoCloseable> open) {
        makeStateDir(config);
        own(open, StateLock.take(config.stateDir()));
        UUID hostId = HostIdentity.loadOrCreate(config.stateDir().resolve("host-id"));
        var random = new SecureRandom();
        StoreConnection connection = own(open, StoreConnection.open(config.store(), config.sessionTimeout()));
        if (!connection.awaitConnected(FIRST_CONTACT)) {
            throw new TopologyException("no answer from ZooKeeper at " + config.store() + " within "
                    + FIRST_CONTACT.toSeconds() + " s; start one with 'weft store', or give --store HOST:PORT");
        }
        ZkTopologyStore store = own(open, ZkTopologyStore.open(connection, CLOCK));
        HostRegistry registry = own(open, new HostRegistry(connection, store));
        registry.register(host(config, hostId));
        int epoch = registry.raiseTunnelEpoch(hostId);
        ZkStateTables tables = own(open, new ZkStateTables(connection, hostId, TableLimits.DEFAULT, CLOCK, random));
        Acknowledger acknowledger = own(open, new Acknowledger(connection, hostId));
        Datapath datapath = own(open, ground.openDatapath(config));
        var lessons = new Lessons();
        WorkerCrew crew = own(
                open, WorkerCrew.start(config, datapath, ground.tunnelMtu(config), epoch, random.nextLong(), lessons));
        Interfaces interfaces = own(open, ground.openInterfaces());
        var control = own(
                open,
                ControlSide.start(
                        new ControlSide.Ground(
                                hostId,
                                datapath,
                                crew.workers(),
                                store,
                                tables,
                                new PortBlockStore(connection),
                                interfaces,
                                CLOCK),
                        config,
                        lessons,
                        epoch,
                        acknowledger::reached));
        var status = new AgentStatus(config, hostId, connection, datapath, crew, control);
        own(
                open,
                ControlServer.open(config.socket(), new AgentRequests(status, crew, datapath, control, store, CLOCK)));
        LOG.info(
                "host {} ({}) is up at {} with {} workers", config.name(), hostId, config.underlay(), config.workers());
        return new Agent(config, hostId, status, open);
    }

    private static void makeStateDir(AgentConfig config) {
        try {
            Files.createDirectories(config.stateDir());
        } catch (IOException e) {
            throw new AgentException(
                    "state folder " + config.stateDir() + " cannot be made (expected a writable place): "
                            + e.getMessage() + "; give --state-dir DIR",
                    e);
        }
    }

    private static Host host(AgentConfig config, UUID id) {
        return Host.newBuilder()
                .setId(id.toString())
                .setName(config.name())
                .setUnderlay(config.underlay().toString())
                .build();
    }

    private static <T extends AutoCloseable> T own(Deque<AutoCloseable> open, T thing) {
        open.push(thing);
        return thing;
    }

    public UUID hostId() {
        return hostId;
    }

    public String name() {
        return config.name();
    }

    /** What the command {@code status} answers, as plain values. */
    public Map<String, Object> status() {
        return status.all();
    }

    /** Stops serving, withdraws what was published, ends the session. */
    @Override
    public synchronized void close() {
        closeAll(open);
    }

    /** In reverse order; one that fails does not keep the others open. */
    private static void closeAll(Deque<AutoCloseable> open) {
        while (!open.isEmpty()) {
            AutoCloseable thing = open.pop();
            try {
                thing.close();
            } catch (Exception e) { // AutoCloseable says Exception.
                LOG.warn("{} could not be closed", thing.getClass().getSimpleName(), e);
            }
        }
    }
}
