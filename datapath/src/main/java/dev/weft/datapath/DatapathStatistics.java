package dev.weft.datapath;

import java.util.SortedMap;

/**
 * Counters since the datapath was opened.
 *
 * @param hits frames answered by a flow
 * @param misses frames that matched none and became upcalls
 * @param tunnelUpcalls upcalls of frames that came through the tunnel with a key bound to a worker
 * @param stateFrames frames with the state key, each handed to its home worker: not counted as upcalls
 * @param delivered frames delivered by a tunnel key bound to a port: no flow, no upcall
 * @param drops by reason, e.g. {@code unknown-peer}, {@code stale-key}, {@code upcall-budget}; each of the parser's reasons under its
 *     label, e.g. {@code truncated-ipv4}; all that there are, also while 0
 */
public record DatapathStatistics(
        long hits,
        long misses,
        long tunnelUpcalls,
        long stateFrames,
        long delivered,
        long flows,
        SortedMap<String, Long> drops) {}
