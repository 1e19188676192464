package dev.weft.datapath;

import static dev.weft.datapath.TestFrames.exact;
import static dev.weft.datapath.TestFrames.key;
import static dev.weft.datapath.TestFrames.udp;
import static org.assertj.core.api.Assertions.assertThat;

import dev.weft.base.IpAddress;
import dev.weft.sim.flow.ActionList;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.UUID;
import org.awaitility.Awaitility;
import org.awaitility.core.ConditionFactory;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** What a kind of datapath that survives its process does. A kind's test extends it and says how hosts are made. */
public abstract class SurvivalContract {
    private static final int BUDGET = 1_000_000;
    private static final int KEY = 77;

    private final UUID id = UUID.randomUUID();
    private @Nullable TestHost host;
    private PortSpec specA = new PortSpec(id, "", "", 0);
    private PortSpec specB = specA;
    private int a;
    private int b;

    protected abstract TestHost open(DatapathConfig config);

    /** The host's address. A kind whose hosts have addresses of their own says it. */
    protected IpAddress underlay() {
        return IpAddress.parse("127.7.0.1");
    }

    /** The same machine with the same interfaces, after its datapath was {@linkplain Datapath#close closed}. */
    protected abstract TestHost reopen(TestHost before, DatapathConfig config);

    private static ConditionFactory soon() {
        return Awaitility.await().pollDelay(Duration.ZERO).pollInterval(Duration.ofMillis(2));
    }

    private DatapathConfig config(int workers) {
        return DatapathConfig.of(workers, underlay()).withHost(id).withFlowCapacity(256);
    }

    private TestHost host() {
        return Objects.requireNonNull(host);
    }

    private Datapath datapath() {
        return host().datapath();
    }

    @BeforeEach
    void begin() {
        host = open(config(2));
        specA = host.newInterface(BUDGET);
        specB = host.newInterface(BUDGET);
        a = datapath().attach(specA);
        b = datapath().attach(specB);
    }

    @AfterEach
    void end() {
        datapath().remove();
        host().close();
        removeUnderlay();
    }

    /** After the host is closed: takes away what a kind has made for it. */
    protected void removeUnderlay() {}

    private void restart(int workers) {
        datapath().close();
        host = reopen(host(), config(workers));
    }

    private static ActionList to(int port) {
        var actions = new ActionList();
        actions.output(port, 0);
        return actions;
    }

    private static byte[] frame(int sourcePort) {
        return udp("10.0.0.1", sourcePort, "10.0.0.2", 53, 64, 10);
    }

    private void install(int worker, long flowId, int sourcePort) {
        assertThat(datapath().worker(worker).install(flowId, key(frame(sourcePort), a, 0), exact(), to(b)))
                .isEqualTo(WorkerPort.INSTALLED);
    }

    private void send(int sourcePort) {
        byte[] frame = frame(sourcePort);
        host().send(a, frame);
        var got = new byte[1][];
        soon().until(() -> {
            got[0] = host().receive(b);
            return got[0] != null;
        });
        assertThat(got[0]).isEqualTo(frame);
    }

    /** By source port. */
    private Map<Integer, Long> survivors(int worker) {
        var found = new HashMap<Integer, Long>();
        WorkerPort seat = datapath().worker(worker);
        int read = seat.readSurvivors(
                (survivor, key, mask, actions, used) -> {
                    assertThat(mask).isEqualTo(exact());
                    assertThat(actions).isEqualTo(to(b));
                    assertThat(key).isEqualTo(key(frame(key.l4Src()), a, 0));
                    found.put(key.l4Src(), survivor);
                },
                100);
        assertThat(found).hasSize(read);
        return found;
    }

    private List<Integer> owners() {
        var owners = new ArrayList<Integer>();
        datapath().forEachFlow(flow -> owners.add(flow.worker()));
        return owners;
    }

    @Test
    void forwardsByWhatIsInstalledWhileNobodyIsThereAndAfter() {
        install(0, 1, 1000);
        datapath().close();
        send(1000);
        host = reopen(host(), config(2));
        send(1000);
        assertThat(owners()).containsExactly(-1);
        assertThat(datapath().survives()).isTrue();
    }

    @Test
    void isTheSameDatapathUntilItIsRemoved() {
        long incarnation = datapath().incarnation();
        restart(1);
        assertThat(datapath().incarnation()).isEqualTo(incarnation);
        install(0, 1, 1000);
        datapath().remove();
        host = reopen(host(), config(1));
        assertThat(datapath().incarnation()).isNotEqualTo(incarnation);
        assertThat(datapath().flows()).isEmpty();
        assertThat(datapath().ports()).isEmpty();
    }

