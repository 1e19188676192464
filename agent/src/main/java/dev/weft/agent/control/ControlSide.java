package dev.weft.agent.control;

import akka.actor.typed.ActorSystem;
import com.typesafe.config.Config;
import com.typesafe.config.ConfigFactory;
import dev.weft.agent.AgentConfig;
import dev.weft.agent.health.Places;
import dev.weft.agent.worker.Worker;
import dev.weft.base.NanoClock;
import dev.weft.datapath.Datapath;
import dev.weft.sim.VirtualNetwork;
import dev.weft.topology.PortBlockStore;
import dev.weft.topology.StateTables;
import dev.weft.topology.TableCounters;
import dev.weft.topology.TableKind;
import dev.weft.topology.TopologyStore;
import dev.weft.topology.Watch;
import java.time.Duration;
import java.time.InstantSource;
import java.util.List;
import java.util.Set;
import java.util.UUID;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.function.BooleanSupplier;
import java.util.function.LongConsumer;
import java.util.random.RandomGenerator;
import java.util.stream.Collectors;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** The door of the control side: starts the actors, lets them be seen, ends them. Thread safe. */
public final class ControlSide implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(ControlSide.class);
    private static final Duration END = Duration.ofSeconds(5);
    private static final Config AKKA = ConfigFactory.parseString("""
                    akka {
                      loglevel = WARNING
                      stdout-loglevel = OFF
                      jvm-exit-on-fatal-error = off
                      coordinated-shutdown.run-by-jvm-shutdown-hook = off
                      coordinated-shutdown.run-by-actor-system-terminate = off
                      actor.default-dispatcher.fork-join-executor {
                        parallelism-min = 2
                        parallelism-max = 4
                      }
                    }
                    """).withFallback(ConfigFactory.load());

    private final Site site;
    private final Crew crew;
    private final Lessons lessons;
    private final ActorSystem<TopologyActor.Command> system;
    private final Watch topologyWatch;

    /** What the control side stands on; all of it thread safe and open until after it is closed. */
    public record Ground(
            UUID host,
            Datapath datapath,
            List<Worker> workers,
            TopologyStore store,
            StateTables tables,
            PortBlockStore blocks,
            Elections elections,
            Places places,
            Interfaces interfaces,
            NanoClock clock,
            RandomGenerator random) {}

    /**
     * How it begins.
     *
     * @param adopts whether datapath and tables hold what an earlier agent of this host left
     * @param storeIsRead whether topology comes from the store, not from the earlier agent
     * @param adopted called when everything was taken over, and what nobody said again may go
     */
    public record Beginning(boolean adopts, BooleanSupplier storeIsRead, Runnable adopted) {}

    private ControlSide(
            Site site, Crew crew, Lessons lessons, ActorSystem<TopologyActor.Command> system, Watch topologyWatch) {
        this.site = site;
        this.crew = crew;
        this.lessons = lessons;
        this.system = system;
        this.topologyWatch = topologyWatch;
    }

    /**
     * @param lessons what the workers were given to report to
     * @param keys of this host
     * @param beginning what an earlier agent left, to be taken over
     * @param acknowledged hears the number of each change that all workers have switched to
     */
    public static ControlSide start(
            Ground ground,
            AgentConfig config,
            Lessons lessons,
            KeyRing keys,
            Beginning beginning,
            LongConsumer acknowledged) {
        var crew = new Crew(ground.workers());
        var options = new Site.Options(
                config.limits().upcallsPerSecond(),
                config.limits().floodsPerSecond(),
                config.limits().learnedPerPort(),
                config.deletionHold(),
                config.grace());
        var claims = new BlockClaims(
                ground.blocks(),
                ground.host(),
                keys.connectionEpoch(),
                ground.workers().size(),
                () -> hosts(ground.store()),
                InstantSource.system());
        var site = new Site(
                ground.host(),
                ground.datapath(),
                crew,
                ground.tables(),
                ground.interfaces(),
                ground.clock(),
                claims,
                ground.elections(),
                ground.places(),
                ground.random(),
                options);
        var mailbox = new TopologyActor.Mailbox();
        ActorSystem<TopologyActor.Command> system = ActorSystem.create(
                TopologyActor.create(
                        site,
                        mailbox,
                        keys,
                        ground.tables().open(TableKind.TUNNEL_KEYS, TableKind.CLUSTER),
                        lessons,
                        acknowledged,
                        new Takeover.Plan(beginning.adopts(), beginning.storeIsRead(), beginning.adopted())),
                "weft",
                AKKA);
        lessons.start(system);
        ground.datapath().setPortListener((port, id) -> system.tell(new TopologyActor.PortLost(port, id)));
        ground.datapath().bindTunnelKey(Datapath.STATE_KEY, Datapath.TO_WORKER);
        Watch watch = ground.store().watch(snapshot -> mailbox.put(snapshot, system));
        return new ControlSide(site, crew, lessons, system, watch);
    }

    private static Set<UUID> hosts(TopologyStore store) {
        return store.snapshot().hosts().stream()
                .map(host -> UUID.fromString(host.getId()))
                .collect(Collectors.toSet());
    }

    /** The network that workers were told of last. */
    public VirtualNetwork network() {
        return site.network();
    }

    /** Instances of services. */
    public Instances instances() {
        return site.instances;
    }

    /** What controllers of services want to know, as it happens. */
    public ServiceEvents events() {
        return site.events;
    }

    public PortBoard ports() {
        return site.board;
    }

    public TableCounters tableCounters() {
        return site.tables.counters();
    }

    /** What workers learned and the other hosts were not told, for it was too much at once. */
    public long lessonsLeftOut() {
        return lessons.leftOut();
    }

    public FabricBoard fabric() {
        return site.fabric;
    }

    /** Whether what an earlier agent left is still being judged. */
    public boolean isTakingOver() {
        return site.isTakingOver();
    }

    /** The change that every worker has switched to. */
    public long changeNumber() {
        return crew.changeNumber();
    }

    /** Ends the actors and leaves everything as it is, for the next agent of this host. */
    public void leave() {
        site.leave();
        close();
    }

    /** Ends the actors: ports are detached, their keys and what was learned from them are withdrawn. */
    @Override
    public void close() {
        topologyWatch.close();
        system.terminate();
        try {
            system.getWhenTerminated().toCompletableFuture().get(END.toMillis(), TimeUnit.MILLISECONDS);
        } catch (TimeoutException e) {
            LOG.warn("the control side did not end within {} s; going on without it", END.toSeconds());
        } catch (ExecutionException e) {
            LOG.warn("the control side ended with a fault", e.getCause());
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
        crew.dismiss();
    }
}
