package dev.weft.agent.control;

import akka.actor.typed.ActorRef;
import akka.actor.typed.Behavior;
import akka.actor.typed.javadsl.ActorContext;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.UUID;
import java.util.function.Supplier;

/**
 * The topology actor's children of one kind, by what they stand for, at most one at a time for each: one that is wanted
 * again while it ends is started anew when it has ended, so that two never write the same entry. Not thread safe: touched
 * only by the topology actor.
 *
 * @param <M> their messages
 */
final class Children<M> {
    private final ActorContext<TopologyActor.Command> context;
    private final String name;
    private final M stop;
    private final Map<UUID, ActorRef<M>> living = new HashMap<>();
    private final Set<UUID> ending = new HashSet<>();
    private final Map<UUID, Supplier<Behavior<M>>> wantedAgain = new HashMap<>();
    private int spawned;

    /** @param stop what makes a child end */
    Children(ActorContext<TopologyActor.Command> context, String name, M stop) {
        this.context = context;
        this.name = name;
        this.stop = stop;
    }

    /** Starts a child unless there is one. */
    void start(UUID id, Supplier<Behavior<M>> behavior) {
        if (ending.contains(id)) {
            wantedAgain.put(id, behavior);
        } else if (!living.containsKey(id)) {
            living.put(id, context.spawn(behavior.get(), name + "-" + spawned++));
        }
    }

    /** Ends all children but these. */
    void retain(Set<UUID> wanted) {
        wantedAgain.keySet().retainAll(wanted);
        for (UUID id : List.copyOf(living.keySet())) {
            if (!wanted.contains(id)) {
                ActorRef<M> child = living.remove(id);
                ending.add(id);
                context.watchWith(child, new TopologyActor.ChildEnded(() -> ended(id)));
                child.tell(stop);
            }
        }
    }

    /** Tells one child; nobody when it is not there. */
    void tell(UUID id, M message) {
        ActorRef<M> child = living.get(id);
        if (child != null) {
            child.tell(message);
        }
    }

    void tellAll(M message) {
        living.values().forEach(child -> child.tell(message));
    }

    private void ended(UUID id) {
        ending.remove(id);
        Supplier<Behavior<M>> again = wantedAgain.remove(id);
        if (again != null) {
            start(id, again);
        }
    }
}
