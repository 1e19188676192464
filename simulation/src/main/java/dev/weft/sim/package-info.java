/**
 * What the virtual network does with a packet. {@link dev.weft.sim.VirtualNetwork} is the topology compiled for it,
 * {@link dev.weft.sim.Tables} what one worker has learned besides, {@link dev.weft.sim.Simulator} the function of both
 * and a packet; {@link dev.weft.sim.Outcome} its answer: actions with the mask and tags that make a flow of them, or a
 * drop with its reason, and effects for the worker to apply.
 *
 * <p>In: packets, snapshots, table entries, the time as a number. Out: outcomes. No I/O, no threads, no clock: the same
 * input gives the same outcome, in production, in {@code weft trace} and in a test.
 *
 * <p>Thread rule: a {@code VirtualNetwork} is immutable and shared by all workers; all else here belongs to one thread.
 * Nothing allocates per packet.
 *
 * <p>How it hangs together: {@code Simulation} is the state of one run and the way between devices; {@code Bridge} and
 * {@code Router} are the devices, compiled and shared; a decision asks the simulation for a field ({@code useDstMac()}),
 * which puts the field into the mask, and names what it rested on by a tag.
 */
@NullMarked
package dev.weft.sim;

import org.jspecify.annotations.NullMarked;
