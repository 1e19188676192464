/**
 * Serval's service access layer on the wire, generation B: one class of static accessors per header and extension over
 * (segment, offset), the parser with its verdicts, the words a flow key gets, and what a service router does to a packet.
 *
 * <pre>
 * IPv4 | (UDP, when encapsulated) | SAL header, 12 octets | SAL extensions | TCP or UDP header with ports 0 | data
 * </pre>
 *
 * <p>A packet that opens a connection (SYN), or that is unconnected, names a service; one of an established connection
 * only has the two flow ids. Reserved bits carry garbage in real traffic: they are masked when read, written as zero, and
 * left alone in what is only passed on. Everything is hostile until parsed; a bad packet is a result code of
 * {@link dev.weft.sim.packet.Malformed}, never an exception. No state, no allocation, except in {@code SalMessage}, the
 * form for people and tests.
 */
@NullMarked
package dev.weft.sim.sal;

import org.jspecify.annotations.NullMarked;
