/**
 * How the command line talks to a running agent: a Unix domain socket that only its owner may open, one JSON object a
 * line in each direction. {@link dev.weft.agent.socket.ControlServer} answers, {@link
 * dev.weft.agent.socket.ControlClient} asks; what a request means is decided by a {@link
 * dev.weft.agent.socket.RequestHandler}.
 *
 * <pre>
 * request   {"command":"flows","worker":"0"}            values are text; at most 64 KB a line
 * answer    {"ok":true,"result":{...}}                  or {"ok":false,"error":"what, value, expected"}
 * </pre>
 *
 * <p>Threads: a virtual thread per connection, bounded; handlers are called on it and may block.
 */
@NullMarked
package dev.weft.agent.socket;

import org.jspecify.annotations.NullMarked;
