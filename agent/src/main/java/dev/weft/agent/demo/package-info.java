/**
 * {@code weft demo}: a store and three agents as processes on three hosts in namespaces, two tenants with the same
 * addresses on each of them, and programs that know nothing of Weft. Narrates what it does and ends with a table of
 * checks. Uses the {@code weft} commands as a person would; single-threaded but for the hook that cleans up.
 */
@NullMarked
package dev.weft.agent.demo;

import org.jspecify.annotations.NullMarked;
