package dev.weft.datapath.ebpf;

import static dev.weft.datapath.TestFrames.key;
import static dev.weft.datapath.TestFrames.udp;
import static org.assertj.core.api.Assertions.assertThat;

import dev.weft.datapath.DatapathConfig;
import dev.weft.datapath.FlowDump;
import dev.weft.datapath.PortSpec;
import dev.weft.datapath.WorkerPort;
import dev.weft.sim.flow.ActionList;
import dev.weft.sim.flow.FlowKey;
import dev.weft.sim.flow.FlowMask;
import java.util.ArrayList;
import java.util.List;
import java.util.UUID;
import org.junit.jupiter.api.Test;

/**
 * Ports, flows, masks, floods and upcalls that come and go leave nothing behind. Each round uses masks and steps that no
 * round before it used, more in all than there are, so that one that was not given back would be missed. {@code
 * -Dweft.churn.rounds=N} goes on longer.
 */
class EbpfChurnIT {
    private static final int UNLIMITED = 1_000_000;
    private static final int ROUNDS = Integer.getInteger("weft.churn.rounds", 90);
    private static final int MASKS = 60;
    /** Steps of a round: 60 floods of 15 outputs; 90 rounds use 81,000 of 65,536. */
    private static final int OUTPUTS = 15;

    private static final int WARM_UP = 10;

    private int maskNumber;

    @Test
    void whatComesAndGoesLeavesNothing() {
        try (var underlay = new EbpfUnderlay();
                var host = underlay.open(
                        DatapathConfig.of(1, EbpfUnderlay.address(1)).withFlowCapacity(256))) {
            var specs = List.of(host.newInterface(UNLIMITED), host.newInterface(UNLIMITED));
            long files = 0;
            long mappings = 0;
            for (int round = 0; round < ROUNDS; round++) {
                if (round == WARM_UP) {
                    files = Leaks.openFiles();
                    mappings = Leaks.bpfMappings();
                }
                round(host, specs);
                assertThat(host.datapath().statistics().flows()).isZero();
            }
            assertThat(host.datapath().flows()).isEmpty();
            assertThat(Leaks.openFiles()).isLessThanOrEqualTo(files);
            assertThat(Leaks.bpfMappings()).isLessThanOrEqualTo(mappings);
        }
    }

    @Test
    void openingAndClosingLeavesNothing() {
        try (var underlay = new EbpfUnderlay()) {
            var config =
                    DatapathConfig.of(2, EbpfUnderlay.address(1)).withNamespace(underlay.host(EbpfUnderlay.address(1)));
            Runnable openAndClose = () -> {
                var datapath = new EbpfDatapath(config);
                datapath.capture(datapath.attach(veth(underlay)), 10, (from, at, copy, length) -> {});
                datapath.close();
            };
            openAndClose.run();
            long mappings = Leaks.bpfMappings();
            assertThat(Leaks.openedBy(openAndClose)).isZero();
            assertThat(Leaks.bpfMappings()).isEqualTo(mappings);
        }
    }

    private static PortSpec veth(EbpfUnderlay underlay) {
        String namespace = underlay.host(EbpfUnderlay.address(1));
        return new PortSpec(UUID.randomUUID(), underlay.addVeth(namespace), namespace, UNLIMITED);
    }

    private void round(EbpfHost host, List<PortSpec> specs) {
        int a = host.datapath().attach(specs.get(0));
        int b = host.datapath().attach(specs.get(1));
        WorkerPort worker = host.datapath().worker(0);
        var installed = new ArrayList<Long>();
        for (int i = 0; i < MASKS; i++) {
            byte[] frame = udp("10.0.0.1", 1000 + i, "10.0.0.2", 53, 64, 30);
            FlowKey flowKey = key(frame, a, 0);
            long flowId = i + 1;
            assertThat(worker.install(flowId, flowKey, nextMask(), flood(b))).isEqualTo(WorkerPort.INSTALLED);
            installed.add(flowId);
        }
        assertThat(host.datapath().flows())
                .as("none was put under the exact mask for want of a number")
                .extracting(FlowDump::mask)
                .doesNotContain(exactMask());
        upcalls(host, worker, a);
        // Half of them while their port is there, half after it is gone.
        installed.subList(0, MASKS / 2).forEach(worker::remove);
        host.datapath().detach(a);
        host.datapath().detach(b);
        installed.subList(MASKS / 2, MASKS).forEach(worker::remove);
    }

    private static void upcalls(EbpfHost host, WorkerPort worker, int port) {
        for (int i = 0; i < 5; i++) {
            host.send(port, udp("10.9.9.9", 7, "10.8.8.8", 9, 64, 1400));
        }
        int taken = 0;
        while (taken < 5) {
            worker.await(1_000_000_000L);
            taken += worker.poll((segment, offset, length, inPort, tunnelKey, reason) -> {}, 64);
        }
    }

    private static ActionList flood(int port) {
        var actions = new ActionList();
        for (int i = 0; i < OUTPUTS; i++) {
            actions.setL4Dst(i + 1);
            actions.output(port, 0);
        }
        return actions;
    }

    private static FlowMask exactMask() {
        var mask = new FlowMask();
        mask.exact();
        return mask;
    }

    /** One that was not used before: the digest of a service does not occur in frames, so that any bits of it will do. */
    private FlowMask nextMask() {
        var mask = exactMask();
        mask.setWord(9, ++maskNumber);
        return mask;
    }
}
