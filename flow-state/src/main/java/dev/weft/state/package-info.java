/**
 * What Weft remembers of conversations: the hash that gives each its home, the table of a worker, how long an idle one
 * lives, the public ports a worker may give out, the messages by which workers and hosts tell each other, and the
 * journal by which an agent that starts again knows.
 *
 * <p>Terms: a <em>connection</em> has a <em>forward</em> tuple, as its first packet entered, an <em>answer</em> tuple, as
 * its answers enter, and a <em>binding</em> for each end that a device on the way translated. Its <em>owner</em> is the
 * worker that created it; others hold <em>copies</em>, pushed ahead of the packet, so that whoever decides the answer's
 * fate knows what it answers. The owner refreshes copies each third of the lifetime; a copy outlives its owner by one
 * lifetime. The <em>epoch</em> tells a later record of a connection from an earlier one.
 *
 * <p>In: what the simulation decided to remember, and messages from siblings and peers. Out: which connection a tuple
 * belongs to and what devices make of it, and messages to send. Messages and journals are hostile until parsed: a bad
 * one is a result code, or counts as empty.
 *
 * <p>Threads: every object belongs to one worker thread; nobody reads another worker's table. {@code ConnectionHash}
 * and {@code Lifetimes} are immutable. Nothing here parses a packet, waits, or reads a clock: time comes in as an
 * argument.
 */
@NullMarked
package dev.weft.state;

import org.jspecify.annotations.NullMarked;
