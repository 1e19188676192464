package dev.weft.agent.control;

import akka.actor.typed.ActorRef;
import akka.actor.typed.Behavior;
import akka.actor.typed.PostStop;
import akka.actor.typed.javadsl.AbstractBehavior;
import akka.actor.typed.javadsl.ActorContext;
import akka.actor.typed.javadsl.Behaviors;
import akka.actor.typed.javadsl.Receive;
import akka.actor.typed.javadsl.TimerScheduler;
import dev.weft.agent.worker.Command.InstanceDown;
import dev.weft.agent.worker.Command.InstanceUp;
import dev.weft.base.ServicePrefix;
import dev.weft.sim.service.ServiceInstance;
import dev.weft.topology.StateTable;
import dev.weft.topology.TableKind;
import dev.weft.topology.TableKind.InstanceKey;
import dev.weft.topology.TableKind.InstanceValue;
import dev.weft.topology.TableKind.MemberKey;
import dev.weft.topology.TopologySnapshot;
import dev.weft.topology.Watch;
import java.time.Duration;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import org.jspecify.annotations.Nullable;

/**
 * Instances of services: what this host's ports registered, and what the topology says of them, goes into the shared
 * table while their interfaces are up and have a carrier, and what all hosts say goes to the workers, unless it fails its
 * health check. An instance goes with its port, or with its agent's session.
 */
final class InstanceActor extends AbstractBehavior<InstanceActor.Command> {
    private static final Duration LOOK = Duration.ofMillis(50);

    sealed interface Command {}

    /** The answer is empty, or says why not. */
    record Register(InstanceKey key, InstanceValue value, CompletableFuture<String> answer) implements Command {}

    record Unregister(InstanceKey key, CompletableFuture<String> answer) implements Command {}

    /**
     * A VM of this host says so in a packet.
     *
     * @param taken run when it was taken up
     */
    record Heard(int port, boolean goes, ServicePrefix prefix, int address, Runnable taken) implements Command {}

    record Followed(TopologySnapshot snapshot) implements Command {}

    record Health(UUID table, MemberKey member, boolean down) implements Command {}

    private record Changed(InstanceKey key, @Nullable InstanceValue value, UUID host, boolean ownerDied)
            implements Command {}

    /** A port is not as it was, or it is time to. */
    record Look() implements Command {}

    private record Release() implements Command {}

    private final Site site;
    private final TimerScheduler<Command> timers;
    private final StateTable<InstanceKey, InstanceValue> table;
    private final Watch watch;
    private final TableMirror<InstanceKey, InstanceValue> mirror;
    private final InstanceGate gate;
    private final OwnInstances own;

    static Behavior<Command> create(Site site) {
        return Behaviors.setup(context -> Behaviors.withTimers(timers -> new InstanceActor(context, timers, site)));
    }

    private InstanceActor(ActorContext<Command> context, TimerScheduler<Command> timers, Site site) {
        super(context);
        this.site = site;
        this.timers = timers;
        table = site.tables.open(TableKind.INSTANCES, TableKind.CLUSTER);
        own = new OwnInstances(table);
        gate = new InstanceGate(site.crew::tell, site.events);
        site.instances.showFailing(gate::failing);
        mirror =
                new TableMirror<>(new Words(), gate, site.options.deletionHold().toNanos());
        ActorRef<Command> self = context.getSelf();
        watch = table.watch(
                (key, value, host, incarnation, ownerDied) -> self.tell(new Changed(key, value, host, ownerDied)));
    }

    private static final class Words implements TableMirror.Translation<InstanceKey, InstanceValue> {
        @Override
        public dev.weft.agent.worker.Command learned(InstanceKey key, InstanceValue value) {
            return new InstanceUp(instance(key, value));
        }

        @Override
        public dev.weft.agent.worker.Command forgotten(InstanceKey key, InstanceValue value) {
            return new InstanceDown(key.prefix(), key.port());
        }
    }

    private static ServiceInstance instance(InstanceKey key, InstanceValue value) {
        return new ServiceInstance(key.prefix(), key.port(), value.address(), value.priority(), value.weight());
    }

