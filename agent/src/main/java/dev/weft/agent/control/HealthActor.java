package dev.weft.agent.control;

import akka.actor.typed.ActorRef;
import akka.actor.typed.Behavior;
import akka.actor.typed.PostStop;
import akka.actor.typed.javadsl.AbstractBehavior;
import akka.actor.typed.javadsl.ActorContext;
import akka.actor.typed.javadsl.Behaviors;
import akka.actor.typed.javadsl.Receive;
import akka.actor.typed.javadsl.TimerScheduler;
import dev.weft.agent.health.HealthChecks;
import dev.weft.agent.health.Target;
import dev.weft.agent.worker.Command.MemberHealth;
import dev.weft.base.Tag;
import dev.weft.sim.HealthPort;
import dev.weft.sim.VirtualNetwork;
import dev.weft.topology.Leadership;
import dev.weft.topology.StateTable;
import dev.weft.topology.TableKind;
import dev.weft.topology.TableKind.InstanceKey;
import dev.weft.topology.TableKind.InstanceValue;
import dev.weft.topology.TableKind.MemberKey;
import dev.weft.topology.TopologySnapshot;
import dev.weft.topology.Watch;
import dev.weft.topology.schema.Health;
import dev.weft.topology.schema.Pool;
import dev.weft.topology.schema.Port;
import java.time.Duration;
import java.util.HashMap;
import java.util.HashSet;
import java.util.Map;
import java.util.Set;
import java.util.UUID;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/**
 * Which members of pools, and instances of services, are well: asks them if this agent is the one that does, writes what it finds into the pools'
 * tables, and tells the workers what the tables say, whoever wrote it. Members nobody speaks of are up.
 */
final class HealthActor extends AbstractBehavior<HealthActor.Command> {
    private static final Duration LOOK = Duration.ofMillis(50);

    sealed interface Command {}

    record Changed(TopologySnapshot snapshot) implements Command {}

    /** An instance of a service is registered, null: no longer. */
    private record Heard(InstanceKey key, @Nullable InstanceValue value) implements Command {}

    private record Retarget() implements Command {}

    private record Led(boolean here) implements Command {}

    private record Found(Target target, boolean up) implements Command {}

    private record Look() implements Command {}

    private record Said(UUID pool, MemberKey member, boolean down) implements Command {}

    private final Site site;
    private final ActorRef<TopologyActor.Command> topology;
    /** Pools that are asked, and service tables with checks. */
    private final Map<UUID, Followed> pools = new HashMap<>();

    private final Leadership leadership;
    private final StateTable<InstanceKey, InstanceValue> instanceTable;
    private final Watch instanceWatch;
    private final Map<InstanceKey, InstanceValue> instances = new HashMap<>();
    private final TimerScheduler<Command> timers;
    private final Damper<Target, Boolean> damper = new Damper<>(OwnInstances.INTERVAL_NANOS, this::write);
    private TopologySnapshot snapshot = TopologySnapshot.EMPTY;
    private ServiceChecks services = ServiceChecks.NONE;
    private boolean retargets;
    private Set<Target> targets = Set.of();
    private @Nullable HealthChecks checks;

    private record Followed(StateTable<MemberKey, Integer> table, Watch watch) {
        void close() {
            watch.close();
            table.close();
        }
    }

    static Behavior<Command> create(Site site, ActorRef<TopologyActor.Command> topology) {
        return Behaviors.setup(
                context -> Behaviors.withTimers(timers -> new HealthActor(context, timers, site, topology)));
    }

    private HealthActor(
            ActorContext<Command> context,
            TimerScheduler<Command> timers,
            Site site,
            ActorRef<TopologyActor.Command> topology) {
        super(context);
        this.timers = timers;
        this.topology = topology;
        this.site = site;
        ActorRef<Command> self = context.getSelf();
        leadership = site.elections.enter("health", here -> self.tell(new Led(here)));
        instanceTable = site.tables.open(TableKind.INSTANCES, TableKind.CLUSTER);
        instanceWatch =
                instanceTable.watch((key, value, host, incarnation, ownerDied) -> self.tell(new Heard(key, value)));
    }

    @Override
    public Receive<Command> createReceive() {
        return newReceiveBuilder()
                .onMessage(Changed.class, changed -> follow(changed.snapshot()))
                .onMessage(Heard.class, this::heard)
                .onMessage(Retarget.class, now -> {
                    retargets = false;
                    return retarget();
                })
                .onMessage(Led.class, led -> lead(led.here()))
                .onMessage(Found.class, this::found)
                .onMessage(Said.class, this::said)
                .onMessage(Look.class, look -> lookAtDamped())
                .onSignal(PostStop.class, stopped -> {
                    leadership.close();
                    lead(false);
                    pools.values().forEach(Followed::close);
                    instanceWatch.close();
                    return this;
                })
                .build();
    }

