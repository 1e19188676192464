/**
 * What the datapath costs, measured from VM to VM beside the ways there are without Weft. A lab of namespaces is built
 * and removed by each run; a {@link dev.weft.it.bench.datapath.Path} is one prepared way from a sending to a receiving
 * VM; a {@link dev.weft.it.bench.datapath.Generator} sends prebuilt frames on one CPU and reads what that cost. A veth
 * hands a frame on in its sender's softirq, so the CPU time of the generator's thread is the cost of the whole way.
 *
 * <p>Threads: rows are driven by one thread, one after the other; a generator sends on a pinned thread of its own.
 */
@NullMarked
package dev.weft.it.bench.datapath;

import org.jspecify.annotations.NullMarked;
