/**
 * What the two kinds in Java share: the flow cache, the runner of actions, the upcall queues and budgets, tunnel keys
 * and peers. A kind adds only how a frame enters and leaves a port and how it crosses the underlay.
 *
 * <p>In flow frames, from the threads that received them; out flow frames (to a port or the underlay), upcalls (into a
 * bounded queue per worker, a share of it per port) and counters.
 *
 * <p>Threads: frames are handled on whatever thread brings them; workers install and remove at the same time. The flow
 * cache and each queue have one lock each, held for one lookup, one install or one copy. Tables that control changes
 * (ports, keys, peers) are replaced whole. These are the correctness kinds: sound and bounded first, fast second. What
 * locks is not marked as hot path, though it allocates as little; a test counts.
 */
@NullMarked
package dev.weft.datapath.soft;

import org.jspecify.annotations.NullMarked;
