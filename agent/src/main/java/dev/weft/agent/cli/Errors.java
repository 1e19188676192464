package dev.weft.agent.cli;

import dev.weft.agent.socket.ControlException;
import dev.weft.base.WeftException;
import dev.weft.topology.TopologyException;
import java.io.IOException;
import java.io.PrintWriter;
import java.net.SocketException;
import java.nio.file.NoSuchFileException;
import java.util.concurrent.TimeoutException;
import java.util.function.BooleanSupplier;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.ParseResult;
import picocli.CommandLine.UnmatchedArgumentException;

/** Turns what went wrong into one clear sentence on standard error and an exit code. */
final class Errors {
    private final BooleanSupplier debug;

    Errors(BooleanSupplier debug) {
        this.debug = debug;
    }

    int wrongArguments(ParameterException wrong, String[] arguments) {
        CommandLine line = wrong.getCommandLine();
        PrintWriter err = line.getErr();
        String command = line.getCommandSpec().qualifiedName();
        err.println(command + ": " + wrong.getMessage());
        UnmatchedArgumentException.printSuggestions(wrong, err);
        err.println("see " + command + " --help");
        trace(wrong, err);
        return ExitCode.USAGE;
    }

    int failed(Exception failure, CommandLine line, @Nullable ParseResult parsed) {
        PrintWriter err = line.getErr();
        int code = codeOf(failure);
        String sentence = code == ExitCode.INTERNAL ? "a mistake in Weft: " + failure : sentenceOf(failure);
        err.println(line.getCommandSpec().qualifiedName() + ": " + sentence);
        if (code == ExitCode.INTERNAL && !debug.getAsBoolean()) {
            err.println("--debug shows where");
        }
        trace(failure, err);
        return code;
    }

    private static int codeOf(Exception failure) {
        if (failure instanceof Failure chosen) {
            return chosen.exitCode();
        }
        if (isUnreachable(failure)) {
            return ExitCode.UNREACHABLE;
        }
        return failure instanceof WeftException || failure instanceof NoSuchFileException
                ? ExitCode.REFUSED
                : ExitCode.INTERNAL;
    }

    /** The store itself failed rather than finding fault with the input; no agent at the socket; no answer in time. */
    private static boolean isUnreachable(Throwable failure) {
        for (Throwable cause = failure; cause != null; cause = cause.getCause()) {
            if (cause instanceof SocketException
                    || cause instanceof TimeoutException
                    || cause instanceof ControlException && cause.getCause() instanceof IOException
                    || cause instanceof TopologyException store
                            && store.problems().isEmpty()) {
                return true;
            }
        }
        return false;
    }

    private static String sentenceOf(Exception failure) {
        String message = failure.getMessage();
        if (failure instanceof NoSuchFileException missing) {
            return "file " + missing.getFile() + " does not exist";
        }
        return message == null ? failure.toString() : message;
    }

    private void trace(Exception failure, PrintWriter err) {
        if (debug.getAsBoolean()) {
            failure.printStackTrace(err);
        }
    }
}
