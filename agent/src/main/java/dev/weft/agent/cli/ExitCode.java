package dev.weft.agent.cli;

/** How a command ends; scripts rely on these numbers, so they never change their meaning. */
public final class ExitCode {
    /** Done, and all that was checked held. */
    public static final int OK = 0;
    /** A check or a bar did not hold, or what was waited for did not come in time. */
    public static final int FAILED = 1;
    /** The arguments are wrong: unknown command or option, missing value. */
    public static final int USAGE = 2;
    /** The store or the agent cannot be reached. */
    public static final int UNREACHABLE = 3;
    /** What was given is refused: a file, a name, a reference, a packet, a conflict. Nothing was half-applied. */
    public static final int REFUSED = 4;
    /** A mistake in Weft itself (sysexits' EX_SOFTWARE); {@code --debug} shows where. */
    public static final int INTERNAL = 70;

    private ExitCode() {}
}
