package dev.weft.agent;

import dev.weft.agent.control.ControlSide;
import dev.weft.agent.control.Interfaces;
import dev.weft.agent.control.KeyRing;
import dev.weft.agent.control.Lessons;
import dev.weft.agent.health.Places;
import dev.weft.agent.socket.ControlServer;
import dev.weft.base.NanoClock;
import dev.weft.datapath.Datapath;
import dev.weft.datapath.Datapaths;
import dev.weft.topology.Acknowledger;
import dev.weft.topology.ConnectionState;
import dev.weft.topology.HostIdentity;
import dev.weft.topology.HostRegistry;
import dev.weft.topology.Leadership;
import dev.weft.topology.PortBlockStore;
import dev.weft.topology.SavedSession;
import dev.weft.topology.StateArchive;
import dev.weft.topology.StoreConnection;
import dev.weft.topology.TableLimits;
import dev.weft.topology.TopologyException;
import dev.weft.topology.TopologySnapshot;
import dev.weft.topology.ZkStateTables;
import dev.weft.topology.ZkTopologyStore;
import dev.weft.topology.schema.Host;
import java.io.IOException;
import java.nio.file.Files;
import java.security.SecureRandom;
import java.time.Duration;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.UUID;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A running agent. Starting registers its host and takes over what an earlier agent left in a datapath that survived.
 * Closing leaves such a datapath to go on, and what was published to the next agent; where the datapath dies with its
 * agent, it withdraws all. Thread safe.
 */