    /** Many come at once; they are asked together. */
    private Behavior<Command> heard(Heard heard) {
        if (heard.value() == null) {
            instances.remove(heard.key());
        } else {
            instances.put(heard.key(), heard.value());
        }
        if (!retargets && !services.tables().isEmpty()) {
            retargets = true;
            getContext().getSelf().tell(new Retarget());
        }
        return this;
    }

    private Behavior<Command> follow(TopologySnapshot now) {
        snapshot = now;
        services = ServiceChecks.of(now);
        Set<UUID> wanted = new HashSet<>(services.tables());
        for (Pool pool : snapshot.all(Pool.class)) {
            if (pool.getHealth().getType() != Health.Type.NONE) {
                wanted.add(UUID.fromString(pool.getId()));
            }
        }
        for (UUID gone : Set.copyOf(pools.keySet())) {
            if (!wanted.contains(gone)) {
                pools.remove(gone).close();
            }
        }
        wanted.forEach(id -> pools.computeIfAbsent(id, this::open));
        return retarget();
    }

    private Behavior<Command> retarget() {
        Set<Target> before = targets;
        Set<Target> now = new HashSet<>(HealthTargets.of(snapshot));
        now.addAll(services.targets(instances));
        targets = now;
        HealthChecks running = checks;
        if (running != null) {
            askFrom(targets);
            running.follow(targets);
            forget(before);
        }
        return this;
    }

    /** Makes the places to ask from, which become ports of this host. */
    private void askFrom(Set<Target> asked) {
        Set<UUID> routers = asked.stream().map(Target::router).collect(Collectors.toSet());
        Map<UUID, Port> ports = new HashMap<>();
        site.places.follow(routers).forEach((router, outside) -> {
            Port port = HealthPort.at(router.toString());
            ports.put(
                    HealthPort.idAt(router),
                    port.toBuilder().setInterface(outside).build());
        });
        topology.tell(new TopologyActor.HealthPorts(Map.copyOf(ports)));
    }

    private boolean isReady(UUID router) {
        return !site.places.needPorts()
                || site.board
                        .find(HealthPort.idAt(router))
                        .filter(entry -> entry.datapathPort() != PortKeeper.NONE)
                        .isPresent();
    }

    private Followed open(UUID pool) {
        ActorRef<Command> self = getContext().getSelf();
        StateTable<MemberKey, Integer> table = site.tables.open(TableKind.DOWN_MEMBERS, pool);
        return new Followed(
                table,
                table.watch((member, value, host, incarnation, ownerDied) ->
                        self.tell(new Said(pool, member, value != null))));
    }

    /** A member that is asked no longer, or asked otherwise, begins anew. */
    private void forget(Set<Target> before) {
        for (Target target : before) {
            if (!targets.contains(target)) {
                found(new Found(target, true));
            }
        }
    }

    private Behavior<Command> lead(boolean here) {
        HealthChecks running = checks;
        if (here && running == null) {
            ActorRef<Command> self = getContext().getSelf();
            askFrom(targets);
            checks = new HealthChecks(site.places, this::isReady, (target, up) -> self.tell(new Found(target, up)));
            checks.follow(targets);
        } else if (!here && running != null) {
            running.close();
            checks = null;
            askFrom(Set.of());
            targets.forEach(target -> found(new Found(target, true)));
        }
        return this;
    }

    /** Whoever answers every other time is written now and then only. */
    private Behavior<Command> found(Found found) {
        damper.change(found.target(), found.up(), site.clock.nanoTime());
        return lookAtDamped();
    }

    private Behavior<Command> lookAtDamped() {
        if (damper.look(site.clock.nanoTime())) {
            timers.startSingleTimer(new Look(), LOOK);
        }
        return this;
    }

    private void write(Target target, boolean up) {
        Followed pool = pools.get(target.pool());
        if (pool == null) {
            return;
        }
        var member = new MemberKey(target.address(), target.memberPort());
        if (up) {
            pool.table().remove(member);
        } else {
            getContext()
                    .getLog()
                    .warn(
                            "member {} of {} does not answer at port {}: down",
                            target.address(),
                            target.pool(),
                            target.port());
            pool.table().put(member, 1);
        }
    }

    private Behavior<Command> said(Said said) {
        MemberKey member = said.member();
        if (services.tables().contains(said.pool())) {
            site.instances.health(said.pool(), member, said.down());
            return this;
        }
        site.crew.tell(new MemberHealth(
                Tag.device(said.pool()),
                VirtualNetwork.memberName(
                        said.pool(), member.address().high(), member.address().low(), member.port()),
                said.down()));
        return this;
    }
}
