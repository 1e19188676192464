/**
 * The flow cache: ports, masked flows with actions and statistics, upcalls per worker, execute. {@link
 * dev.weft.datapath.Datapath} is the contract, shaped for a kernel flow cache; one conformance suite holds its kinds
 * together. It never decides where a packet goes, and knows of the simulation only keys, masks, actions and parsing.
 *
 * <p>Threads: the {@code Datapath} itself is driven by the control side and is safe to call from any thread; each
 * {@link dev.weft.datapath.WorkerPort} belongs to one worker thread.
 */
@NullMarked
package dev.weft.datapath;

import org.jspecify.annotations.NullMarked;
