/**
 * The in-process kind: ports are queues, the underlay is a {@link dev.weft.datapath.memory.MemoryFabric} that may lose
 * or hold frames when told to. For tests, and for simulating thousands of hosts in one process.
 *
 * <p>Threads: none of its own. A frame is handled, across all hosts it crosses, on the thread that sent it.
 */
@NullMarked
package dev.weft.datapath.memory;

import org.jspecify.annotations.NullMarked;
