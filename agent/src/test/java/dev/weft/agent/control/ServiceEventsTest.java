package dev.weft.agent.control;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Instant;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

class ServiceEventsTest {
    private final ServiceEvents events = new ServiceEvents(InstantSource.fixed(Instant.EPOCH));

    private void publish(int from, int to) {
        for (int i = from; i < to; i++) {
            events.publish(new ServiceEvent.Topology(i));
        }
    }

    private static List<ServiceEvent> read(ServiceEvents.Reader reader) throws InterruptedException {
        List<ServiceEvent> all = new ArrayList<>();
        List<ServiceEvents.Stamped> some = reader.read(1000, 1);
        while (!some.isEmpty()) {
            some.forEach(stamped -> all.add(stamped.event()));
            some = reader.read(1000, 1);
        }
        return all;
    }

    @Test
    void eachReaderHearsWhatHappensFromThenOn() throws InterruptedException {
        publish(0, 3);
        try (var reader = events.open()) {
            publish(3, 5);
            try (var later = events.open()) {
                publish(5, 6);
                assertThat(read(later)).containsExactly(new ServiceEvent.Topology(5));
            }
            assertThat(read(reader))
                    .containsExactly(
                            new ServiceEvent.Topology(3), new ServiceEvent.Topology(4), new ServiceEvent.Topology(5));
        }
    }

    @Test
    void aSlowReaderLosesEventsAndIsToldHowMany() throws InterruptedException {
        try (var slow = events.open()) {
            publish(0, 5000);
            List<ServiceEvent> heard = read(slow);
            assertThat(heard).hasSize(4097);
            assertThat(heard.getFirst()).isEqualTo(new ServiceEvent.Topology(0));
            assertThat(heard.get(4095)).isEqualTo(new ServiceEvent.Topology(4095));
            assertThat(heard.getLast()).isEqualTo(new ServiceEvent.Gap(904));
            publish(5000, 5001);
            assertThat(read(slow)).as("it goes on behind the gap").containsExactly(new ServiceEvent.Topology(5000));
        }
    }

    @Test
    void whatComesWhileAGapIsOpenBelongsToIt() throws InterruptedException {
        try (var slow = events.open()) {
            publish(0, 4097);
            assertThat(slow.read(1, 1)).hasSize(1);
            publish(4097, 4099);
            List<ServiceEvent> heard = read(slow);
            assertThat(heard).hasSize(4096);
            assertThat(heard.getLast()).isEqualTo(new ServiceEvent.Gap(3));
        }
    }
}
