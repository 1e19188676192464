package dev.weft.agent.demo;

import dev.weft.base.NanoClock;
import java.util.List;

/** What a demo tells, once from top to bottom. */
interface Story {
    /** Tells it all. Returns whether every check held. */
    boolean tell();

    /** What {@code --keep} leaves the reader with. */
    List<String> whatToTryNext();

    /** Makes a story of machines that are not there yet. */
    interface Teller {
        Story of(DemoNetwork network, Checks checks, NanoClock clock);
    }
}
