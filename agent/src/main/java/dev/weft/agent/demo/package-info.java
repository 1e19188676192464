/**
 * {@code weft demo} and {@code weft demo serval}: a store and three agents as processes on three hosts in namespaces,
 * and programs that know nothing of Weft; the one has two tenants with the same addresses on each host, the other
 * services, and hosts that speak Serval. Narrates what it does and ends with a table of checks. Uses the {@code weft}
 * commands as a person would; single-threaded but for the hook that cleans up and the clients of a load.
 */
@NullMarked
package dev.weft.agent.demo;

import org.jspecify.annotations.NullMarked;
