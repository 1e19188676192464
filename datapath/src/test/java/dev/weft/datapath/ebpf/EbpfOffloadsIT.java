package dev.weft.datapath.ebpf;

import static org.assertj.core.api.Assertions.assertThat;

import dev.weft.base.IpAddress;
import dev.weft.datapath.DatapathConfig;
import dev.weft.datapath.PortSpec;
import dev.weft.datapath.WorkerPort;
import dev.weft.datapath.bpf.BpfFileSystem;
import dev.weft.datapath.bpf.BpfMap;
import dev.weft.sim.flow.ActionList;
import dev.weft.sim.flow.FlowKey;
import dev.weft.sim.flow.FlowMask;
import java.lang.foreign.Arena;
import java.lang.foreign.ValueLayout;
import java.nio.file.Files;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.UUID;
import java.util.concurrent.atomic.AtomicBoolean;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Real TCP stacks that leave segmentation and checksums to hardware, behind the kernel's flow cache. */
class EbpfOffloadsIT {
    private static final int ETHERNET = 14;
    private static final int VM_MTU = 1500;
    private static final int UNDERLAY_MTU = 1600;
    private static final int BYTES = 8 << 20;
    private static final int STREAMS = 100;
    private static final int SUPER_PACKETS = 10;
    private static final int CLIENT = 1;
    private static final int SERVER = 2;

    private final EbpfUnderlay underlay = new EbpfUnderlay();
    private final List<EbpfDatapath> datapaths = new ArrayList<>();
    private final List<UUID> ids = new ArrayList<>();

    @AfterEach
    void close() {
        datapaths.forEach(EbpfDatapath::remove);
        underlay.close();
    }

    private EbpfDatapath open(IpAddress address) {
        var id = UUID.randomUUID();
        var datapath = new EbpfDatapath(
                DatapathConfig.of(1, address).withHost(id).withFlowCapacity(256).withNamespace(underlay.host(address)));
        ids.add(id);
        datapaths.add(datapath);
        return datapath;
    }

    private int attach(EbpfDatapath datapath, IpAddress host, int machine) {
        String namespace = underlay.host(host);
        return datapath.attach(
                new PortSpec(UUID.randomUUID(), underlay.addMachine(namespace, machine), namespace, 1_000_000));
    }

    private static IpAddress address(int host, int family) {
        return family == 4 ? EbpfUnderlay.address(host) : EbpfUnderlay.addressV6(host);
    }

    /** All that comes in by the port goes one way. */
    private static void install(EbpfDatapath datapath, int port, ActionList actions) {
        assertThat(tryInstall(datapath, port, 1, actions)).isEqualTo(WorkerPort.INSTALLED);
    }

    private static int tryInstall(EbpfDatapath datapath, int port, long flowId, ActionList actions) {
        var key = new FlowKey();
        key.setIngress(port, 0);
        var mask = new FlowMask();
        mask.clear();
        return datapath.worker(0).install(flowId, key, mask, actions);
    }

    private static ActionList tunnel(IpAddress remote, int key, int mtu) {
        var actions = new ActionList();
        actions.tunnel(remote.high(), remote.low(), key, mtu);
        return actions;
    }

    private static ActionList output(int port) {
        var actions = new ActionList();
        actions.output(port, VM_MTU);
        return actions;
    }

    /** A client and a server on two hosts; all that they send goes through the tunnel. */
    private void joinTwoHosts(int family, int mtu) {
        for (int here = 1; here <= 2; here++) {
            EbpfDatapath datapath = open(address(here, family));
            int port = attach(datapath, address(here, family), here == 1 ? CLIENT : SERVER);
            join(datapath, here, port, address(3 - here, family), 3 - here, mtu);
        }
        ids.forEach(EbpfOffloadsIT::awaitDirect);
    }

    /** What comes with one key leaves by the port, what comes in by the port leaves with the other. */
    private static void join(EbpfDatapath datapath, int key, int port, IpAddress peer, int peerKey, int mtu) {
        datapath.bindTunnelKey(key, port);
        datapath.setPeers(Set.of(peer));
        install(datapath, port, tunnel(peer, peerKey, mtu));
    }

