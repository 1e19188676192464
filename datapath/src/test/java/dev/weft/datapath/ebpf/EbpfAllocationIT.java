package dev.weft.datapath.ebpf;

import static dev.weft.datapath.TestFrames.exact;
import static dev.weft.datapath.TestFrames.key;
import static dev.weft.datapath.TestFrames.udp;
import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static org.assertj.core.api.Assertions.assertThat;

import dev.weft.base.Allocation;
import dev.weft.datapath.DatapathConfig;
import dev.weft.datapath.WorkerPort;
import dev.weft.datapath.link.Links;
import dev.weft.datapath.link.NetworkNamespace;
import dev.weft.datapath.link.PacketSocket;
import dev.weft.sim.flow.ActionList;
import dev.weft.sim.flow.FlowKey;
import dev.weft.sim.flow.FlowMask;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import org.junit.jupiter.api.Test;

/** A new flow costs a worker no memory, by the JVM's own count: miss, upcall, install, execute, read, remove. */
class EbpfAllocationIT {
    private static final int FLOWS = 30_000;
    private static final int LIVE = 100;

    // Owned by the one thread there is.
    private final FlowKey flowKey = new FlowKey();
    private long upcalls;
    private long used;

    /** As a worker numbers its flows: places are used again, each time with another upper half. */
    private static long id(long number) {
        return number << 32 | number % (LIVE + 1);
    }

    @Test
    void aNewFlowAllocatesNothing() {
        try (var underlay = new EbpfUnderlay();
                var host = underlay.open(DatapathConfig.of(1, EbpfUnderlay.address(1)));
                var arena = Arena.ofConfined()) {
            var spec = host.newInterface(Integer.MAX_VALUE);
            int in = host.datapath().attach(spec);
            int out = host.datapath().attach(host.newInterface(Integer.MAX_VALUE));
            byte[] frame = udp("10.0.0.1", 1000, "10.0.0.2", 53, 64, 100);
            MemorySegment segment = arena.allocate(frame.length);
            MemorySegment.copy(frame, 0, segment, JAVA_BYTE, 0, frame.length);
            flowKey.copyFrom(key(frame, in, 0));
            FlowMask mask = exact();
            var actions = new ActionList();
            actions.decTtl();
            actions.output(out, 1500);
            WorkerPort worker = host.datapath().worker(0);
            WorkerPort.UpcallHandler handler = (memory, offset, length, inPort, tunnelKey, reason) -> {
                flowKey.setDst(0, ++upcalls); // another flow than the frame's own, so that each frame is a miss
                worker.remove(id(upcalls - LIVE));
                if (worker.install(id(upcalls), flowKey, mask, actions) == WorkerPort.INSTALLED) {
                    worker.execute(memory, offset, length, inPort, actions);
                }
            };
            WorkerPort.FlowUse use = (flowId, packets, bytes, last, flags) -> used++;
            var machines = NetworkNamespace.named(underlay.vms());
            try (var links = Links.in(machines);
                    var vm = PacketSocket.open(
                            machines, links.get(spec.interfaceName()).ifindex())) {
                Runnable cycle = () -> {
                    long until = upcalls + FLOWS;
                    while (upcalls < until) {
                        vm.send(segment, 0, frame.length);
                        worker.poll(handler, 16);
                        worker.readUsed(use, 16);
                    }
                };
                cycle.run();
                cycle.run();
                assertThat(Allocation.bytes(cycle)).isZero();
                assertThat(upcalls).isGreaterThanOrEqualTo(3L * FLOWS);
                assertThat(host.datapath().statistics().flows()).isEqualTo(LIVE);
            }
        }
    }
}
