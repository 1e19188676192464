/**
 * Headers on the wire: one class of static accessors per header over (segment, offset), the parser that fills a flow
 * key from a frame, checksums, and the writers of the packets Weft itself answers with. Everything that comes in is
 * hostile until parsed; a malformed frame is a result code, never an exception. No state, no allocation.
 */
@NullMarked
package dev.weft.sim.packet;

import org.jspecify.annotations.NullMarked;
