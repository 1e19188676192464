package dev.weft.datapath.memory;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.weft.base.IpAddress;
import dev.weft.datapath.DatapathConfig;
import dev.weft.datapath.DatapathException;
import dev.weft.datapath.PortSpec;
import dev.weft.datapath.TestFrames;
import dev.weft.sim.flow.ActionList;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.Set;
import java.util.UUID;
import org.junit.jupiter.api.Test;

class MemoryFabricTest {
    private final MemoryFabric fabric = new MemoryFabric();

    private MemoryDatapath host(int number, int flows) {
        var address = IpAddress.ofV4(0xac10_0000 + number);
        return new MemoryDatapath(DatapathConfig.of(1, address).withFlowCapacity(flows), fabric);
    }

    private static void tunnel(MemoryDatapath from, IpAddress to, int key, byte[] frame) {
        var actions = new ActionList();
        actions.tunnel(to.high(), to.low(), key, 0);
        from.worker(0).execute(MemorySegment.ofArray(frame), 0, frame.length, 1, actions);
    }

    @Test
    void heldFramesArriveInOrderWhenReleased() {
        var address = IpAddress.ofV4(0xac10_0002);
        MemoryDatapath sender = host(1, 16);
        MemoryDatapath receiver = host(2, 16);
        int port = receiver.attach(new PortSpec(UUID.randomUUID(), "vm0", "", 10));
        receiver.setPeers(Set.of(IpAddress.ofV4(0xac10_0001)));
        receiver.bindTunnelKey(5, port);
        byte[] first = TestFrames.udp("10.0.0.1", 1, "10.0.0.2", 2, 64, 1);
        byte[] second = TestFrames.udp("10.0.0.1", 1, "10.0.0.2", 2, 64, 2);

        fabric.setWeather((fromHigh, fromLow, toHigh, toLow, key) -> MemoryFabric.Fate.HOLD);
        tunnel(sender, address, 5, first);
        tunnel(sender, address, 5, second);
        assertThat(receiver.receive(port)).isNull();
        assertThat(fabric.release()).isEqualTo(2);
        assertThat(receiver.receive(port)).isEqualTo(first);
        assertThat(receiver.receive(port)).isEqualTo(second);

        fabric.setWeather((fromHigh, fromLow, toHigh, toLow, key) -> MemoryFabric.Fate.LOSE);
        tunnel(sender, address, 5, first);
        tunnel(sender, IpAddress.parse("192.0.2.1"), 5, first);
        assertThat(fabric.lost()).isEqualTo(2);
        assertThat(receiver.receive(port)).isNull();
    }

    @Test
    void twoHostsCannotHaveOneAddress() {
        host(1, 16);
        assertThatThrownBy(() -> host(1, 16))
                .isInstanceOf(DatapathException.class)
                .hasMessageContaining("172.16.0.1");
    }

    /** No thread and little memory per host: a thousand of them pass a frame along a chain of senders. */
    @Test
    void holdsAThousandHosts() {
        var hosts = new ArrayList<MemoryDatapath>();
        byte[] frame = TestFrames.udp("10.0.0.1", 1, "10.0.0.2", 2, 64, 1);
        for (int i = 0; i < 1000; i++) {
            MemoryDatapath host = host(i, 64);
            host.setPeers(Set.of(IpAddress.ofV4(0xac10_0000 + i - 1)));
            host.bindTunnelKey(1, host.attach(new PortSpec(UUID.randomUUID(), "vm0", "", 10)));
            hosts.add(host);
        }
        for (int i = 1; i < 1000; i++) {
            tunnel(hosts.get(i - 1), IpAddress.ofV4(0xac10_0000 + i), 1, frame);
            assertThat(hosts.get(i).receive(1)).isEqualTo(frame);
        }
        hosts.forEach(MemoryDatapath::close);
    }
}
