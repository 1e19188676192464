package dev.weft.topology;

import dev.weft.base.WeftException;
import java.util.List;
import java.util.stream.Collectors;

/** A change, file or stored object was refused, or the store could not be reached. Nothing was half-applied. */
public final class TopologyException extends WeftException {
    private static final long serialVersionUID = 1L;

    private final transient List<Problem> problems;

    public TopologyException(List<Problem> problems) {
        super(problems.stream().map(Problem::toString).collect(Collectors.joining("\n")));
        this.problems = List.copyOf(problems);
    }

    public TopologyException(String message) {
        super(message);
        this.problems = List.of();
    }

    public TopologyException(String message, Throwable cause) {
        super(message, cause);
        this.problems = List.of();
    }

    /** All that was wrong, in the order found; empty when the store itself failed. */
    public List<Problem> problems() {
        return problems;
    }
}
