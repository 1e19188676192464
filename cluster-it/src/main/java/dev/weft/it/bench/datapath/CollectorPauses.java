package dev.weft.it.bench.datapath;

import dev.weft.it.bench.Figures;
import java.util.ArrayList;
import java.util.List;
import jdk.jfr.consumer.RecordingStream;

/** How long this process's garbage collector stops its threads, from now until closed. */
final class CollectorPauses implements AutoCloseable {
    private static final String EVENT = "jdk.GCPhasePause";

    private final RecordingStream events = new RecordingStream();
    // Guarded by itself: written by the stream's thread.
    private final List<Double> nanos = new ArrayList<>();

    private CollectorPauses() {
        events.enable(EVENT).withoutThreshold();
        events.onEvent(EVENT, event -> {
            synchronized (nanos) {
                nanos.add((double) event.getDuration().toNanos());
            }
        });
        events.startAsync();
    }

    static CollectorPauses record() {
        return new CollectorPauses();
    }

    /** Ends the recording. The pause, in milliseconds, that this share of them does not exceed; 0 when there was none. */
    double millis(double share) {
        events.stop();
        synchronized (nanos) {
            return nanos.isEmpty()
                    ? 0
                    : Figures.percentile(
                                    share,
                                    nanos.stream()
                                            .mapToDouble(Double::doubleValue)
                                            .toArray())
                            / 1e6;
        }
    }

    @Override
    public void close() {
        events.close();
    }
}
