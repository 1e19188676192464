package dev.weft.agent.cli;

import dev.weft.base.WeftException;

/** Ends a command with a sentence on standard error and an exit code of its own choice. */
public final class Failure extends WeftException {
    private static final long serialVersionUID = 1L;

    private final int exitCode;

    private Failure(int exitCode, String message) {
        super(message);
        this.exitCode = exitCode;
    }

    private Failure(int exitCode, String message, Throwable cause) {
        super(message, cause);
        this.exitCode = exitCode;
    }

    /** A check did not hold, or what was waited for did not come in time. */
    public static Failure failed(String message) {
        return new Failure(ExitCode.FAILED, message);
    }

    /** The store or the agent does not answer. */
    public static Failure unreachable(String message, Throwable cause) {
        return new Failure(ExitCode.UNREACHABLE, message, cause);
    }

    /** What was given is not accepted. */
    public static Failure refused(String message) {
        return new Failure(ExitCode.REFUSED, message);
    }

    public int exitCode() {
        return exitCode;
    }
}
