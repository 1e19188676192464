/**
 * Asks the members of pools whether they are well: TCP, HTTP or UDP, from within the network of the router that balances
 * over them, see {@link dev.weft.agent.health.Places}. One agent of all does it; who that is, and telling the others, is the
 * control side's business.
 *
 * <p>In: what to ask, and how often. Out: a member went down, or came up again. Threads: one event loop of Netty's asks
 * and listens, and a short-lived thread opens each socket in its namespace; nothing here is on a packet's path.
 */
@NullMarked
package dev.weft.agent.health;

import org.jspecify.annotations.NullMarked;
