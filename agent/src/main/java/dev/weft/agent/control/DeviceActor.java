package dev.weft.agent.control;

import akka.actor.typed.ActorRef;
import akka.actor.typed.Behavior;
import akka.actor.typed.PostStop;
import akka.actor.typed.javadsl.AbstractBehavior;
import akka.actor.typed.javadsl.ActorContext;
import akka.actor.typed.javadsl.Behaviors;
import akka.actor.typed.javadsl.Receive;
import akka.actor.typed.javadsl.TimerScheduler;
import dev.weft.topology.StateTable;
import dev.weft.topology.TableKind;
import dev.weft.topology.Watch;
import java.util.UUID;
import org.jspecify.annotations.Nullable;

/**
 * The shared table of one bridge or router within reach: what other hosts say goes to the workers, what the workers
 * learn goes into the table.
 *
 * @param <K> the table's keys
 * @param <V> the table's values
 */
final class DeviceActor<K, V> extends AbstractBehavior<DeviceActor.Command> {
    interface Command {}

    /** A worker learned this from the VM behind a port. */
    record Learn<K, V>(K key, V value, UUID vmPort) implements Command {}

    /** The table says so; null: no longer. */
    private record Changed<K, V>(K key, @Nullable V value, boolean ownerDied) implements Command {}

    /** The site shows another network. */
    record NetworkChanged() implements Command {}

    /** A port of this host carries no VM any more. */
    record PortGone(UUID vmPort) implements Command {}

    private record Release() implements Command {}

    /** The device is no longer within reach. */
    record Stop() implements Command {}

    private final Site site;
    private final TimerScheduler<Command> timers;
    private final StateTable<K, V> table;
    private final Watch watch;
    private final TableMirror<K, V> mirror;
    private final Learned<K> learned;

    static <K, V> Behavior<Command> create(
            Site site, TableKind<K, V> kind, UUID device, TableMirror.Translation<K, V> translation) {
        return Behaviors.setup(context -> Behaviors.withTimers(
                timers -> new DeviceActor<>(context, timers, site, site.tables.open(kind, device), translation)));
    }

    private DeviceActor(
            ActorContext<Command> context,
            TimerScheduler<Command> timers,
            Site site,
            StateTable<K, V> table,
            TableMirror.Translation<K, V> translation) {
        super(context);
        this.site = site;
        this.timers = timers;
        this.table = table;
        mirror = new TableMirror<>(
                translation, site.crew::tell, site.options.deletionHold().toNanos());
        learned = new Learned<>(site.options.learnedPerPort());
        ActorRef<Command> self = context.getSelf();
        watch = table.watch(
                (key, value, host, incarnation, ownerDied) -> self.tell(new Changed<>(key, value, ownerDied)));
    }

    @Override
    @SuppressWarnings("unchecked") // Only this actor's own table and its translation make these messages.
    public Receive<Command> createReceive() {
        return newReceiveBuilder()
                .onMessage(Learn.class, learn -> onLearn((Learn<K, V>) learn))
                .onMessage(Changed.class, changed -> onChanged((Changed<K, V>) changed))
                .onMessage(NetworkChanged.class, changed -> {
                    mirror.networkChanged();
                    return this;
                })
                .onMessage(PortGone.class, gone -> {
                    learned.forgetPort(gone.vmPort()).forEach(table::remove);
                    return this;
                })
                .onMessage(Release.class, release -> {
                    mirror.release(site.clock.nanoTime());
                    return this;
                })
                .onMessage(Stop.class, stop -> Behaviors.stopped())
                .onSignal(PostStop.class, stopped -> {
                    watch.close();
                    table.close();
                    return this;
                })
                .build();
    }

    private Behavior<Command> onLearn(Learn<K, V> learn) {
        if (learned.admit(learn.vmPort(), learn.key())) {
            table.put(learn.key(), learn.value());
        }
        return this;
    }

    private Behavior<Command> onChanged(Changed<K, V> changed) {
        if (changed.value() != null) {
            mirror.put(changed.key(), changed.value());
            giveWay(changed.key());
            return this;
        }
        mirror.remove(changed.key(), changed.ownerDied(), site.clock.nanoTime());
        if (changed.ownerDied()) {
            timers.startSingleTimer(changed.key(), new Release(), site.options.release());
        }
        return this;
    }

    /** Another host says otherwise and is newer: our own word on it goes, the owner alone removes. */
    private void giveWay(K key) {
        boolean another =
                table.get(key).map(entry -> !entry.host().equals(site.host)).orElse(false);
        if (another && learned.contains(key)) {
            learned.forget(key);
            table.remove(key);
        }
    }
}
