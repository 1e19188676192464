package dev.weft.agent.control;

import akka.actor.typed.ActorRef;
import akka.actor.typed.Behavior;
import akka.actor.typed.javadsl.AbstractBehavior;
import akka.actor.typed.javadsl.ActorContext;
import akka.actor.typed.javadsl.Behaviors;
import akka.actor.typed.javadsl.Receive;
import akka.actor.typed.javadsl.TimerScheduler;
import dev.weft.agent.worker.Command.NetworkChanged;
import dev.weft.sim.VirtualNetwork;
import dev.weft.topology.StateTable;
import dev.weft.topology.TableKind.TunnelTarget;
import dev.weft.topology.TopologySnapshot;
import dev.weft.topology.schema.Port;
import java.time.Duration;
import java.util.HashMap;
import java.util.Map;
import java.util.UUID;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.LongConsumer;
import org.jspecify.annotations.Nullable;

/**
 * Follows the topology: compiles each snapshot once, hands it to the workers, has an actor for each port and device that
 * it needs, and says when every worker has switched.
 */
final class TopologyActor extends AbstractBehavior<TopologyActor.Command> {
    private static final Duration LOOK_AT_WORKERS = Duration.ofMillis(2);
    private static final Duration LOOK_AT_TAKEOVER = Duration.ofMillis(10);

    interface Command {}

    /** There is a snapshot in {@link #newest}. */
    private record SnapshotWaits() implements Command {}

    private record LookAtWorkers() implements Command {}

    private record LookAtTakeover() implements Command {}

    /** The datapath lost a port's interface. */
    record PortLost(int datapathPort, UUID port) implements Command {}

    /** A port of this host carries no VM (any more). */
    record PortSilent(UUID port) implements Command {}

    /** This host asks the members behind these ports of routers; they are in no topology. */
    record HealthPorts(Map<UUID, Port> ports) implements Command {}

    /** A child is gone now. */
    record ChildEnded(Runnable then) implements Command {}

    /** A worker learned something; the numbers are the network's. */
    record Lesson(Runnable toDevice) implements Command {}

    private final Site site;
    private final TimerScheduler<Command> timers;
    private final AtomicReference<@Nullable TopologySnapshot> newest;
    private final LongConsumer acknowledged;
    private final ActorRef<FabricActor.Command> fabric;
    private final ActorRef<HealthActor.Command> health;
    private final DeviceActors devices;
    private final PortActors ports;
    private final FloodKeys floods;
    private final Takeover takeover;
    private TopologySnapshot followed = TopologySnapshot.EMPTY;
    private Map<UUID, Port> healthPorts = Map.of();
    private long acknowledgedNumber = -1;

    /** Where the store's thread leaves snapshots: only the newest counts. */
    static final class Mailbox {
        private final AtomicReference<@Nullable TopologySnapshot> newest = new AtomicReference<>();

        void put(TopologySnapshot snapshot, ActorRef<Command> actor) {
            if (newest.getAndSet(snapshot) == null) {
                actor.tell(new SnapshotWaits());
            }
        }
    }

    static Behavior<Command> create(
            Site site,
            Mailbox mailbox,
            KeyRing keys,
            StateTable<TunnelTarget, Integer> keyTable,
            Lessons lessons,
            LongConsumer acknowledged,
            Takeover.Plan plan) {
        return Behaviors.setup(context -> Behaviors.withTimers(timers ->
                new TopologyActor(context, timers, site, mailbox, keys, keyTable, lessons, acknowledged, plan)));
    }

    private TopologyActor(
            ActorContext<Command> context,
            TimerScheduler<Command> timers,
            Site site,
            Mailbox mailbox,
            KeyRing keys,
            StateTable<TunnelTarget, Integer> keyTable,
            Lessons lessons,
            LongConsumer acknowledged,
            Takeover.Plan plan) {
        super(context);
        this.site = site;
        this.timers = timers;
        this.acknowledged = acknowledged;
        newest = mailbox.newest;
        fabric = context.spawn(FabricActor.create(site, keyTable), "fabric");
        devices = new DeviceActors(context, site);
        ports = new PortActors(context, site, keys, keyTable);
        floods = new FloodKeys(site, keys, keyTable);
        ActorRef<BlockActor.Command> blocks = context.spawn(BlockActor.create(site, site.claims), "blocks");
        ActorRef<InstanceActor.Command> instances = context.spawn(InstanceActor.create(site), "instances");
        site.instances.start(instances);
        lessons.teach(devices, fabric, blocks, context.spawn(DelayActor.create(site), "delays"), instances);
        health = context.spawn(HealthActor.create(site, context.getSelf()), "health");
        takeover = new Takeover(site, plan);
        if (!takeover.isOver()) {
            site.takeOver();
            timers.startTimerWithFixedDelay(new LookAtTakeover(), LOOK_AT_TAKEOVER);
        }
    }

    @Override
    public Receive<Command> createReceive() {
        return newReceiveBuilder()
                .onMessage(SnapshotWaits.class, waits -> onSnapshot())
                .onMessage(LookAtWorkers.class, look -> lookAtWorkers())
                .onMessage(LookAtTakeover.class, look -> lookAtTakeover())
                .onMessage(Lesson.class, lesson -> {
                    lesson.toDevice().run();
                    return this;
                })
                .onMessage(ChildEnded.class, ended -> {
                    ended.then().run();
                    return this;
                })
                .onMessage(HealthPorts.class, here -> {
                    healthPorts = here.ports();
                    followHere(site.network());
                    return this;
                })
                .onMessage(PortLost.class, lost -> {
                    ports.lost(lost.port(), lost.datapathPort());
                    return this;
                })
                .onMessage(PortSilent.class, silent -> {
                    devices.portGone(silent.port());
                    return this;
                })
                .build();
    }

    private Behavior<Command> onSnapshot() {
        TopologySnapshot snapshot = newest.getAndSet(null);
        if (snapshot == null) {
            return this;
        }
        VirtualNetwork next = VirtualNetwork.compile(snapshot, site.network());
        site.crew.tell(new NetworkChanged(next));
        followed = snapshot;
        followHere(next);
        fabric.tell(new FabricActor.NetworkChanged(next, snapshot));
        health.tell(new HealthActor.Changed(snapshot));
        site.instances.follow(snapshot);
        site.events.publish(new ServiceEvent.Topology(snapshot.changeNumber()));
        return lookAtWorkers();
    }

    private void followHere(VirtualNetwork network) {
        var more = new HashMap<>(healthPorts);
        more.keySet().removeIf(port -> !network.isHealthPort(network.portIndex(port)));
        LocalView view = LocalView.of(followed, site.host, more);
        site.show(network, view.ports().keySet());
        devices.follow(view);
        floods.follow(view.floods());
        ports.follow(view.ports());
    }

    private Behavior<Command> lookAtTakeover() {
        takeover.look();
        if (takeover.isOver()) {
            timers.cancel(new LookAtTakeover());
        }
        return this;
    }

    private Behavior<Command> lookAtWorkers() {
        long switched = site.crew.changeNumber();
        if (switched > acknowledgedNumber) {
            acknowledgedNumber = switched;
            acknowledged.accept(switched);
        }
        if (switched < site.network().changeNumber()) {
            timers.startSingleTimer(new LookAtWorkers(), LOOK_AT_WORKERS);
        }
        return this;
    }
}