    @Test
    void anAdoptedFlowGoesOnAsItsNewWorkersOwn() {
        install(1, 1, 1000);
        send(1000);
        restart(2);
        send(1000);

        assertThat(survivors(0)).isEmpty();
        long survivor = survivors(1).get(1000);
        WorkerPort seat = datapath().worker(1);
        assertThat(seat.adopt(9, survivor)).isTrue();
        assertThat(seat.adopt(10, survivor)).as("once").isFalse();
        assertThat(survivors(1)).isEmpty();
        send(1000);

        soon().untilAsserted(() -> assertThat(datapath().flows())
                .singleElement()
                .matches(flow -> flow.worker() == 1 && flow.flowId() == 9)
                .matches(flow -> flow.packets() == 3));
        soon().until(() -> seat.readUsed(
                        (flowId, packets, bytes, used, flags) ->
                                assertThat(flowId).isEqualTo(9),
                        10)
                == 1);
        datapath().attach(specA);
        datapath().attach(specB);
        assertThat(datapath().dropUnadopted()).isZero();
        send(1000);
        seat.remove(9);
        assertThat(datapath().flows()).isEmpty();
    }

    @Test
    void whatNobodyTookOverGoesAtTheEnd() {
        install(0, 1, 1000);
        install(0, 2, 2000);
        datapath().bindTunnelKey(KEY, a);
        datapath().bindTunnelKey(KEY + 1, a);
        restart(2);
        datapath().worker(0).adopt(1, survivors(0).get(2000));
        datapath().bindTunnelKey(KEY, datapath().attach(specA));

        assertThat(datapath().dropUnadopted()).isEqualTo(1);

        assertThat(owners()).containsExactly(0);
        assertThat(datapath().ports()).extracting(PortStatistics::port).containsExactly(a);
        assertThat(datapath().dropUnadopted()).isZero();
    }

    @Test
    void aPortKeepsItsNumberAtTheSameInterface() {
        restart(1);
        assertThat(datapath().ports()).extracting(PortStatistics::port).containsExactlyInAnyOrder(a, b);

        var slower = new PortSpec(specA.id(), specA.interfaceName(), specA.namespace(), 5);
        assertThat(datapath().attach(slower)).isEqualTo(a);
        assertThat(datapath().attach(specB)).isEqualTo(b);
        datapath().dropUnadopted();

        assertThat(datapath().ports())
                .filteredOn(port -> port.port() == a)
                .allMatch(port -> port.spec().equals(slower) && port.up());
        install(0, 1, 1000);
        send(1000);
    }

    @Test
    void aVirtualPortAtAnotherInterfaceIsAnotherPort() {
        restart(1);
        PortSpec elsewhere = host().newInterface(BUDGET);
        int number =
                datapath().attach(new PortSpec(specA.id(), elsewhere.interfaceName(), elsewhere.namespace(), BUDGET));
        assertThat(number).isNotIn(a, b);
        assertThat(datapath().ports()).extracting(PortStatistics::port).containsExactlyInAnyOrder(b, number);
    }

    @Test
    void anEqualFlowReplacesASurvivorInPlace() {
        install(0, 1, 1000);
        send(1000);
        restart(1);
        WorkerPort seat = datapath().worker(0);

        assertThat(seat.install(4, key(frame(1000), a, 0), exact(), new ActionList()))
                .isEqualTo(WorkerPort.INSTALLED);
        host().send(a, frame(1000));

        soon().untilAsserted(() -> assertThat(datapath().flows())
                .singleElement()
                .matches(flow -> flow.flowId() == 4 && flow.worker() == 0)
                .matches(flow -> flow.packets() == 2)
                .matches(flow -> flow.actions().isDrop()));
        assertThat(seat.install(5, key(frame(1000), a, 0), exact(), to(b))).isEqualTo(WorkerPort.EXISTS);
        assertThat(survivors(0)).isEmpty();
        assertThat(datapath().dropUnadopted()).isZero();
    }

    @Test
    void aSurvivorCanBeLetGo() {
        install(0, 1, 1000);
        restart(1);
        WorkerPort seat = datapath().worker(0);
        seat.remove(1);
        assertThat(owners()).as("its old id names nothing").containsExactly(-1);
        long survivor = survivors(0).get(1000);
        seat.discard(survivor);
        assertThat(datapath().flows()).isEmpty();
        assertThat(seat.adopt(2, survivor)).isFalse();
        seat.discard(survivor);
    }

    @Test
    void eachSurvivorIsInOneWorkersShareWhateverTheirNumber() {
        for (int i = 0; i < 20; i++) {
            install(i % 2, 1 + i, 1000 + i);
        }
        restart(3);
        var all = new ArrayList<Integer>();
        for (int worker = 0; worker < 3; worker++) {
            all.addAll(survivors(worker).keySet());
        }
        assertThat(all).hasSize(20).doesNotHaveDuplicates();

        restart(1);
        var handed = new ArrayList<Integer>();
        WorkerPort seat = datapath().worker(0);
        WorkerPort.SurvivorHandler note = (survivor, key, mask, actions, used) -> handed.add(key.l4Src());
        assertThat(seat.readSurvivors(note, 15)).isEqualTo(15);
        assertThat(seat.readSurvivors(note, 15)).isEqualTo(5);
        assertThat(handed).doesNotHaveDuplicates();
        assertThat(seat.readSurvivors(note, 15)).as("a new round").isEqualTo(15);
    }
}
