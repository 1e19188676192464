/**
 * What Weft remembers of conversations: the hash that gives each its home, the table a worker keeps of those begun by
 * the VMs behind stateful ports, how long an idle one lives, and the messages by which workers and hosts tell each
 * other.
 *
 * <p>Terms: a <em>connection</em> is named by the stateful port and the tuple as the VM behind it sees it (VM side,
 * remote side). Its <em>owner</em> is the worker that created it; others hold <em>copies</em>, pushed ahead of the
 * packet, so that whoever decides the answer's fate knows what it answers. The owner refreshes copies each third of the
 * lifetime; a copy outlives its owner by one lifetime. The <em>epoch</em> tells a later record of a connection from an
 * earlier one.
 *
 * <p>In: tuples that the simulation decided to remember, and messages from siblings and peers. Out: yes or no to "did
 * the VM begin this?", and messages to send. Messages are hostile until parsed: a bad one is a result code.
 *
 * <p>Threads: every object belongs to one worker thread; nobody reads another worker's table. {@code ConnectionHash}
 * and {@code Lifetimes} are immutable. Nothing here parses a packet,
 * waits, or reads a clock: time comes in as an argument.
 */
@NullMarked
package dev.weft.state;

import org.jspecify.annotations.NullMarked;
