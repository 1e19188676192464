/**
 * The control side: what the store says becomes commands to the workers, what the workers learn becomes entries in the
 * store's tables. Actors only decode messages, call plain objects, and keep timers; the objects have the rules and unit
 * tests of their own.
 *
 * <p>Who there is: {@code TopologyActor} (snapshots, compiled once for all workers, and the acknowledgement that all have
 * switched), {@code PortActor} one per port of this host (waits for its interface, attaches it, publishes its tunnel
 * key), {@code DeviceActor} one per bridge or router within reach (its MAC or neighbour table), {@code FabricActor}
 * (hosts, their addresses, everybody's tunnel and flood keys). {@code ControlSide} is the door.
 *
 * <p>When ZooKeeper does not answer everything stays as it is and goes on. Entries that vanish with their host's session
 * are believed a moment later, so that a session that is re-made at once does not blink.
 *
 * <p>Threads: an actor's state belongs to the actor. Workers are reached through their backchannels only; when one is
 * full the control side waits, never the worker.
 */
@NullMarked
package dev.weft.agent.control;

import org.jspecify.annotations.NullMarked;
