/**
 * How people speak of packets and of what became of them: the packet expression, read and printed in the same words,
 * and the explanation a simulation writes while it runs. For the command line, traces and tests: it allocates freely
 * and no worker touches it on the hot path. Values and pure functions; an {@code Explanation} belongs to the thread
 * that simulates.
 */
@NullMarked
package dev.weft.sim.trace;

import org.jspecify.annotations.NullMarked;
