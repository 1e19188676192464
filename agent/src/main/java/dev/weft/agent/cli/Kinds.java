package dev.weft.agent.cli;

import dev.weft.topology.ObjectKind;
import dev.weft.topology.Schema;
import java.util.stream.Collectors;

/** Kinds of objects as arguments. */
final class Kinds {
    private Kinds() {}

    /** Singular or plural. @throws Failure naming the kinds there are */
    static ObjectKind parse(String text) {
        return Schema.byWord(text)
                .orElseThrow(() -> Failure.refused("kind '%s' (expected one of %s)"
                        .formatted(
                                text,
                                Schema.kinds().stream().map(ObjectKind::name).collect(Collectors.joining(", ")))));
    }
}
