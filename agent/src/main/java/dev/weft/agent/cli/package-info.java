/**
 * The {@code weft} command line. In: arguments, files, answers of the store and of an agent's control socket. Out: on
 * standard output the answer and nothing else (a table for people, {@code -o json} for programs), on standard error
 * one clear sentence when something went wrong, and an {@link dev.weft.agent.cli.ExitCode}.
 *
 * <p>A command is a picocli class named in the list at {@link dev.weft.agent.cli.Weft}; it does its work in {@code
 * call()}, prints through {@link dev.weft.agent.cli.Output} and throws a {@link dev.weft.base.WeftException} when it
 * cannot go on. {@code verify} and {@code bench} belong to the launcher script, which never comes here for them.
 *
 * <p>One thread per process; long-running commands ({@link dev.weft.agent.cli.LongRunning}) hand over to their own.
 */
@NullMarked
package dev.weft.agent.cli;

import org.jspecify.annotations.NullMarked;
