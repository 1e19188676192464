package dev.weft.agent.control;

import akka.actor.typed.ActorRef;
import akka.actor.typed.Behavior;
import akka.actor.typed.PostStop;
import akka.actor.typed.javadsl.AbstractBehavior;
import akka.actor.typed.javadsl.ActorContext;
import akka.actor.typed.javadsl.Behaviors;
import akka.actor.typed.javadsl.Receive;
import dev.weft.agent.health.HealthChecks;
import dev.weft.agent.health.Target;
import dev.weft.agent.worker.Command.MemberHealth;
import dev.weft.base.Tag;
import dev.weft.sim.HealthPort;
import dev.weft.sim.VirtualNetwork;
import dev.weft.topology.Leadership;
import dev.weft.topology.StateTable;
import dev.weft.topology.TableKind;
import dev.weft.topology.TableKind.MemberKey;
import dev.weft.topology.TopologySnapshot;
import dev.weft.topology.Watch;
import dev.weft.topology.schema.Health;
import dev.weft.topology.schema.Pool;
import dev.weft.topology.schema.Port;
import java.util.HashMap;
import java.util.HashSet;
import java.util.Map;
import java.util.Set;
import java.util.UUID;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/**
 * Which members of pools are well: asks them if this agent is the one that does, writes what it finds into the pools'
 * tables, and tells the workers what the tables say, whoever wrote it. Members nobody speaks of are up.
 */
final class HealthActor extends AbstractBehavior<HealthActor.Command> {
    sealed interface Command {}

    record Changed(TopologySnapshot snapshot) implements Command {}

    private record Led(boolean here) implements Command {}

    private record Found(Target target, boolean up) implements Command {}

    private record Said(UUID pool, MemberKey member, boolean down) implements Command {}

    private final Site site;
    private final ActorRef<TopologyActor.Command> topology;
    private final Map<UUID, Followed> pools = new HashMap<>();
    private final Leadership leadership;
    private Set<Target> targets = Set.of();
    private @Nullable HealthChecks checks;

    private record Followed(StateTable<MemberKey, Integer> table, Watch watch) {
        void close() {
            watch.close();
            table.close();
        }
    }

    static Behavior<Command> create(Site site, ActorRef<TopologyActor.Command> topology) {
        return Behaviors.setup(context -> new HealthActor(context, site, topology));
    }

    private HealthActor(ActorContext<Command> context, Site site, ActorRef<TopologyActor.Command> topology) {
        super(context);
        this.topology = topology;
        this.site = site;
        ActorRef<Command> self = context.getSelf();
        leadership = site.elections.enter("health", here -> self.tell(new Led(here)));
    }

    @Override
    public Receive<Command> createReceive() {
        return newReceiveBuilder()
                .onMessage(Changed.class, changed -> follow(changed.snapshot()))
                .onMessage(Led.class, led -> lead(led.here()))
                .onMessage(Found.class, this::found)
                .onMessage(Said.class, this::said)
                .onSignal(PostStop.class, stopped -> {
                    leadership.close();
                    lead(false);
                    pools.values().forEach(Followed::close);
                    return this;
                })
                .build();
    }

    private Behavior<Command> follow(TopologySnapshot snapshot) {
        Set<UUID> wanted = new HashSet<>();
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
        Set<Target> before = targets;
        targets = HealthTargets.of(snapshot);
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

    private Behavior<Command> found(Found found) {
        Followed pool = pools.get(found.target().pool());
        if (pool != null) {
            var member = new MemberKey(found.target().address(), found.target().memberPort());
            if (found.up()) {
                pool.table().remove(member);
            } else {
                getContext()
                        .getLog()
                        .warn(
                                "member {} of pool {} does not answer at port {}: down",
                                found.target().address(),
                                found.target().pool(),
                                found.target().port());
                pool.table().put(member, 1);
            }
        }
        return this;
    }

    private Behavior<Command> said(Said said) {
        MemberKey member = said.member();
        site.crew.tell(new MemberHealth(
                Tag.device(said.pool()),
                VirtualNetwork.memberName(
                        said.pool(), member.address().high(), member.address().low(), member.port()),
                said.down()));
        return this;
    }
}
