package dev.weft.datapath.memory;

import static org.assertj.core.api.Assertions.assertThat;

import dev.weft.base.Allocation;
import dev.weft.base.IpAddress;
import dev.weft.datapath.DatapathConfig;
import dev.weft.datapath.PortSpec;
import dev.weft.datapath.TestFrames;
import dev.weft.datapath.WorkerPort;
import dev.weft.sim.flow.ActionList;
import dev.weft.sim.flow.FlowKey;
import dev.weft.sim.flow.FlowMask;
import dev.weft.sim.packet.Frames;
import java.lang.foreign.MemorySegment;
import java.util.Set;
import java.util.UUID;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** The paths every packet takes allocate nothing, by the JVM's own count. */
class MemoryDatapathAllocationTest {
    private static final int WARM = 200_000;
    private static final int COUNTED = 1_000_000;
    private static final IpAddress HERE = IpAddress.parse("172.16.0.1");
    private static final IpAddress THERE = IpAddress.parse("172.16.0.2");

    private final MemoryFabric fabric = new MemoryFabric();
    private final MemoryDatapath datapath = new MemoryDatapath(DatapathConfig.of(1, HERE), fabric);
    private final MemoryDatapath remote = new MemoryDatapath(DatapathConfig.of(1, THERE), fabric);
    private final AtomicLong taken = new AtomicLong();
    private final byte[] frame = TestFrames.udp("10.0.0.1", 1000, "10.0.0.2", 53, 64, 100);
    private final MemorySegment segment = MemorySegment.ofArray(frame);
    private final WorkerPort worker = datapath.worker(0);
    private int in;

    @BeforeEach
    void attach() {
        in = datapath.attach(new PortSpec(UUID.randomUUID(), "vm0", "", Integer.MAX_VALUE));
        int out = remote.attach(new PortSpec(UUID.randomUUID(), "vm0", "", Integer.MAX_VALUE));
        remote.setSink(out, (memory, offset, length) -> taken.lazySet(taken.getPlain() + length));
        remote.setPeers(Set.of(HERE));
        remote.bindTunnelKey(7, out);
    }

    @AfterEach
    void close() {
        datapath.close();
        remote.close();
    }

    @Test
    void aHitWithRewritesAcrossTheTunnelAllocatesNothing() {
        var actions = new ActionList();
        actions.setSrcMac(1);
        actions.decTtl();
        actions.tunnel(THERE.high(), THERE.low(), 7, 1450);
        sendsWithoutAllocation(frame, actions, frame.length);
    }

    @Test
    void everyRewriteAllocatesNothing() {
        var actions = new ActionList();
        actions.setSrc(HERE.high(), HERE.low());
        actions.setDst(0x2001_0db8_0000_0000L, 1);
        actions.setL4Src(1);
        actions.setL4Dst(2);
        actions.setIcmpId(3);
        actions.setDscp(46);
        actions.popVlan();
        actions.pushVlan(7);
        actions.tunnel(THERE.high(), THERE.low(), 7, 1400);
        byte[] syn = Frames.tcp("[fd00::1]:1", "[fd00::2]:2")
                .extensions(2)
                .flags(0x02)
                .tcpOptions(new byte[] {1, 2, 4, 5, (byte) 0xb4, 0, 0, 0})
                .bytes();
        sendsWithoutAllocation(syn, actions, syn.length + 4);
    }

    private void sendsWithoutAllocation(byte[] sent, ActionList actions, int received) {
        worker.install(1, TestFrames.key(sent, in, 0), TestFrames.toDestination(), actions);
        var memory = MemorySegment.ofArray(sent);
        Runnable send = () -> {
            for (int i = 0; i < COUNTED; i++) {
                datapath.send(in, memory, 0, sent.length);
            }
        };
        send.run();
        assertThat(Allocation.bytes(send)).isZero();
        assertThat(taken.get()).isEqualTo(2L * COUNTED * received);
    }

    @Test
    void missUpcallInstallExecuteReadAndRemoveAllocateNothing() {
        var key = new FlowKey();
        key.copyFrom(TestFrames.key(frame, in, 0));
        FlowMask mask = TestFrames.exact();
        var actions = new ActionList();
        actions.tunnel(THERE.high(), THERE.low(), 7, 1450);
        var upcalls = new AtomicLong();
        WorkerPort.UpcallHandler handler = (memory, offset, length, inPort, tunnelKey, reason) -> {
            long number = upcalls.getPlain();
            upcalls.setPlain(number + 1);
            key.setDst(0, number);
            worker.remove(number - 100);
            if (worker.install(number, key, mask, actions) == WorkerPort.INSTALLED) {
                worker.execute(memory, offset, length, inPort, actions);
            }
        };
        WorkerPort.FlowUse use = (flowId, packets, bytes, last, flags) -> {};
        Runnable cycle = () -> {
            for (int i = 0; i < WARM; i++) {
                datapath.send(in, segment, 0, frame.length);
                worker.poll(handler, 16);
                worker.readUsed(use, 16);
            }
        };
        cycle.run();
        assertThat(Allocation.bytes(cycle)).isZero();
        assertThat(upcalls.get()).isEqualTo(2L * WARM);
        assertThat(datapath.statistics().flows()).isEqualTo(100);
    }
}
