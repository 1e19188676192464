package dev.weft.agent.cli;

/** A command that serves until it is stopped; its log tells, at INFO, what an operator would want to know. */
public interface LongRunning {}
