package dev.weft.agent.control;

import akka.actor.typed.ActorRef;
import akka.actor.typed.Behavior;
import akka.actor.typed.PostStop;
import akka.actor.typed.javadsl.AbstractBehavior;
import akka.actor.typed.javadsl.ActorContext;
import akka.actor.typed.javadsl.Behaviors;
import akka.actor.typed.javadsl.Receive;
import akka.actor.typed.javadsl.TimerScheduler;
import dev.weft.base.IpAddress;
import dev.weft.sim.VirtualNetwork;
import dev.weft.topology.StateTable;
import dev.weft.topology.TableKind;
import dev.weft.topology.TableKind.TunnelTarget;
import dev.weft.topology.TopologySnapshot;
import dev.weft.topology.Watch;
import java.time.Duration;
import java.util.HashMap;
import java.util.HashSet;
import java.util.Map;
import java.util.Set;
import java.util.UUID;
import org.jspecify.annotations.Nullable;

/** Everybody's tunnel keys and addresses: follows the table and keeps {@link FabricMirror} informed. */
final class FabricActor extends AbstractBehavior<FabricActor.Command> {
    sealed interface Command {}

    /** The workers were told of this network. */
    record NetworkChanged(VirtualNetwork network, TopologySnapshot snapshot) implements Command {}

    /** A host chose a key; null: it has none any more. */
    private record KeyChanged(TunnelTarget target, @Nullable Integer key, boolean ownerDied) implements Command {}

    private record LookAtHosts() implements Command {}

    /** A datapath answered. */
    record ProbeAnswered(long token) implements Command {}

    /** All keys there were have been told. */
    private record TableRead() implements Command {}

    private static final Duration LOOK_AT_HOSTS = Duration.ofMillis(20);

    private final Site site;
    private final TimerScheduler<Command> timers;
    private final FabricMirror mirror;
    private final Map<UUID, Set<TunnelTarget>> orphaned = new HashMap<>();
    private final Watch watch;

    static Behavior<Command> create(Site site, StateTable<TunnelTarget, Integer> keys) {
        return Behaviors.setup(context -> Behaviors.withTimers(timers -> new FabricActor(context, timers, site, keys)));
    }

    private FabricActor(
            ActorContext<Command> context,
            TimerScheduler<Command> timers,
            Site site,
            StateTable<TunnelTarget, Integer> keys) {
        super(context);
        this.site = site;
        this.timers = timers;
        mirror = new FabricMirror(site.host, site.datapath, site.crew::tell);
        site.hosts.tellOver(this::forget);
        ActorRef<Command> self = context.getSelf();
        site.readiness.expectTable(TableKind.CLUSTER);
        watch = keys.watch(new StateTable.Listener<>() {
            @Override
            public void changed(
                    TunnelTarget target, @Nullable Integer key, UUID host, long incarnation, boolean ownerDied) {
                self.tell(new KeyChanged(target, key, ownerDied));
            }

            @Override
            public void ready() {
                self.tell(new TableRead());
            }
        });
    }

    @Override
    public Receive<Command> createReceive() {
        return newReceiveBuilder()
                .onMessage(NetworkChanged.class, changed -> {
                    mirror.topology(changed.network(), changed.snapshot());
                    site.readiness.tableFollows(
                            TableKind.CLUSTER, changed.network().changeNumber());
                    return shown();
                })
                .onMessage(TableRead.class, read -> {
                    site.readiness.tableRead(TableKind.CLUSTER);
                    return this;
                })
                .onMessage(KeyChanged.class, this::onKey)
                .onMessage(LookAtHosts.class, look -> lookAtHosts())
                .onMessage(ProbeAnswered.class, answer -> {
                    site.hosts.answered(answer.token(), site.clock.nanoTime());
                    return this;
                })
                .onSignal(PostStop.class, stopped -> {
                    watch.close();
                    return this;
                })
                .build();
    }

    private Behavior<Command> onKey(KeyChanged changed) {
        TunnelTarget target = changed.target();
        if (target.host().equals(site.host)) {
            return this;
        }
        IpAddress underlay = mirror.underlay(target.host());
        if (changed.key() != null) {
            known(target, changed.key());
            site.hosts.back(target.host(), site.clock.nanoTime());
            said(target);
        } else if (changed.ownerDied() && underlay != null) {
            orphaned.computeIfAbsent(target.host(), host -> new HashSet<>()).add(target);
            site.hosts.sessionEnded(target.host(), underlay, site.clock.nanoTime());
            return lookAtHosts();
        } else {
            said(target);
            gone(target);
        }
        return shown();
    }

    /** The host itself said something of it: nothing to guess. */
    private void said(TunnelTarget target) {
        Set<TunnelTarget> left = orphaned.get(target.host());
        if (left != null) {
            left.remove(target);
        }
    }

    private Behavior<Command> lookAtHosts() {
        site.hosts.look(site.clock.nanoTime());
        if (!site.hosts.isIdle()) {
            timers.startSingleTimer(new LookAtHosts(), LOOK_AT_HOSTS);
        }
        return shown();
    }

    /** Nothing is sent there any more by keys that were not said again. */
    private void forget(UUID host) {
        Set<TunnelTarget> left = orphaned.remove(host);
        if (left != null) {
            left.forEach(this::gone);
        }
    }

    private Behavior<Command> shown() {
        site.fabric.show(mirror.counts());
        return this;
    }

    private void known(TunnelTarget target, int key) {
        switch (target.what()) {
            case PORT -> mirror.portKey(new FabricMirror.Location(target.id(), target.host()), key);
            case FLOOD -> mirror.floodKey(floodId(target), key);
        }
    }

    private static FabricMirror.FloodId floodId(TunnelTarget target) {
        return new FabricMirror.FloodId(target.id(), target.vlan(), target.host());
    }

    private void gone(TunnelTarget target) {
        switch (target.what()) {
            case PORT -> mirror.portGone(new FabricMirror.Location(target.id(), target.host()));
            case FLOOD -> mirror.floodGone(floodId(target));
        }
    }
}
