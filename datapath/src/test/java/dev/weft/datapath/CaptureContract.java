package dev.weft.datapath;

import static dev.weft.datapath.TestFrames.key;
import static dev.weft.datapath.TestFrames.toDestination;
import static dev.weft.datapath.TestFrames.udp;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.weft.sim.flow.ActionList;
import java.lang.foreign.ValueLayout;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;

/** What captures of a port show. A kind's test extends it and says how hosts are made. */
public abstract class CaptureContract extends DatapathSuite {
    @Test
    void aCaptureSeesWhatComesFromTheVmAndWhatGoesToIt() {
        TestHost host = host(underlay(1), 1);
        int a = attach(host);
        int b = attach(host);
        byte[] frame = udp("10.0.0.1", 1000, "10.0.0.2", 53, 64, 10);
        host.datapath().worker(0).install(1, key(frame, a, 0), toDestination(), actions(list -> {
            list.decTtl();
            list.output(b, 0);
        }));
        var seen = new CopyOnWriteArrayList<String>();
        Capture.Sink sink = (fromVm, segment, offset, length) -> seen.add((fromVm ? "from" : "to") + " ttl "
                + segment.get(ValueLayout.JAVA_BYTE, offset + TestFrames.ETHERNET + 8) + " of " + length);

        try (Capture ofA = host.datapath().capture(a, 1000, sink);
                Capture ofB = host.datapath().capture(b, 1000, sink)) {
            host.send(a, frame);
            received(host, b);
            soon().untilAsserted(() -> assertThat(seen)
                    .containsExactlyInAnyOrder("from ttl 64 of " + frame.length, "to ttl 63 of " + frame.length));
            assertThat(ofA.missed() + ofB.missed()).isZero();
        }
        host.send(a, frame);
        received(host, b);
        assertThat(seen).as("closed").hasSize(2);
    }

    @Test
    void aCaptureIsBoundedAndCountsWhatItMissed() {
        TestHost host = host(underlay(1), 1);
        int a = attach(host);
        byte[] frame = udp("10.0.0.1", 1000, "10.0.0.2", 53, 64, 10);
        host.datapath().worker(0).install(1, key(frame, a, 0), toDestination(), new ActionList());
        var seen = new AtomicInteger();
        try (Capture capture =
                host.datapath().capture(a, 1, (fromVm, segment, offset, length) -> seen.incrementAndGet())) {
            for (int i = 0; i < 20; i++) {
                host.send(a, frame);
            }
            awaitHits(host, 20);
            soon().untilAsserted(() -> assertThat(capture.missed() + seen.get()).isEqualTo(20));
            assertThat(seen.get()).isBetween(1, 5);
        }
        assertThatThrownBy(() -> host.datapath().capture(4711, 1, (fromVm, segment, offset, length) -> {}))
                .isInstanceOf(DatapathException.class)
                .hasMessageContaining("4711");
    }
}