    /** Until the programs themselves wrap what goes to the first remote host. */
    private static void awaitDirect(UUID id) {
        var pin = BpfFileSystem.USUAL.resolve("weft").resolve(id.toString()).resolve("remotes");
        assertThat(Files.exists(pin)).isTrue();
        try (var remotes = BpfMap.pinned(pin).orElseThrow();
                var arena = Arena.ofShared()) { // Awaitility asks on a thread of its own
            var index = arena.allocateFrom(ValueLayout.JAVA_INT, 0);
            var remote = arena.allocate(Layout.Remote.SIZE, 8);
            Awaitility.await().pollInterval(Duration.ofMillis(5)).until(() -> {
                remotes.lookup(index.address(), remote.address());
                return (remote.get(ValueLayout.JAVA_INT, Layout.Remote.FLAGS) & Layout.Remote.DIRECT) != 0;
            });
        }
    }

    private void transfer(int family) {
        String server = family == 4 ? "10.5.0." + SERVER : "fd05::" + SERVER;
        BulkStream.send(underlay.machine(CLIENT), underlay.machine(SERVER), server, BYTES);
    }

    @ParameterizedTest
    @ValueSource(ints = {4, 6})
    void onOneHostSuperPacketsPassUnsplit(int inner) {
        var address = EbpfUnderlay.address(1);
        EbpfDatapath datapath = open(address);
        int client = attach(datapath, address, CLIENT);
        int server = attach(datapath, address, SERVER);
        install(datapath, client, output(server));
        assertThat(tryInstall(datapath, server, 2, output(client))).isEqualTo(WorkerPort.INSTALLED);
        long misses = datapath.statistics().misses(); // of what machines say when they come up
        try (var seen = FrameWatch.at(underlay.machine(SERVER), "eth0")) {
            transfer(inner);
            assertThat(seen.longest()).isGreaterThan(ETHERNET + VM_MTU);
        }
        assertThat(datapath.statistics().misses()).isEqualTo(misses);
    }

    @ParameterizedTest
    @CsvSource({"4, 4", "6, 4", "4, 6", "6, 6"})
    void throughTheTunnelSuperPacketsPassUnsplit(int inner, int outer) {
        joinTwoHosts(outer, VM_MTU);
        long misses = datapaths.get(0).statistics().misses();
        try (var wire = FrameWatch.at(underlay.wire(), "h1");
                var seen = FrameWatch.at(underlay.machine(SERVER), "eth0")) {
            transfer(inner);
            assertThat(wire.longest()).isGreaterThan(ETHERNET + UNDERLAY_MTU);
            assertThat(seen.longest()).isGreaterThan(ETHERNET + VM_MTU);
        }
        assertThat(datapaths.get(0).statistics().misses()).isEqualTo(misses);
        assertThat(datapaths.get(1).statistics().delivered()).isPositive();
    }

    /** As an underlay whose devices do nothing of it: what is on the wire is what a real one would have to carry. */
    @ParameterizedTest
    @CsvSource({"4, 4", "6, 4", "4, 6", "6, 6"})
    void withoutOffloadsFramesFitTheWireWithRightChecksumsAndAreMergedAtTheReceiver(int inner, int outer) {
        joinTwoHosts(outer, VM_MTU);
        for (int host = 1; host <= 2; host++) {
            String namespace = underlay.host(address(host, outer));
            underlay.offload(namespace, "under", "tso off gso off tx-udp_tnl-segmentation off");
            underlay.offload(namespace, "under", "tx off");
            underlay.offload(namespace, "under", "gro on");
            // A veth hands its frames to the GRO of its far end only if it does not segment itself.
            underlay.offload(underlay.wire(), "h" + host, "tso off");
        }
        try (var wire = FrameWatch.at(underlay.wire(), "h1");
                var seen = FrameWatch.at(underlay.machine(SERVER), "eth0")) {
            transfer(inner);
            assertThat(wire.longest()).isLessThanOrEqualTo(ETHERNET + UNDERLAY_MTU);
            assertThat(wire.unfinished())
                    .as("super-packets and checksums left to a device")
                    .isZero();
            assertThat(wire.judgeTunnelled(outer, inner)).as("frames judged").isGreaterThan(20);
            assertThat(seen.longest()).as("merged").isGreaterThan(ETHERNET + VM_MTU);
        }
    }

