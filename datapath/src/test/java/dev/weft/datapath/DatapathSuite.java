package dev.weft.datapath;

import static org.assertj.core.api.Assertions.assertThat;

import dev.weft.base.IpAddress;
import dev.weft.sim.flow.ActionList;
import dev.weft.sim.flow.FlowKey;
import dev.weft.sim.packet.Frames;
import dev.weft.sim.packet.PacketParser;
import java.lang.foreign.ValueLayout;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.Consumer;
import org.awaitility.Awaitility;
import org.awaitility.core.ConditionFactory;
import org.junit.jupiter.api.AfterEach;

/**
 * Hosts for the suites that every kind of datapath passes, and how tests wait for what they do. A kind's test extends
 * each suite and says how hosts are made.
 */
public abstract class DatapathSuite {
    static final int UNLIMITED = 1_000_000;

    private final List<TestHost> hosts = new ArrayList<>();

    /** A host of the underlay that all hosts of one test share. */
    protected abstract TestHost open(DatapathConfig config);

    /** The address of one of the underlay's hosts, 1 to 3. A kind whose hosts have addresses of their own says them. */
    protected IpAddress underlay(int host) {
        return IpAddress.parse("127.7.0." + host);
    }

    /** A copy of an upcall. */
    record Upcall(int worker, byte[] frame, int inPort, int tunnelKey, int reason) {}

    final TestHost host(IpAddress underlay, int workers) {
        return host(DatapathConfig.of(workers, underlay).withFlowCapacity(256));
    }

    final TestHost host(DatapathConfig config) {
        TestHost host = open(config);
        hosts.add(host);
        return host;
    }

    @AfterEach
    void closeHosts() {
        hosts.forEach(TestHost::close);
        removeUnderlay();
    }

    /** After the hosts are closed: takes away what a kind has made for them. */
    protected void removeUnderlay() {}

    static int attach(TestHost host) {
        return host.datapath().attach(host.newInterface(UNLIMITED));
    }

    static ConditionFactory soon() {
        return Awaitility.await().pollDelay(Duration.ZERO).pollInterval(Duration.ofMillis(2));
    }

    static List<Upcall> poll(TestHost host) {
        var upcalls = new ArrayList<Upcall>();
        for (int i = 0; i < host.datapath().workers(); i++) {
            int worker = i;
            host.datapath()
                    .worker(i)
                    .poll(
                            (segment, offset, length, inPort, tunnelKey, reason) -> upcalls.add(new Upcall(
                                    worker,
                                    segment.asSlice(offset, length).toArray(ValueLayout.JAVA_BYTE),
                                    inPort,
                                    tunnelKey,
                                    reason)),
                            64);
        }
        return upcalls;
    }

    static List<Upcall> upcalls(TestHost host, int count) {
        var upcalls = new ArrayList<Upcall>();
        soon().until(() -> {
            upcalls.addAll(poll(host));
            return upcalls.size() >= count;
        });
        return upcalls;
    }

    /** The key that the host's workers read in a frame from that port. */
    static FlowKey keyAt(TestHost host, byte[] frame, int inPort) {
        var packet = Frames.wrapped(frame);
        assertThat(PacketParser.parse(packet)).isZero();
        packet.key.setIngress(inPort, 0);
        host.datapath().worker(0).completeKey(packet);
        return packet.key;
    }

    static byte[] received(TestHost host, int port) {
        var frame = new AtomicReference<byte[]>();
        soon().until(() -> {
            frame.set(host.receive(port));
            return frame.get() != null;
        });
        return frame.get();
    }

    static void awaitHits(TestHost host, long hits) {
        soon().untilAsserted(
                        () -> assertThat(host.datapath().statistics().hits()).isEqualTo(hits));
    }

    static void awaitDrops(TestHost host, String reason, long count) {
        soon().untilAsserted(
                        () -> assertThat(host.datapath().statistics().drops()).containsEntry(reason, count));
    }

    static ActionList actions(Consumer<ActionList> fill) {
        var list = new ActionList();
        fill.accept(list);
        return list;
    }

    static PortStatistics statistics(TestHost host, int port) {
        return host.datapath().ports().stream()
                .filter(each -> each.port() == port)
                .findFirst()
                .orElseThrow();
    }
}
