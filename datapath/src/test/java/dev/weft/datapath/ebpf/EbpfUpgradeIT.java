package dev.weft.datapath.ebpf;

import static dev.weft.datapath.TestFrames.exact;
import static dev.weft.datapath.TestFrames.key;
import static dev.weft.datapath.TestFrames.udp;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static org.assertj.core.api.Assertions.assertThat;

import dev.weft.datapath.DatapathConfig;
import dev.weft.datapath.PortSpec;
import dev.weft.datapath.bpf.BpfFileSystem;
import dev.weft.datapath.bpf.BpfMap;
import dev.weft.sim.flow.ActionList;
import java.lang.foreign.Arena;
import java.time.Duration;
import java.util.UUID;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** A process whose maps have another layout than those that are pinned. */
class EbpfUpgradeIT {
    private final UUID id = UUID.randomUUID();
    private final EbpfUnderlay underlay = new EbpfUnderlay();
    private EbpfHost host = open();
    private PortSpec specA = host.newInterface(1_000_000);
    private PortSpec specB = host.newInterface(1_000_000);
    private int a;
    private int b;

    private DatapathConfig config() {
        return DatapathConfig.of(1, EbpfUnderlay.address(1)).withHost(id).withFlowCapacity(64);
    }

    private EbpfHost open() {
        return underlay.open(config());
    }

    @BeforeEach
    void begin() {
        a = host.datapath().attach(specA);
        b = host.datapath().attach(specB);
        var toB = new ActionList();
        toB.output(b, 0);
        host.datapath().worker(0).install(1, key(frame(), a, 0), exact(), toB);
        host.datapath().bindTunnelKey(77, a);
    }

    @AfterEach
    void end() {
        host.datapath().remove();
        host.close();
        underlay.close();
    }

    private static byte[] frame() {
        return udp("10.0.0.1", 1000, "10.0.0.2", 53, 64, 10);
    }

    private void passes() {
        host.send(a, frame());
        Awaitility.await()
                .pollDelay(Duration.ZERO)
                .pollInterval(Duration.ofMillis(2))
                .until(() -> host.receive(b) != null);
    }

    private void restartAsIfItWereOlder() {
        host.datapath().close();
        var pin = BpfFileSystem.of(BpfFileSystem.USUAL, id.toString()).pin("settings");
        try (var settings = BpfMap.pinned(pin).orElseThrow();
                var arena = Arena.ofConfined()) {
            settings.map(arena).set(JAVA_INT, Layout.Settings.LAYOUT_VERSION, Layout.VERSION + 1);
        }
        host = host.reopen(config());
    }

    @Test
    void whatIsEstablishedGoesOnUntilTheSwapAndIsAMissAfterIt() {
        long incarnation = host.datapath().incarnation();
        restartAsIfItWereOlder();

        passes();
        assertThat(host.datapath().incarnation()).as("peers' keys stay").isEqualTo(incarnation);
        assertThat(host.datapath().ports()).isEmpty();
        assertThat(host.datapath().attach(specA)).isPositive();
        host.datapath().attach(specB);
        passes();
        assertThat(host.datapath().statistics().misses()).isZero();

        assertThat(host.datapath().dropUnadopted()).isZero();
        host.send(a, frame());
        Awaitility.await().until(() -> host.datapath().statistics().misses() == 1);
        assertThat(host.datapath().worker(0).poll((segment, offset, length, inPort, key, reason) -> {}, 1))
                .isEqualTo(1);
    }

    @Test
    void aPortThatIsNotAttachedAgainLosesItsProgramAtTheSwap() {
        restartAsIfItWereOlder();
        host.datapath().attach(specA);
        host.datapath().dropUnadopted();

        assertThat(BpfFileSystem.of(BpfFileSystem.USUAL, id.toString()).list())
                .noneMatch(name -> name.startsWith("old-"))
                .filteredOn(name -> name.startsWith("port-"))
                .hasSize(1);
    }
}