    /** A hypervisor's guest is given super-packets of the kinds it agreed to: without the mark of the tunnel. */
    @ParameterizedTest
    @CsvSource({"4, 4", "6, 4", "4, 6", "6, 6"})
    void aGuestBehindATapIsGivenPlainSuperPackets(int inner, int outer) {
        IpAddress far = address(2, outer);
        String tap = underlay.newName();
        try (var guest = underlay.addTapMachine(underlay.host(far), tap, SERVER)) {
            EbpfDatapath here = open(address(1, outer));
            EbpfDatapath there = open(far);
            join(here, 1, attach(here, address(1, outer), CLIENT), far, 2, VM_MTU);
            var spec = new PortSpec(UUID.randomUUID(), tap, underlay.host(far), 1_000_000);
            join(there, 2, there.attach(spec), address(1, outer), 1, VM_MTU);
            ids.forEach(EbpfOffloadsIT::awaitDirect);

            transfer(inner);

            assertThat(guest.longestToGuest()).isGreaterThan(ETHERNET + VM_MTU);
            assertThat(guest.otherThanTcp()).isZero();
            assertThat(guest.refused()).isZero();
        }
    }

    @ParameterizedTest
    @ValueSource(ints = {4, 6})
    void aStreamFitsANarrowPathByTheMssOfItsSyns(int inner) {
        int narrow = 1300;
        joinTwoHosts(4, narrow);
        try (var seen = FrameWatch.at(underlay.machine(SERVER), "eth0")) {
            transfer(inner);
            assertThat(seen.longestSegment()).isBetween(narrow - 100, narrow);
        }
        assertThat(datapaths.get(0).statistics().drops()).containsEntry("too-big", 0L);
    }

    /** The flow comes and goes while the stream runs: what misses is a super-packet, and user space sends it on whole. */
    @Test
    void superPacketsThatMissAreInjectedWhole() throws InterruptedException {
        joinTwoHosts(4, VM_MTU);
        EbpfDatapath datapath = datapaths.getFirst();
        var actions = tunnel(EbpfUnderlay.address(2), 2, VM_MTU);
        int port = datapath.ports().getFirst().port();
        var over = new AtomicBoolean();
        var worker = new MissingFlow(datapath, port, actions);
        try (var seen = FrameWatch.at(underlay.machine(SERVER), "eth0")) {
            var thread = Thread.ofPlatform().start(() -> worker.run(over));
            try {
                // A fast machine is through with one stream before the flow has gone often.
                for (int stream = 0; stream < STREAMS && worker.superPackets < SUPER_PACKETS; stream++) {
                    transfer(4);
                }
            } finally {
                over.set(true);
                thread.join();
            }
            assertThat(worker.superPackets).isGreaterThanOrEqualTo(SUPER_PACKETS);
            assertThat(seen.longest()).isGreaterThan(ETHERNET + VM_MTU);
        }
    }

    /** A worker that removes its flow after every few packets and puts it back at a miss. */
    private static final class MissingFlow {
        private static final long FLOW_NANOS = 2_000_000;

        final EbpfDatapath datapath;
        final int port;
        final ActionList actions;
        final WorkerPort seat;
        volatile int superPackets;
        long flowId = 1;
        boolean installed = true;

        MissingFlow(EbpfDatapath datapath, int port, ActionList actions) {
            this.datapath = datapath;
            this.port = port;
            this.actions = actions;
            seat = datapath.worker(0);
        }

        void run(AtomicBoolean over) {
            while (!over.get()) {
                if (installed) {
                    seat.remove(flowId);
                    installed = false;
                }
                seat.await(FLOW_NANOS);
                int done = seat.poll(
                        (segment, offset, length, inPort, tunnelKey, reason) -> {
                            if (length > ETHERNET + VM_MTU) {
                                superPackets++; // by this thread alone
                            }
                            seat.execute(segment, offset, length, inPort, actions);
                        },
                        64);
                if (done > 0) {
                    installed = tryInstall(datapath, port, ++flowId, actions) == WorkerPort.INSTALLED;
                    seat.await(FLOW_NANOS);
                }
            }
        }
    }
}
