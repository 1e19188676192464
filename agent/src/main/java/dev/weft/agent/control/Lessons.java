package dev.weft.agent.control;

import akka.actor.typed.ActorRef;
import dev.weft.agent.worker.Learnings;
import dev.weft.base.IpAddress;
import dev.weft.base.ServiceId;
import dev.weft.base.ServicePrefix;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * Carries what workers learn to the actors, bounded: a VM that makes addresses up cannot fill the control side's
 * mailboxes. What is too much is known to this host's workers only, and counted. Thread safe.
 */
public final class Lessons implements Learnings {
    private static final int MAX_UNDER_WAY = 4096;

    private final AtomicInteger underWay = new AtomicInteger();
    private final AtomicLong leftOut = new AtomicLong();
    private volatile @Nullable ActorRef<TopologyActor.Command> actor;
    private volatile @Nullable DeviceActors devices;
    private volatile @Nullable ActorRef<FabricActor.Command> fabric;
    private volatile @Nullable ActorRef<BlockActor.Command> blocks;
    private volatile @Nullable ActorRef<DelayActor.Command> delays;
    private volatile @Nullable ActorRef<InstanceActor.Command> instances;

    /** From now on lessons reach the actor. */
    void start(ActorRef<TopologyActor.Command> topology) {
        actor = topology;
    }

    /** By the actor itself. */
    void teach(
            DeviceActors to,
            ActorRef<FabricActor.Command> whoProbes,
            ActorRef<BlockActor.Command> whoClaims,
            ActorRef<DelayActor.Command> whoTells,
            ActorRef<InstanceActor.Command> whoRegisters) {
        delays = whoTells;
        instances = whoRegisters;
        devices = to;
        fabric = whoProbes;
        blocks = whoClaims;
    }

    /** Each worker asks once a second for each pool at most. */
    @Override
    public void blockWanted(long pool, int worker, boolean ahead) {
        ActorRef<BlockActor.Command> to = blocks;
        if (to != null) {
            to.tell(new BlockActor.Wanted(pool, worker, ahead));
        }
    }

    /** Rare: who is asked is known, others' answers name no token of ours. */
    @Override
    public void probeAnswered(long token) {
        ActorRef<FabricActor.Command> to = fabric;
        if (to != null) {
            to.tell(new FabricActor.ProbeAnswered(token));
        }
    }

    /** Once a second for each of a bounded number of services. */
    @Override
    public void serviceDelayed(int table, long word0, long word1, long word2, long word3) {
        ActorRef<DelayActor.Command> to = delays;
        if (to != null && mayBeUnderWay()) {
            to.tell(new DelayActor.Delayed(
                    table, new ServiceId(word0, word1, word2, word3), underWay::decrementAndGet));
        }
    }

    @Override
    public void instanceHeard(
            int port, boolean goes, int bits, int address, long word0, long word1, long word2, long word3) {
        ActorRef<InstanceActor.Command> to = instances;
        if (to != null && mayBeUnderWay()) {
            var prefix = new ServicePrefix(new ServiceId(word0, word1, word2, word3), bits);
            to.tell(new InstanceActor.Heard(port, goes, prefix, address, underWay::decrementAndGet));
        }
    }

    private boolean mayBeUnderWay() {
        if (underWay.incrementAndGet() > MAX_UNDER_WAY) {
            underWay.decrementAndGet();
            leftOut.incrementAndGet();
            return false;
        }
        return true;
    }

    @Override
    public void macLearned(int bridge, int vlan, long mac, int port) {
        send(to -> to.macLearned(bridge, vlan, mac, port));
    }

    @Override
    public void macForgotten(int bridge, int vlan, long mac, int port) {
        send(to -> to.macForgotten(bridge, vlan, mac, port));
    }

    @Override
    public void neighbourLearned(int router, int routerPort, long high, long low, long mac, int vmPort) {
        send(to -> to.neighbourLearned(router, routerPort, new IpAddress(high, low), mac, vmPort));
    }

    /** Not told to the other hosts: too many at once. */
    public long leftOut() {
        return leftOut.get();
    }

    private void send(Consumer<DeviceActors> lesson) {
        ActorRef<TopologyActor.Command> to = actor;
        if (to == null || underWay.incrementAndGet() > MAX_UNDER_WAY) {
            if (to != null) {
                underWay.decrementAndGet();
            }
            leftOut.incrementAndGet();
            return;
        }
        to.tell(new TopologyActor.Lesson(() -> {
            underWay.decrementAndGet();
            DeviceActors present = devices;
            if (present != null) {
                lesson.accept(present);
            }
        }));
    }
}
