/**
 * What guarded ports know of the Serval connections of their VMs, and what they let in for it.
 *
 * <p>In: control packets that a guarded port's VM sent, and those that are to reach it. Out: which of the latter belong to
 * a connection of the VM, as flow ids, nonces and control numbers say. A guard sees all control packets of its port in both
 * directions, so one worker of the port's host has it; nobody else reads it. Not thread safe. Nothing is allocated per
 * packet; what strangers can fill is bounded per port, apart from what the VM itself began.
 */
@NullMarked
package dev.weft.sim.guard;

import org.jspecify.annotations.NullMarked;
