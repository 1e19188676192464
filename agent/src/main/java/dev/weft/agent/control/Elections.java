package dev.weft.agent.control;

import dev.weft.topology.Leadership;
import java.util.function.Consumer;

/** How an actor becomes a candidate for what one of all agents does. */
@FunctionalInterface
public interface Elections {
    /** @param listener hears at each change whether this agent does it; must not block */
    Leadership enter(String role, Consumer<Boolean> listener);
}