public final class Agent implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(Agent.class);
    private static final Duration FIRST_CONTACT = Duration.ofSeconds(30);
    /** With a datapath that goes on there is work to do before the store answers. */
    private static final Duration CONTACT_AGAIN = Duration.ofSeconds(3);

    private static final Duration OLD_SESSION = Duration.ofSeconds(5);
    private static final NanoClock CLOCK = NanoClock.SYSTEM;

    // Immutable after construction.
    private final AgentConfig config;
    private final UUID hostId;
    private final AgentStatus status;
    private final Parts parts;

    private Agent(AgentConfig config, UUID hostId, AgentStatus status, Parts parts) {
        this.config = config;
        this.hostId = hostId;
        this.status = status;
        this.parts = parts;
    }

    /** Makes the datapath; interfaces come from where it says. */
    public interface Ground {
        Datapaths.Opened openDatapath(AgentConfig config, UUID host);

        Interfaces openInterfaces();

        /** Longest frame that fits the tunnel, Ethernet header included; 0: unknown. */
        int tunnelMtu(AgentConfig config);

        /** From where members are asked whether they are well. */
        default Places openPlaces(UUID host) {
            return Places.ownStack();
        }

        /** Tells when what fits the tunnel may have changed, until it is closed. */
        default AutoCloseable watchTunnel(AgentConfig config, Runnable changed) {
            return () -> {};
        }
    }

    /**
     * Starts an agent as configured. Returns when its host is registered and its workers run.
     *
     * @throws AgentException when the datapath or the state folder cannot be used
     * @throws TopologyException when the store does not answer, or refuses the host; a datapath that survived can wait
     *     for the store
     */
    public static Agent start(AgentConfig config) {
        return start(config, Grounds.of(config));
    }

    /** As {@link #start(AgentConfig)}, on the caller's own ground: for several agents in one process. */
    public static Agent start(AgentConfig config, Ground ground) {
        var parts = new Parts();
        try {
            return open(config, ground, parts);
        } catch (RuntimeException e) {
            parts.close();
            throw e;
        }
    }

    private static Agent open(AgentConfig config, Ground ground, Parts parts) {
        StateFolder folder = StateFolder.make(config.stateDir());
        parts.own(StateLock.take(config.stateDir()));
        UUID hostId = HostIdentity.loadOrCreate(folder.hostId());
        var random = new SecureRandom();
        Datapaths.Opened opened = ground.openDatapath(config, hostId);
        opened.passedOver()
                .forEach(why -> LOG.warn(
                        "not the best datapath, {}: {}", opened.datapath().kind(), why));
        Datapath datapath = opened.datapath();
        parts.own(datapath, datapath::remove, datapath::close);
        Optional<KeyRing> kept =
                datapath.survives() ? KeyRing.restore(folder.tunnelKeys(), datapath.incarnation()) : Optional.empty();
        boolean adopts = kept.isPresent();
        parts.leaveAtEnd(adopts);
        Optional<StateArchive.Beginning> earlier = adopts ? StateArchive.read(folder.archive()) : Optional.empty();
        StoreConnection connection = connect(config, parts, SavedSession.at(folder.session()), adopts);
        ZkTopologyStore store = parts.own(ZkTopologyStore.open(
                connection, CLOCK, earlier.map(StateArchive.Beginning::topology).orElse(TopologySnapshot.EMPTY)));
        var registry = new HostRegistry(connection, store);
        parts.own(registry, registry, registry::leave);
        register(registry, connection, config, hostId);
        KeyRing keys = kept.orElseGet(
                () -> KeyRing.fresh(folder.tunnelKeys(), datapath.incarnation(), registry.raiseTunnelEpoch(hostId)));
        var tables = new ZkStateTables(connection, hostId, TableLimits.DEFAULT, CLOCK, random);
        parts.own(tables, tables, tables::leave);
        if (adopts) {
            tables.beginWith(earlier.map(StateArchive.Beginning::tables).orElse(List.of()));
        }
        parts.own(StateArchive.open(folder.archive(), connection, store, tables, InstantSource.system()));
        Acknowledger acknowledger = parts.own(new Acknowledger(connection, hostId));
        var lessons = new Lessons();
        WorkerCrew crew = parts.own(WorkerCrew.start(
                config, datapath, ground.tunnelMtu(config), keys.connectionEpoch(), random.nextLong(), lessons));
        parts.own(ground.watchTunnel(
                config,
                crew.followMtu(
                        () -> ground.tunnelMtu(config), () -> registerLater(registry, connection, config, hostId))));
        Interfaces interfaces = parts.own(ground.openInterfaces());
        Places places = parts.own(ground.openPlaces(hostId));
        var control = ControlSide.start(
                new ControlSide.Ground(
                        hostId,
                        datapath,
                        crew.workers(),
                        store,
                        tables,
                        new PortBlockStore(connection),
                        (role, listener) -> new Leadership(connection, role, hostId, listener),
                        places,
                        interfaces,
                        CLOCK,
                        random),
                config,
                lessons,
                keys,
                new ControlSide.Beginning(adopts, store::isRead, tables::dropUnwanted),
                acknowledger::reached);
        parts.own(control, control, control::leave);
        var status = new AgentStatus(
                config, hostId, connection, store::isRead, opened, crew, control, () -> store.snapshot());
        var captures = parts.own(new Captures(datapath, CLOCK, InstantSource.system()));
        var requests = new DatapathRequests(datapath, control, store, captures, CLOCK);
        var lines = new RuleLines(() -> store.snapshot(), CLOCK, InstantSource.system());
        var ruleLog = parts.own(RuleLogBook.open(folder.ruleLog(), crew.workers(), lines));
        var events = new ServiceEventRequests(control, store, CLOCK, InstantSource.system());
        parts.own(ControlServer.open(
                config.socket(), new AgentRequests(status, crew, requests, control, store, ruleLog, events)));
        parts.leaveAtEnd(datapath.survives());
        LOG.info(
                "host {} ({}) is up at {} with datapath {} and {} workers",
                config.name(),
                hostId,
                config.underlay(),
                datapath.kind(),
                config.workers());
        return new Agent(config, hostId, status, parts);
    }

    private static StoreConnection connect(AgentConfig config, Parts parts, SavedSession session, boolean adopts) {
        if (!adopts) {
            // What the agent before published names keys that no datapath knows any more.
            StoreConnection.endSession(config.store(), session, OLD_SESSION);
        }
        var connection = StoreConnection.open(config.store(), config.sessionTimeout(), session);
        parts.own(connection, connection, connection::leave);
        if (!connection.awaitConnected(adopts ? CONTACT_AGAIN : FIRST_CONTACT) && !adopts) {
            throw new TopologyException("no answer from ZooKeeper at " + config.store() + " within "
                    + FIRST_CONTACT.toSeconds() + " s; start one with 'weft store', or give --store HOST:PORT");
        }
        return connection;
    }

    /** Now, or as soon as the store answers. */
    private static void register(HostRegistry registry, StoreConnection connection, AgentConfig config, UUID id) {
        if (connection.state() == ConnectionState.CONNECTED) {
            registry.register(host(config, id));
            return;
        }
        LOG.warn("ZooKeeper at {} does not answer; the host is registered when it does", connection.connectString());
        registerLater(registry, connection, config, id);
    }

    /** As soon as the store answers, as the host is then. */
    private static void registerLater(HostRegistry registry, StoreConnection connection, AgentConfig config, UUID id) {
        Thread.ofVirtual().name("register").start(() -> {
            while (!connection.awaitConnected(FIRST_CONTACT)) {
                if (connection.isClosed()) {
                    return;
                }
            }
            try {
                registry.register(host(config, id));
            } catch (TopologyException refused) {
                LOG.error("the host is not registered: {}", refused.getMessage());
            }
        });
    }

    private static Host host(AgentConfig config, UUID id) {
        return Host.newBuilder()
                .setId(id.toString())
                .setName(config.name())
                .setUnderlay(config.underlay().toString())
                .setMtu(TunnelMtu.ofUnderlay(config.underlay()))
                .build();
    }

    public UUID hostId() {
        return hostId;
    }

    public String name() {
        return config.name();
    }

    /** The kind of datapath it has. */
    public String datapath() {
        return status.datapath();
    }

    /** What the command {@code status} answers, as plain values. */
    public Map<String, Object> status() {
        return status.all();
    }

    /** Stops serving. A datapath that survives goes on, and what was published stays for the next agent. */
    @Override
    public void close() {
        parts.close();
    }

    /**
     * Takes away what the agent of a state folder left behind: datapath, session, tunnel keys. No agent may run there.
     *
     * @return what was taken away
     * @throws AgentException when an agent runs with this folder
     */
    public static List<String> removeLeftovers(AgentConfig config) {
        var folder = new StateFolder(config.stateDir());
        if (!Files.exists(folder.hostId())) {
            throw new AgentException("state folder " + config.stateDir()
                    + " holds no host id (expected that of an agent); give" + " --state-dir DIR");
        }
        try (var parts = new Parts()) {
            parts.own(StateLock.take(config.stateDir()));
            var gone = new ArrayList<>(Datapaths.remove(HostIdentity.loadOrCreate(folder.hostId())));
            if (Files.exists(folder.session())) {
                StoreConnection.endSession(config.store(), SavedSession.at(folder.session()), OLD_SESSION);
                gone.add("session");
            }
            if (Files.deleteIfExists(folder.tunnelKeys())) {
                gone.add("tunnel keys");
            }
            return gone;
        } catch (IOException e) {
            throw new AgentException(folder.tunnelKeys() + " cannot be deleted: " + e.getMessage(), e);
        }
    }

    /** Stops serving and takes everything away: datapath, what was published, the session. */
    public void remove() {
        parts.leaveAtEnd(false);
        parts.close();
    }
}
