package dev.weft.agent.worker;

import static org.assertj.core.api.Assertions.assertThat;

import dev.weft.agent.trace.TraceResult;
import dev.weft.datapath.FlowDump;
import dev.weft.sim.flow.FlowHome;
import dev.weft.sim.flow.FlowKey;
import dev.weft.sim.flow.FlowText;
import dev.weft.sim.packet.Ipv4;
import dev.weft.sim.packet.Malformed;
import dev.weft.sim.packet.Packet;
import dev.weft.sim.packet.PacketParser;
import java.lang.foreign.MemorySegment;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import org.jspecify.annotations.Nullable;

/**
 * Holds what a trace says of a packet against what becomes of it: the flow that answers it, or the one that is installed
 * for it, has the actions and matches on the bits that the trace names; where the trace says none, there is none, or the
 * one that a trace of the same packet names from then on.
 */
final class TraceCheck {
    private final WorkerBench bench;
    private final int port;
    private final int virtualPort;
    private final byte[] frame;
    private final Packet packet = new Packet();
    private final @Nullable TraceResult trace;
    private final Optional<FlowDump> before;
    private final long upcalls;
    private final long notInstalled;

    /**
     * Before the packet is sent.
     *
     * @param virtualPort index of the port it enters by
     */
    TraceCheck(WorkerBench bench, int port, int virtualPort, byte[] frame) {
        this.bench = bench;
        this.port = port;
        this.virtualPort = virtualPort;
        this.frame = frame;
        packet.wrap(MemorySegment.ofArray(frame), 0, frame.length);
        // Which connection a later fragment belongs to only the datapath knows, so no trace can say.
        boolean traceable =
                PacketParser.parse(packet) == Malformed.OK && packet.key.fragment() != FlowKey.LATER_FRAGMENT;
        packet.key.setIngress(port, 0);
        before = traceable ? flow() : Optional.empty();
        trace = traceable ? ask() : null;
        upcalls = bench.count(WorkerCounter.UPCALLS);
        notInstalled = notInstalled();
    }

    private TraceResult ask() {
        var answer = new CompletableFuture<TraceResult>();
        int home = FlowHome.ofDecision(packet, bench.workers.size());
        bench.tellOne(home, new Command.Inspect(virtualPort, frame, answer));
        return answer.join();
    }

    private Optional<FlowDump> flow() {
        return bench.datapath.flows().stream()
                .filter(flow -> flow.key().inPort() == port && flow.key().matches(packet.key, flow.mask()))
                .findFirst();
    }

    private long notInstalled() {
        return bench.count(WorkerCounter.FULL)
                + bench.dropped(WorkerDrop.NOT_RECORDED)
                + bench.dropped(WorkerDrop.UNBOUND_PORT);
    }

    /** After it was sent and treated. */
    void check() {
        if (trace == null) {
            return;
        }
        boolean cameUp = bench.count(WorkerCounter.UPCALLS) > upcalls;
        if (before.isPresent() && !cameUp) {
            assertThat(before.get().actions().toString())
                    .as("the flow that answers, and %s", trace)
                    .isEqualTo(trace.actions());
        } else if (before.isEmpty() && cameUp && notInstalled() == notInstalled) {
            checkInstalled();
        }
    }

    private void checkInstalled() {
        if (packet.key.protocol() == Ipv4.TCP && packet.key.tcpFlags() != 0) {
            return; // what begins or ends a known connection takes no flow, whatever the trace says
        }
        Optional<FlowDump> installed = flow();
        if (trace.cacheable()) {
            checkIsAs(trace, installed);
        } else if (installed.isPresent() && !trace.verdict().startsWith("park")) {
            // No flow comes of it but that of its connection's next packets, of which it is one by now.
            checkIsAs(ask(), installed);
        }
    }

    private static void checkIsAs(TraceResult trace, Optional<FlowDump> installed) {
        assertThat(installed)
                .as("a flow as %s", trace)
                .map(flow -> FlowText.of(flow.key(), flow.mask()) + " -> " + flow.actions())
                .contains(trace.mask() + " -> " + trace.actions());
        assertThat(trace.cacheable()).as("a flow, by %s", trace).isTrue();
    }
}