    @Override
    public Receive<Command> createReceive() {
        return newReceiveBuilder()
                .onMessage(Register.class, this::onRegister)
                .onMessage(Heard.class, this::onHeard)
                .onMessage(Followed.class, followed -> onFollowed(followed.snapshot()))
                .onMessage(Health.class, health -> {
                    gate.health(health.table(), health.member(), health.down());
                    return this;
                })
                .onMessage(Unregister.class, this::onUnregister)
                .onMessage(Changed.class, this::onChanged)
                .onMessage(Look.class, look -> onLook())
                .onMessage(Release.class, release -> onRelease())
                .onSignal(PostStop.class, stopped -> {
                    watch.close();
                    if (!site.isLeaving()) {
                        table.close();
                    }
                    return this;
                })
                .build();
    }

    private Behavior<Command> onRegister(Register register) {
        InstanceKey key = register.key();
        if (!site.isLocal(key.port())) {
            register.answer().complete("the port is not bound to this host (expected one that 'weft status' shows)");
        } else if (!site.network().admits(instance(key, register.value()))) {
            register.answer()
                    .complete("the port may not serve " + key.prefix() + " there (expected a service in its"
                            + " allowed_services and in a service block of its tenant, at an address of the port)");
        } else if (!own.put(key, register.value())) {
            register.answer()
                    .complete("the port has " + OwnInstances.MAX_PER_PORT
                            + " services already; unregister one of them first");
        } else {
            register.answer().complete("");
            onLook();
        }
        return this;
    }

    private Behavior<Command> onHeard(Heard heard) {
        heard.taken().run();
        if (!site.network().hasPort(heard.port())) {
            return this;
        }
        var key = new InstanceKey(heard.prefix(), site.network().portId(heard.port()));
        var value = new InstanceValue(heard.address(), 0, 1, true);
        if (heard.goes()) {
            own.silent(key);
        } else if (!site.isLocal(key.port())
                || !site.network().admits(instance(key, value))
                || !own.heard(key, value, site.clock.nanoTime())) {
            site.instances.refused();
            return this;
        }
        return onLook();
    }

    private Behavior<Command> onUnregister(Unregister unregister) {
        boolean known = own.remove(unregister.key());
        unregister
                .answer()
                .complete(
                        known
                                ? ""
                                : "the port has not registered "
                                        + unregister.key().prefix() + " at this host");
        return onLook();
    }

    private Behavior<Command> onFollowed(TopologySnapshot snapshot) {
        gate.follow(ServiceChecks.of(snapshot));
        own.declare(DeclaredInstances.of(snapshot, site.host));
        return onLook();
    }

    /** What is wanted and alive is in the table, all else is not; again as long as there is anything. */
    private Behavior<Command> onLook() {
        own.bring(this::isAlive, site::isLocal, site.clock.nanoTime());
        if (own.isEmpty()) {
            timers.cancel("look");
        } else if (!timers.isTimerActive("look")) {
            timers.startTimerWithFixedDelay("look", new Look(), LOOK);
        }
        return this;
    }

    private boolean isAlive(InstanceKey key, InstanceValue value) {
        boolean up = site.board.find(key.port()).filter(PortBoard.Entry::isUp).isPresent();
        return up && site.network().admits(instance(key, value));
    }

    private Behavior<Command> onChanged(Changed changed) {
        if (changed.value() != null) {
            mirror.put(changed.key(), changed.value());
            sayAgain(changed.key(), changed.value(), changed.host());
            return this;
        }
        mirror.remove(changed.key(), changed.ownerDied(), site.clock.nanoTime());
        if (changed.ownerDied()) {
            timers.startSingleTimer(changed.key(), new Release(), site.options.release());
        }
        return this;
    }

    /** Of the agent before this one: its ports' instances are this one's. */
    private void sayAgain(InstanceKey key, InstanceValue value, UUID host) {
        if (host.equals(site.host)
                && site.isTakingOver()
                && site.isLocal(key.port())
                && own.adopt(key, value, site.clock.nanoTime())) {
            onLook();
        }
    }

    private Behavior<Command> onRelease() {
        mirror.release(site.clock.nanoTime(), key -> false);
        if (mirror.holdsBack()) {
            timers.startSingleTimer("again", new Release(), site.options.release());
        }
        return this;
    }
}
