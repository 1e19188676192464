/**
 * The Linux kernel as a second opinion: one random network, realised by Weft and by bridges, routes and nftables; the
 * same packets into both must have the same fate.
 *
 * <p>{@link dev.weft.it.oracle.Plan} is the network, and says itself in the words of either; {@link
 * dev.weft.it.oracle.Packets} makes packets with values at the edges of what the plan looks at; {@link
 * dev.weft.it.oracle.Fate} is what became of one. One thread.
 */
@NullMarked
package dev.weft.it.oracle;

import org.jspecify.annotations.NullMarked;
