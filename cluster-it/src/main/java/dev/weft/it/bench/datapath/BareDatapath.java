package dev.weft.it.bench.datapath;

import dev.weft.agent.lab.LabHost;
import dev.weft.agent.lab.Vm;
import dev.weft.base.IpAddress;
import dev.weft.datapath.Datapath;
import dev.weft.datapath.DatapathConfig;
import dev.weft.datapath.Datapaths;
import dev.weft.datapath.PortSpec;
import dev.weft.datapath.WorkerPort;
import dev.weft.datapath.link.NetworkNamespace;
import dev.weft.sim.flow.ActionList;
import dev.weft.sim.flow.FlowKey;
import dev.weft.sim.flow.FlowMask;
import dev.weft.sim.packet.Packet;
import dev.weft.sim.packet.PacketParser;
import java.lang.foreign.MemorySegment;
import java.time.Duration;
import java.util.UUID;

/**
 * A datapath without an agent, with two VMs at it: its flows are those that are installed here, and its upcalls are
 * echoed, or stay where they are. {@link #install} belongs to the thread that made it, until {@link #echo}.
 */
final class BareDatapath implements AutoCloseable {
    private static final int UPCALLS_AT_ONCE = 64;
    private static final long WAIT_NANOS = 10_000_000;
    private static final Duration END = Duration.ofSeconds(5);
    private static final int USUAL_FLOWS = 65_536;
    private static final int BUDGET = 10_000_000;

    private final Path path;
    private final Datapath datapath;
    private final WorkerPort seat;
    private final int sender;
    private final ActionList deliver = new ActionList();
    private long flows;
    private Thread echo = new Thread(() -> {}, "bench-echo");

    private BareDatapath(Path path, Datapath datapath) {
        this.path = path;
        this.datapath = datapath;
        seat = datapath.worker(0);
        sender = attach(path.sender());
        deliver.output(attach(path.receiver()), 0);
    }

    static BareDatapath open(BenchLab lab, String kind) {
        return open(lab, kind, USUAL_FLOWS);
    }

    /** @param capacity flows */
    static BareDatapath open(BenchLab lab, String kind, int capacity) {
        LabHost host = lab.host();
        lab.in(host, "addr add " + Baselines.underlay(0) + "/32 dev lo");
        var path = new Path("flow cache alone", lab.sender(host), lab.vm(host, Address.NEIGHBOUR));
        var config = DatapathConfig.of(1, IpAddress.parse(Baselines.underlay(0)))
                .withFlowCapacity(capacity)
                .withNamespace(host.namespace());
        Datapath datapath = NetworkNamespace.named(host.namespace())
                .call(() -> Datapaths.open(kind, config).datapath());
        return lab.own(new BareDatapath(path, datapath));
    }

    private int attach(Vm vm) {
        return datapath.attach(
                new PortSpec(UUID.randomUUID(), vm.hostInterface(), vm.host().namespace(), BUDGET));
    }

    Path path() {
        return path;
    }

    Datapath datapath() {
        return datapath;
    }

    /** What a frame from the sender is looked up by. */
    FlowKey keyOf(byte[] frame) {
        var packet = new Packet();
        packet.wrap(MemorySegment.ofArray(frame), 0, frame.length);
        if (PacketParser.parse(packet) != 0) {
            throw new IllegalArgumentException("a frame that cannot be read");
        }
        packet.key.setIngress(sender, 0);
        return packet.key;
    }

    /** A flow from the sender to the receiver. */
    void install(FlowKey key, FlowMask mask) {
        int result = seat.install(++flows, key, mask, deliver);
        if (result != WorkerPort.INSTALLED) {
            throw new MeasureException("flow " + flows + " was not installed: " + result);
        }
    }

    /** From now on every upcall goes on to the receiver, without a look at it, on a thread of its own. */
    void echo() {
        echo = Thread.ofPlatform().daemon().name("bench-echo").start(() -> {
            while (!Thread.currentThread().isInterrupted()) {
                if (seat.poll(this::onUpcall, UPCALLS_AT_ONCE) == 0) {
                    seat.await(WAIT_NANOS);
                }
            }
        });
    }

    private void onUpcall(MemorySegment segment, long offset, int length, int inPort, int tunnelKey, int reason) {
        if (inPort == sender) {
            seat.execute(segment, offset, length, inPort, deliver);
        }
    }

    @Override
    public void close() {
        echo.interrupt();
        if (ended()) {
            datapath.remove();
        } else {
            throw new MeasureException("the echo's thread does not end; its datapath stays until the process goes");
        }
    }

    private boolean ended() {
        try {
            return !echo.isAlive() || echo.join(END);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            return false;
        }
    }
}
