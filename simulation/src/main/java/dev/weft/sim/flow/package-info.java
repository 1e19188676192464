/**
 * The language between simulation and datapath: a flow key says which packet, a mask which of its bits count, an action
 * list what becomes of it. Fixed layouts of 64-bit words, the same as the kernel program's structs; nothing here knows
 * a device or a host. Mutable and reused: each instance belongs to one worker thread.
 */
@NullMarked
package dev.weft.sim.flow;

import org.jspecify.annotations.NullMarked;
