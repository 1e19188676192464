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
import java.util.HashMap;
import java.util.Map;
import java.util.UUID;
import java.util.function.Function;
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

    /** The VM behind the port says it no longer. */
    record Forget<K>(K key, UUID vmPort) implements Command {}

    /** The table says so; null: no longer. */
    private record Changed<K, V>(K key, @Nullable V value, UUID host, boolean ownerDied) implements Command {}

    /** All that was in the table has been told. */
    private record TableRead() implements Command {}

    /** The site shows another network. */
    record NetworkChanged() implements Command {}

    /** A port of this host carries no VM any more. */
    record PortGone(UUID vmPort) implements Command {}

    private record Release() implements Command {}

    /** The device is no longer within reach. */
    record Stop() implements Command {}

    private final Site site;
    private final UUID device;
    private final Function<V, UUID> vmPort;
    private final TimerScheduler<Command> timers;
    private final StateTable<K, V> table;
    private final Watch watch;
    private final TableMirror<K, V> mirror;
    private final Learned<K> learned;
    private final Map<K, UUID> owners = new HashMap<>(); // of entries that went with their session

    static <K, V> Behavior<Command> create(
            Site site,
            TableKind<K, V> kind,
            UUID device,
            TableMirror.Translation<K, V> translation,
            Function<V, UUID> vmPort) {
        return Behaviors.setup(context -> Behaviors.withTimers(timers ->
                new DeviceActor<>(context, timers, site, device, site.tables.open(kind, device), translation, vmPort)));
    }

    private DeviceActor(
            ActorContext<Command> context,
            TimerScheduler<Command> timers,
            Site site,
            UUID device,
            StateTable<K, V> table,
            TableMirror.Translation<K, V> translation,
            Function<V, UUID> vmPort) {
        super(context);
        this.site = site;
        this.device = device;
        this.vmPort = vmPort;
        this.timers = timers;
        this.table = table;
        mirror = new TableMirror<>(
                translation, site.crew::tell, site.options.deletionHold().toNanos());
        learned = new Learned<>(site.options.learnedPerPort());
        ActorRef<Command> self = context.getSelf();
        site.readiness.expectTable(device);
        watch = table.watch(new StateTable.Listener<>() {
            @Override
            public void changed(K key, @Nullable V value, UUID host, long incarnation, boolean ownerDied) {
                self.tell(new Changed<>(key, value, host, ownerDied));
            }

            @Override
            public void ready() {
                self.tell(new TableRead());
            }
        });
    }

    @Override
    @SuppressWarnings("unchecked") // Only this actor's own table and its translation make these messages.
    public Receive<Command> createReceive() {
        return newReceiveBuilder()
                .onMessage(Learn.class, learn -> onLearn((Learn<K, V>) learn))
                .onMessage(Forget.class, forget -> onForget((Forget<K>) forget))
                .onMessage(Changed.class, changed -> onChanged((Changed<K, V>) changed))
                .onMessage(NetworkChanged.class, changed -> {
                    long number = site.network().changeNumber();
                    mirror.networkChanged();
                    site.readiness.tableFollows(device, number);
                    return this;
                })
                .onMessage(TableRead.class, read -> {
                    site.readiness.tableRead(device);
                    return this;
                })
                .onMessage(PortGone.class, gone -> {
                    learned.forgetPort(gone.vmPort()).forEach(table::remove);
                    return this;
                })
                .onMessage(Release.class, release -> onRelease())
                .onMessage(Stop.class, stop -> Behaviors.stopped())
                .onSignal(PostStop.class, stopped -> {
                    watch.close();
                    site.readiness.forgetTable(device);
                    if (!site.isLeaving()) {
                        table.close();
                    }
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

    private Behavior<Command> onForget(Forget<K> forget) {
        if (learned.forget(forget.vmPort(), forget.key())) {
            table.remove(forget.key());
        }
        return this;
    }

    private Behavior<Command> onChanged(Changed<K, V> changed) {
        if (changed.value() != null) {
            mirror.put(changed.key(), changed.value());
            giveWay(changed.key());
            sayAgain(changed);
            return this;
        }
        mirror.remove(changed.key(), changed.ownerDied(), site.clock.nanoTime());
        if (changed.ownerDied()) {
            owners.put(changed.key(), changed.host());
            timers.startSingleTimer(changed.key(), new Release(), site.options.release());
        }
        return this;
    }

    private Behavior<Command> onRelease() {
        mirror.release(site.clock.nanoTime(), key -> {
            UUID owner = owners.get(key);
            return owner != null && site.hosts.isKept(owner);
        });
        if (mirror.holdsBack()) {
            timers.startSingleTimer("again", new Release(), site.options.release());
        } else {
            owners.clear();
        }
        return this;
    }

    /** The agent before this one learned it from a VM that is still here. */
    private void sayAgain(Changed<K, V> changed) {
        V value = changed.value();
        if (value == null || !changed.host().equals(site.host) || !site.isTakingOver()) {
            return;
        }
        UUID port = vmPort.apply(value);
        if (site.isLocal(port) && !learned.contains(changed.key()) && learned.admit(port, changed.key())) {
            table.put(changed.key(), value);
        }
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
