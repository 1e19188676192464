/**
 * Benchmarks behind one door. A {@link dev.weft.it.bench.Benchmark} measures in interleaved rounds, so that the noise
 * of a shared machine falls on all rows alike, and answers with {@link dev.weft.it.bench.Row}s: figure, bar, and whether
 * it holds. Every run carries a calibration row, the cost of a fixed piece of work, to tell a slow machine from slow
 * code. Single-threaded unless a benchmark says otherwise.
 */
@NullMarked
package dev.weft.it.bench;

import org.jspecify.annotations.NullMarked;
