/**
 * Several real agents together: the entry point of the benchmarks, and in the test tree the scenarios and faults.
 * Nothing here ships in production.
 */
@NullMarked
package dev.weft.it;

import org.jspecify.annotations.NullMarked;
