package dev.weft.agent.control;

import dev.weft.agent.worker.Command;
import dev.weft.agent.worker.Command.InstanceDown;
import dev.weft.agent.worker.Command.InstanceUp;
import dev.weft.base.IpAddress;
import dev.weft.sim.service.ServiceInstance;
import dev.weft.topology.TableKind.InstanceKey;
import dev.weft.topology.TableKind.MemberKey;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.UUID;
import java.util.function.Consumer;

/**
 * What the workers hear of instances: those that somebody registered and that pass their health check, or have none. Not
 * thread safe: touched only by its actor, but for {@link #failing}.
 */
final class InstanceGate implements Consumer<Command> {
    // Immutable after construction.
    private final Consumer<Command> workers;
    private final Listener listener;
    // Owned by the actor.
    private final Map<InstanceKey, ServiceInstance> there = new HashMap<>();
    private final Map<InstanceKey, ServiceInstance> told = new HashMap<>();
    private final Set<Down> down = new HashSet<>();
    private ServiceChecks checks = ServiceChecks.NONE;
    // Written by the actor, read by anyone.
    private volatile Set<InstanceKey> failing = Set.of();

    private record Down(UUID table, MemberKey member) {}

    /** Hears of each instance that the workers are told of, or no longer. */
    interface Listener {
        void up(ServiceInstance instance);

        /** @param failed it is there, but fails its check */
        void down(ServiceInstance instance, boolean failed);
    }

    InstanceGate(Consumer<Command> workers, Listener listener) {
        this.workers = workers;
        this.listener = listener;
    }

    /** An instance is there, or no longer. */
    @Override
    public void accept(Command command) {
        switch (command) {
            case InstanceUp up -> {
                var key = new InstanceKey(up.instance().prefix(), up.instance().port());
                there.put(key, up.instance());
                bring(key);
            }
            case InstanceDown gone -> {
                var key = new InstanceKey(gone.prefix(), gone.port());
                there.remove(key);
                bring(key);
            }
            default -> throw new IllegalArgumentException(command + " (expected an instance up or down)");
        }
        show();
    }

    /** There are other checks. */
    void follow(ServiceChecks now) {
        checks = now;
        bringAll();
    }

    /** Whoever asks says that one does not answer its check any more, or again. */
    void health(UUID table, MemberKey member, boolean isDown) {
        var of = new Down(table, member);
        if (isDown ? down.add(of) : down.remove(of)) {
            bringAll();
        }
    }

    private void bringAll() {
        List.copyOf(there.keySet()).forEach(this::bring);
        show();
    }

    private void bring(InstanceKey key) {
        ServiceInstance before = told.get(key);
        ServiceInstance now = there.get(key);
        if (now != null && fails(key, now)) {
            now = null;
        }
        if (now != null && !now.equals(before)) {
            told.put(key, now);
            workers.accept(new InstanceUp(now));
            listener.up(now);
        } else if (now == null && before != null) {
            told.remove(key);
            workers.accept(new InstanceDown(key.prefix(), key.port()));
            listener.down(before, there.containsKey(key));
        }
    }

    private boolean fails(InstanceKey key, ServiceInstance instance) {
        return !down.isEmpty()
                && checks.of(key)
                        .map(check -> new Down(check.table(), member(instance.address(), check)))
                        .filter(down::contains)
                        .isPresent();
    }

    private static MemberKey member(int address, ServiceChecks.Check check) {
        return new MemberKey(IpAddress.ofV4(address), check.health().getPort());
    }

    private void show() {
        Set<InstanceKey> now = new HashSet<>();
        there.forEach((key, instance) -> {
            if (!told.containsKey(key)) {
                now.add(key);
            }
        });
        failing = Set.copyOf(now);
    }

    /** Instances that are there and fail their check. From any thread. */
    Set<InstanceKey> failing() {
        return failing;
    }
}
