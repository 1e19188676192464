package dev.weft.agent.control;

import static org.assertj.core.api.Assertions.assertThat;

import dev.weft.base.IpAddress;
import dev.weft.datapath.DatapathConfig;
import dev.weft.datapath.PortSpec;
import dev.weft.datapath.memory.MemoryDatapath;
import dev.weft.datapath.memory.MemoryFabric;
import java.util.ArrayList;
import java.util.List;
import java.util.UUID;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

class PortKeeperTest {
    private static final PortSpec SPEC = new PortSpec(new UUID(1, 1), "tap1", "", 100);

    private final MemoryDatapath datapath =
            new MemoryDatapath(DatapathConfig.of(1, IpAddress.parse("172.16.0.1")), new MemoryFabric());
    private final List<String> events = new ArrayList<>();
    private final PortKeeper keeper = new PortKeeper(datapath, SPEC, 77, new PortKeeper.Events() {
        @Override
        public void attached(PortSpec spec, int datapathPort) {
            events.add("up " + spec.interfaceName());
        }

        @Override
        public void detached(PortSpec spec, int datapathPort) {
            events.add("down " + spec.interfaceName());
        }
    });

    @AfterEach
    void close() {
        datapath.close();
    }

    @Test
    void waitsForItsInterface() {
        assertThat(keeper.state()).isEqualTo("no interface");
        assertThat(keeper.wantsRetry()).isFalse();

        keeper.interfaceIs(true);

        assertThat(keeper.state()).isEqualTo("up");
        assertThat(datapath.ports()).hasSize(1);
        assertThat(events).containsExactly("up tap1");
    }

    @Test
    void goesWithItsInterfaceAndComesBackWithIt() {
        keeper.interfaceIs(true);
        int first = keeper.datapathPort();
        keeper.interfaceIs(false);
        assertThat(datapath.ports()).isEmpty();
        assertThat(keeper.datapathPort()).isEqualTo(PortKeeper.NONE);

        keeper.interfaceIs(true);

        assertThat(keeper.datapathPort()).isNotEqualTo(first).isPositive();
        assertThat(keeper.tunnelKey()).as("the same port, the same key").isEqualTo(77);
        assertThat(events).containsExactly("up tap1", "down tap1", "up tap1");
    }

    @Test
    void whatTheDatapathRefusesIsSaidAndTriedAgain() {
        int taken = datapath.attach(new PortSpec(new UUID(2, 2), "tap1", "", 100));
        keeper.interfaceIs(true);
        assertThat(keeper.state()).contains("tap1");
        assertThat(keeper.wantsRetry()).isTrue();

        datapath.detach(taken);
        keeper.attach();

        assertThat(keeper.state()).isEqualTo("up");
    }

    @Test
    void aMoveToAnotherInterfaceLetsTheOldOneGo() {
        keeper.interfaceIs(true);

        keeper.move(new PortSpec(SPEC.id(), "tap2", "", 100));
        assertThat(datapath.ports()).isEmpty();
        keeper.interfaceIs(true);

        assertThat(events).containsExactly("up tap1", "down tap1", "up tap2");
    }

    @Test
    void theDatapathMayNoticeFirst() {
        keeper.interfaceIs(true);

        keeper.lost(keeper.datapathPort() + 1);
        assertThat(keeper.state()).as("another port was lost").isEqualTo("up");
        keeper.lost(keeper.datapathPort());

        assertThat(events).containsExactly("up tap1", "down tap1");
    }
}
