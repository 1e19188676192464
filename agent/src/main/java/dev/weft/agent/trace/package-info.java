/**
 * What {@code weft trace} needs besides the simulator: the MACs an expression leaves out, taken from the topology, and
 * a network that lives in files only. Built for one question and thrown away; single-threaded.
 */
@NullMarked
package dev.weft.agent.trace;

import org.jspecify.annotations.NullMarked;
