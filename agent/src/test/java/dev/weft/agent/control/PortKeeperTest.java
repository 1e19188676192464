package dev.weft.agent.control;

import static org.assertj.core.api.Assertions.assertThat;

import dev.weft.agent.control.Interfaces.Presence;
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

        keeper.interfaceIs(Presence.UP);

        assertThat(keeper.state()).isEqualTo("up");
        assertThat(datapath.ports()).hasSize(1);
        assertThat(events).containsExactly("up tap1");
    }

    @Test
    void goesWithItsInterfaceAndComesBackWithIt() {
        keeper.interfaceIs(Presence.UP);
        int first = keeper.datapathPort();
        keeper.interfaceIs(Presence.ABSENT);
        assertThat(datapath.ports()).isEmpty();
        assertThat(keeper.datapathPort()).isEqualTo(PortKeeper.NONE);

        keeper.interfaceIs(Presence.UP);

        assertThat(keeper.datapathPort()).isNotEqualTo(first).isPositive();
        assertThat(keeper.tunnelKey()).as("the same port, the same key").isEqualTo(77);
        assertThat(events).containsExactly("up tap1", "down tap1", "up tap1");
    }

    @Test
    void aPortThatIsDownOrHasNoCarrierSaysSoAndStaysAttached() {
        keeper.interfaceIs(Presence.NO_CARRIER);
        assertThat(keeper.state()).isEqualTo("no carrier");
        int first = keeper.datapathPort();
        assertThat(first).isPositive();
        keeper.interfaceIs(Presence.UP);
        assertThat(keeper.state()).isEqualTo("up");
        keeper.interfaceIs(Presence.DOWN);
        assertThat(keeper.state()).isEqualTo("interface down");
        keeper.interfaceIs(Presence.UP);

        assertThat(keeper.datapathPort()).as("the same, flows and all").isEqualTo(first);
        assertThat(keeper.wantsRetry()).isFalse();
        assertThat(events).containsExactly("up tap1");
    }

    @Test
    void whatTheDatapathRefusesIsSaidAndTriedAgain() {
        int taken = datapath.attach(new PortSpec(new UUID(2, 2), "tap1", "", 100));
        keeper.interfaceIs(Presence.UP);
        assertThat(keeper.state()).contains("tap1");
        assertThat(keeper.wantsRetry()).isTrue();

        datapath.detach(taken);
        keeper.attach();

        assertThat(keeper.state()).isEqualTo("up");
    }

    @Test
    void aMoveToAnotherInterfaceLetsTheOldOneGo() {
        keeper.interfaceIs(Presence.UP);

        keeper.move(new PortSpec(SPEC.id(), "tap2", "", 100));
        assertThat(datapath.ports()).isEmpty();
        keeper.interfaceIs(Presence.UP);

        assertThat(events).containsExactly("up tap1", "down tap1", "up tap2");
    }

    @Test
    void theDatapathMayNoticeFirst() {
        keeper.interfaceIs(Presence.UP);

        keeper.lost(keeper.datapathPort() + 1);
        assertThat(keeper.state()).as("another port was lost").isEqualTo("up");
        keeper.lost(keeper.datapathPort());

        assertThat(events).containsExactly("up tap1", "down tap1");
    }
}
