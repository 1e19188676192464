package dev.weft.datapath.ebpf;

import static dev.weft.datapath.TestFrames.exact;
import static dev.weft.datapath.TestFrames.key;
import static dev.weft.datapath.TestFrames.udp;
import static org.assertj.core.api.Assertions.assertThat;

import dev.weft.datapath.DatapathConfig;
import dev.weft.datapath.PortSpec;
import dev.weft.datapath.PortStatistics;
import dev.weft.datapath.WorkerPort;
import dev.weft.sim.flow.ActionList;
import java.time.Duration;
import java.util.Arrays;
import java.util.Set;
import org.awaitility.Awaitility;
import org.awaitility.core.ConditionFactory;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** What the kernel's flow cache does when the machine around it changes. */
class EbpfRobustnessIT {
    private static final int UNLIMITED = 1_000_000;
    private static final int KEY = 77;

    private final EbpfUnderlay underlay = new EbpfUnderlay();
    private final DatapathConfig config =
            DatapathConfig.of(1, EbpfUnderlay.address(1)).withFlowCapacity(256);

    @AfterEach
    void removeUnderlay() {
        underlay.close();
    }

    private static ConditionFactory soon() {
        return Awaitility.await().pollDelay(Duration.ZERO).pollInterval(Duration.ofMillis(2));
    }

    private static ActionList to(int port) {
        var actions = new ActionList();
        actions.output(port, 0);
        return actions;
    }

    private static byte[] frame(int sourcePort, int payload) {
        return udp("10.0.0.1", sourcePort, "10.0.0.2", 53, 64, payload);
    }

    private static void install(EbpfHost host, long flowId, int in, byte[] frame, ActionList actions) {
        assertThat(host.datapath().worker(0).install(flowId, key(frame, in, 0), exact(), actions))
                .isEqualTo(WorkerPort.INSTALLED);
    }

    private static void awaitFrame(EbpfHost host, int port, byte[] expected) {
        soon().until(() -> Arrays.equals(host.receive(port), expected));
    }

    private static long drops(EbpfHost host, String reason) {
        return host.datapath().statistics().drops().get(reason);
    }

    @Test
    void anInterfacesMtuAndStateAreFollowed() {
        try (var host = underlay.open(config)) {
            PortSpec specA = host.newInterface(UNLIMITED);
            PortSpec specB = host.newInterface(UNLIMITED);
            int a = host.datapath().attach(specA);
            int b = host.datapath().attach(specB);
            byte[] frame = frame(1, 1200);
            install(host, 1, a, frame, to(b));
            host.send(a, frame);
            awaitFrame(host, b, frame);

            underlay.ip(specB.namespace(), "link set " + specB.interfaceName() + " mtu 1000");
            soon().until(() -> {
                host.send(a, frame);
                return drops(host, "too-big") > 0;
            });
            underlay.ip(specB.namespace(), "link set " + specB.interfaceName() + " mtu 1500 down");
            soon().until(() -> {
                host.send(a, frame);
                return drops(host, "port-failed") > 0;
            });
            underlay.ip(specB.namespace(), "link set " + specB.interfaceName() + " up");
            soon().until(() -> {
                host.send(a, frame);
                return Arrays.equals(host.receive(b), frame);
            });
        }
    }

    @Test
    void aFlowToAVanishedInterfaceDropsAndItsSuccessorIsAnotherPort() {
        try (var host = underlay.open(config)) {
            int a = host.datapath().attach(host.newInterface(UNLIMITED));
            int b = host.datapath().attach(host.newInterface(UNLIMITED));
            byte[] frame = frame(1, 10);
            install(host, 1, a, frame, to(b));
            host.destroy(b);
            soon().until(() -> host.datapath().ports().stream().anyMatch(port -> port.port() == b && !port.up()));
            long before = drops(host, "port-failed");
            host.send(a, frame);
            soon().until(() -> drops(host, "port-failed") == before + 1);

            host.datapath().detach(b);
            int next = host.datapath().attach(host.newInterface(UNLIMITED));
            host.datapath().worker(0).remove(1);
            install(host, 2, a, frame, to(next));
            host.send(a, frame);
            awaitFrame(host, next, frame);
        }
    }

    @Test
    void aDatapathThatCannotBeOpenedLeavesNothingOpen() {
        var elsewhere = config.withNamespace("/run/netns/weft-no-such-namespace");
        assertThat(Leaks.openedBy(() -> {
                    try {
                        new EbpfDatapath(elsewhere).close();
                    } catch (RuntimeException refused) {
                        assertThat(refused).hasMessageContaining("weft-no-such-namespace");
                        return;
                    }
                    throw new AssertionError("opened in a namespace that is not there");
                }))
                .isZero();
    }

    @Test
    void twoDatapathsShareANamespaceAndItsUnderlayByTheirTunnelPorts() {
        var far = DatapathConfig.of(1, EbpfUnderlay.address(2)).withFlowCapacity(256);
        try (var one = underlay.open(config.withTunnelPort(4789));
                var two = underlay.open(config.withTunnelPort(4790));
                var oneFar = underlay.open(far.withTunnelPort(4789));
                var twoFar = underlay.open(far.withTunnelPort(4790))) {
            int in1 = one.datapath().attach(one.newInterface(UNLIMITED));
            int in2 = two.datapath().attach(two.newInterface(UNLIMITED));
            int out1 = bind(oneFar);
            int out2 = bind(twoFar);
            tunnels(one, in1, frame(1, 10), oneFar, out1);
            tunnels(two, in2, frame(2, 10), twoFar, out2);
            assertThat(oneFar.receive(out1)).isNull();
            assertThat(twoFar.receive(out2)).isNull();
            assertThat(oneFar.datapath().ports())
                    .extracting(PortStatistics::sentPackets)
                    .containsExactly(1L);
            assertThat(twoFar.datapath().ports())
                    .extracting(PortStatistics::sentPackets)
                    .containsExactly(1L);
        }
    }

    private static int bind(EbpfHost far) {
        int out = far.datapath().attach(far.newInterface(UNLIMITED));
        far.datapath().bindTunnelKey(KEY, out);
        far.datapath().setPeers(Set.of(EbpfUnderlay.address(1)));
        return out;
    }

    private static void tunnels(EbpfHost from, int in, byte[] frame, EbpfHost far, int out) {
        var actions = new ActionList();
        var remote = EbpfUnderlay.address(2);
        actions.tunnel(remote.high(), remote.low(), KEY, 0);
        install(from, 1, in, frame, actions);
        from.send(in, frame);
        awaitFrame(far, out, frame);
    }
}
