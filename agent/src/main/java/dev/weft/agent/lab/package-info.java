/**
 * A small data centre on one machine, for the demo and for tests: hosts and VMs are network namespaces, cables are veth
 * pairs, the fabric is a Linux bridge, agents and the store are real processes. Unlike the agent, the lab runs
 * {@code ip} and other programs. Everything a lab makes carries its prefix and goes when it is closed; {@link
 * dev.weft.agent.lab.Lab#removeLeftovers} takes away what a killed lab left behind.
 *
 * <p>A {@link dev.weft.agent.lab.LocalStore} is the store in this process, where no machine is needed for it.
 *
 * <p>Driven by one thread; processes write their output to files in the lab's folder.
 */
@NullMarked
package dev.weft.agent.lab;

import org.jspecify.annotations.NullMarked;
