package dev.weft.agent.control;

import akka.actor.typed.ActorRef;
import dev.weft.base.ServicePrefix;
import dev.weft.topology.StateTable;
import dev.weft.topology.StateTables;
import dev.weft.topology.TableKind;
import dev.weft.topology.TableKind.DelayedService;
import dev.weft.topology.TableKind.InstanceKey;
import dev.weft.topology.TableKind.InstanceValue;
import dev.weft.topology.TableKind.MemberKey;
import dev.weft.topology.TopologySnapshot;
import java.util.Map;
import java.util.Set;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.atomic.LongAdder;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/** The door to the instances of services: registers those of this host, shows those of all. Thread safe. */
public final class Instances {
    private final StateTables tables;
    private volatile @Nullable ActorRef<InstanceActor.Command> actor;
    private volatile Supplier<Set<InstanceKey>> failing = Set::of;
    private final LongAdder refusals = new LongAdder();

    Instances(StateTables tables) {
        this.tables = tables;
    }

    void start(ActorRef<InstanceActor.Command> registrar) {
        actor = registrar;
    }

    /** Says which instances are registered and fail their health check. */
    void showFailing(Supplier<Set<InstanceKey>> source) {
        failing = source;
    }

    /** Of all hosts: those that are registered and fail their health check. */
    public Set<InstanceKey> failing() {
        return failing.get();
    }

    void follow(TopologySnapshot snapshot) {
        tell(new InstanceActor.Followed(snapshot));
    }

    /** A port of this host is not as it was. */
    void portChanged() {
        tell(new InstanceActor.Look());
    }

    /** One that is asked does not answer, or again. */
    void health(UUID table, MemberKey member, boolean down) {
        tell(new InstanceActor.Health(table, member, down));
    }

    private void tell(InstanceActor.Command command) {
        ActorRef<InstanceActor.Command> to = actor;
        if (to != null) {
            to.tell(command);
        }
    }

    /** The answer is empty, or says why not. */
    public CompletableFuture<String> register(ServicePrefix prefix, UUID port, InstanceValue value) {
        var answer = new CompletableFuture<String>();
        tell(new InstanceActor.Register(new InstanceKey(prefix, port), value, answer), answer);
        return answer;
    }

    /** The answer is empty, or says why not. */
    public CompletableFuture<String> unregister(ServicePrefix prefix, UUID port) {
        var answer = new CompletableFuture<String>();
        tell(new InstanceActor.Unregister(new InstanceKey(prefix, port), answer), answer);
        return answer;
    }

    private void tell(InstanceActor.Command command, CompletableFuture<String> answer) {
        ActorRef<InstanceActor.Command> to = actor;
        if (to == null) {
            answer.complete("the agent is still starting; try again in a moment");
        } else {
            to.tell(command);
        }
    }

    /** Of all hosts, as far as this one has heard. */
    public Map<InstanceKey, StateTable.Entry<InstanceValue>> all() {
        return tables.open(TableKind.INSTANCES, TableKind.CLUSTER).entries();
    }

    /** A VM of this host wanted to serve what it may not, or more than it may. */
    void refused() {
        refusals.increment();
    }

    /** What VMs of this host said in packets and was not taken. */
    public long refusals() {
        return refusals.sum();
    }

    /** Services that packets wait for, at any host. */
    public Map<DelayedService, StateTable.Entry<Integer>> delayed() {
        return tables.open(TableKind.DELAYED_SERVICES, TableKind.CLUSTER).entries();
    }
}
