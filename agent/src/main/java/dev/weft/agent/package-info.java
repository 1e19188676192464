/**
 * The daemon of one host. {@link dev.weft.agent.Agent} puts it together: a datapath, its workers, the control side that
 * feeds them from the store, and the control socket. {@link dev.weft.agent.AgentConfig} is everything it can be told,
 * parsed once at start.
 *
 * <p>Rooms: {@code worker} is the packet path, {@code control} the actors around it, {@code socket} what the command
 * line talks to, {@code cli} the commands, {@code lab} and {@code demo} a small data centre to try it in.
 *
 * <p>Threads: starting and closing belong to one thread, the caller's. Everything that runs in between has an owner in
 * one of the rooms.
 */
@NullMarked
package dev.weft.agent;

import org.jspecify.annotations.NullMarked;
