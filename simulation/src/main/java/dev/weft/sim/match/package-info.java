/**
 * Finding the first of many rules, or the longest of many prefixes, that a packet meets, with the bits that prove it.
 * {@link dev.weft.sim.match.Lpm} is for prefixes; {@link dev.weft.sim.match.Classifier} for rules over many fields.
 *
 * <p>In: {@link dev.weft.sim.match.Test}s, and a packet's fields as {@link dev.weft.sim.match.Fields}. Out: a position.
 * What a search reads of a packet it reports to {@code Fields.use}: the search is then the same for every packet that is
 * equal on those bits, and that is all there is to the proof of a mask.
 *
 * <p>Thread rule: everything here is immutable and shared by all workers; {@code Fields} belongs to its worker.
 */
@NullMarked
package dev.weft.sim.match;

import org.jspecify.annotations.NullMarked;
