package dev.weft.topology;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import com.google.protobuf.Message;
import dev.weft.topology.schema.Bridge;
import dev.weft.topology.schema.Host;
import dev.weft.topology.schema.Port;
import dev.weft.topology.schema.Route;
import dev.weft.topology.schema.Router;
import dev.weft.topology.schema.Tenant;
import java.util.ArrayList;
import java.util.List;
import java.util.UUID;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** What every store of the topology keeps: the in-memory twin and the one over ZooKeeper. */
abstract class TopologyStoreContract {
    static final Tenant TENANT = Samples.tenant("acme");
    static final Host HOST = Samples.host("h1", "10.255.0.1");
    static final Bridge BRIDGE = Samples.bridge(TENANT, "b");
    static final Router ROUTER = Samples.router(TENANT, "r");
    static final Port VM = Samples.port(BRIDGE, "vm").toBuilder()
            .setHostId(HOST.getId())
            .setInterface("eth1")
            .build();
    static final Port BRIDGE_SIDE = Samples.port(BRIDGE, "b-r");
    static final Port ROUTER_SIDE = Samples.port(ROUTER, "r-b", "10.0.1.1/24");
    static final Route ROUTE = Route.newBuilder()
            .setId(Samples.id("route", "x").toString())
            .setTenantId(TENANT.getId())
            .setRouterId(ROUTER.getId())
            .setName("x")
            .setDestination("10.0.9.0/24")
            .setPortId(ROUTER_SIDE.getId())
            .build();

    TopologyStore store;

    abstract TopologyStore open() throws Exception;

    @BeforeEach
    final void openStore() throws Exception {
        store = open();
    }

    @AfterEach
    final void closeStore() {
        store.close();
    }

    static Transaction put(Message... objects) {
        var builder = Transaction.builder();
        List.of(objects).forEach(builder::put);
        return builder.build();
    }

    static Transaction delete(Message object) {
        return Transaction.builder()
                .delete(object.getClass(), ObjectRef.of(object).id())
                .build();
    }

    private void putNetwork() {
        store.apply(put(
                TENANT,
                HOST,
                BRIDGE,
                ROUTER,
                VM,
                BRIDGE_SIDE.toBuilder().setPeerId(ROUTER_SIDE.getId()).build(),
                ROUTER_SIDE,
                ROUTE));
    }

    private <M extends Message> M stored(Class<M> type, Message object) {
        return store.snapshot().find(type, ObjectRef.of(object).id()).orElseThrow();
    }

    private void assertRefused(Transaction transaction, String... parts) {
        TopologySnapshot before = store.snapshot();
        assertThatThrownBy(() -> store.apply(transaction))
                .isInstanceOf(TopologyException.class)
                .satisfies(e -> assertThat(((TopologyException) e).problems()).isNotEmpty())
                .message()
                .contains(parts);
        assertThat(store.snapshot().changeNumber()).as("nothing half-applied").isEqualTo(before.changeNumber());
    }

    @Test
    void aNewStoreIsEmpty() {
        assertThat(store.snapshot().changeNumber()).isZero();
        assertThat(store.snapshot().ports()).isEmpty();
    }

    @Test
    void aTransactionIsOneChange() {
        assertThat(store.apply(put(TENANT, BRIDGE))).isEqualTo(1);
        assertThat(store.apply(put(ROUTER))).isEqualTo(2);
        TopologySnapshot now = store.snapshot();
        assertThat(now.changeNumber()).isEqualTo(2);
        assertThat(now.version(BRIDGE)).isEqualTo(1);
        assertThat(now.version(ROUTER)).isEqualTo(2);
        assertThat(now.named(Bridge.class, UUID.fromString(TENANT.getId()), "b"))
                .contains(BRIDGE);
    }

    @Test
    void writingWhatIsThereIsNoChange() {
        putNetwork();
        assertThat(store.apply(put(TENANT, BRIDGE))).isEqualTo(1);
        assertThat(store.snapshot().changeNumber()).isEqualTo(1);
    }

    @Test
    void textIsKeptInCanonicalForm() {
        putNetwork();
        Port port = Samples.port(ROUTER, "p", "FD00:1:0:0::1/64").toBuilder()
                .setMac("2:0:0:0:0:AB")
                .build();
        store.apply(put(port));
        assertThat(stored(Port.class, port).getAddresses(0)).isEqualTo("fd00:1::1/64");
        assertThat(stored(Port.class, port).getMac()).isEqualTo("02:00:00:00:00:ab");
    }

    @Test
    void listenersSeeTheCurrentSnapshotAndThenEachChangeInOrder() {
        store.apply(put(TENANT));
        var seen = new CopyOnWriteArrayList<TopologySnapshot>();
        var states = new CopyOnWriteArrayList<ConnectionState>();
        try (Watch watch = store.watch(new TopologyStore.Listener() {
            @Override
            public void changed(TopologySnapshot snapshot) {
                seen.add(snapshot);
            }

            @Override
            public void connection(ConnectionState state) {
                states.add(state);
            }
        })) {
            assertThat(watch).isNotNull();
            store.apply(put(BRIDGE));
            store.apply(put(ROUTER));
            await().until(() -> seen.size() == 3);
        }
        assertThat(seen).extracting(TopologySnapshot::changeNumber).containsExactly(1L, 2L, 3L);
        assertThat(states).containsExactly(ConnectionState.CONNECTED);
        store.apply(delete(ROUTER));
        assertThat(seen).as("after closing the watch").hasSize(3);
    }

    @Test
    void aListenerThatFailsDoesNotSilenceOthers() {
        var seen = new CopyOnWriteArrayList<Long>();
        try (Watch bad = store.watch(snapshot -> {
                    throw new IllegalStateException("listener of a test");
                });
                Watch good = store.watch(snapshot -> seen.add(snapshot.changeNumber()))) {
            assertThat(List.of(bad, good)).hasSize(2);
            store.apply(put(TENANT));
            await().until(() -> seen.contains(1L));
        }
    }

    @Test
    void versionsGuardAgainstOthers() {
        store.apply(put(TENANT, BRIDGE));
        store.apply(put(BRIDGE.toBuilder().setName("other").build()));
        assertRefused(
                Transaction.builder().put(BRIDGE, 1).build(),
                "bridge 'b': version '2': changed meanwhile (expected version 1)");
        assertRefused(Transaction.builder().create(BRIDGE).build(), "exists already (expected a new object)");
        assertRefused(Transaction.builder().put(ROUTER, 7).build(), "router 'r': version '0': does not exist");
        var kind = Schema.kindOf(Bridge.class);
        assertRefused(Transaction.builder().delete(kind, kind.idOf(BRIDGE), 1).build(), "version");
        assertThat(store.apply(Transaction.builder().put(BRIDGE, 2).build())).isEqualTo(3);
    }

    @Test
    void aRefusedTransactionChangesNothing() {
        store.apply(put(TENANT));
        Bridge dangling = Samples.bridge(Samples.tenant("nobody"), "x");
        assertRefused(
                put(BRIDGE, dangling),
                "bridge 'x': tenant '" + dangling.getTenantId() + "': does not exist (expected an existing tenant)");
        assertThat(store.snapshot().bridges()).isEmpty();
    }

    @Test
    void requiredAndWellFormedFieldsAreDemandedTogether() {
        store.apply(put(TENANT));
        Host host =
                HOST.toBuilder().setUnderlay("10.0.0.300").setName("Host One").build();
        assertRefused(
                put(BRIDGE.toBuilder().clearName().build(), host),
                "name: missing (expected 1 to 63 of",
                "underlay '10.0.0.300': expected an address",
                "name 'Host One': expected");
        assertRefused(put(BRIDGE.toBuilder().setId("7").build()), "id '7': expected a UUID");
    }

    @Test
    void referencesStayInsideTheTenant() {
        putNetwork();
        Tenant other = Samples.tenant("other");
        Bridge theirs = Samples.bridge(other, "t");
        store.apply(put(other, theirs));
        Port port = Samples.port(theirs, "p").toBuilder()
                .setPeerId(BRIDGE_SIDE.getId())
                .build();
        assertRefused(put(port), "port 'p': peer 'b-r': belongs to another tenant");
        Port stray = Samples.port(BRIDGE, "q").toBuilder()
                .setBridgeId(theirs.getId())
                .build();
        assertRefused(put(stray), "bridge 't': belongs to another tenant");
    }

    @Test
    void peersPointAtEachOther() {
        putNetwork();
        assertThat(stored(Port.class, ROUTER_SIDE).getPeerId()).isEqualTo(BRIDGE_SIDE.getId());
        store.apply(put(BRIDGE_SIDE));
        assertThat(stored(Port.class, ROUTER_SIDE).getPeerId())
                .as("freed on both sides")
                .isEmpty();
    }

    @Test
    void aPeerCannotBeStolen() {
        putNetwork();
        Port thief = Samples.port(BRIDGE, "thief").toBuilder()
                .setPeerId(ROUTER_SIDE.getId())
                .build();
        assertRefused(put(thief), "port 'thief': peer 'r-b': is taken: its peer is 'b-r'");
        store.apply(put(thief, BRIDGE_SIDE));
        assertThat(stored(Port.class, ROUTER_SIDE).getPeerId())
                .as("given up in the same transaction")
                .isEqualTo(thief.getId());
    }

    @Test
    void aPortIsNotItsOwnPeer() {
        putNetwork();
        assertRefused(
                put(VM.toBuilder()
                        .clearHostId()
                        .clearInterface()
                        .setPeerId(VM.getId())
                        .build()),
                "a port cannot be its own peer");
    }

    @Test
    void bridgesMayBePeersOfBridgesAndRoutersOfRouters() {
        putNetwork();
        Bridge second = Samples.bridge(TENANT, "b2");
        Router other = Samples.router(TENANT, "r2");
        Port link = Samples.port(BRIDGE, "l1");
        Port back =
                Samples.port(second, "l2").toBuilder().setPeerId(link.getId()).build();
        Port transit = Samples.port(ROUTER, "t1", "10.9.0.1/31");
        Port transitBack = Samples.port(other, "t2", "10.9.0.0/31").toBuilder()
                .setPeerId(transit.getId())
                .build();
        store.apply(put(second, other, link, back, transit, transitBack));
        assertThat(stored(Port.class, link).getPeerId()).isEqualTo(back.getId());
        assertThat(stored(Port.class, transit).getPeerId()).isEqualTo(transitBack.getId());
    }

    @Test
    void anInterfaceIsBoundOnce() {
        putNetwork();
        Port second = VM.toBuilder()
                .setId(Samples.id("port", "second").toString())
                .setName("second")
                .build();
        assertRefused(put(second), "port 'second': interface 'eth1': is already that of port 'vm'");
        store.apply(put(second.toBuilder().setNamespace("ns1").build()));
        store.apply(Transaction.builder()
                .put(VM.toBuilder().setNamespace("ns1").build())
                .put(second)
                .build());
        assertThat(stored(Port.class, second).getNamespace())
                .as("swapped in one")
                .isEmpty();
    }

    @Test
    void namesAreUniqueWithinTenantAndKind() {
        putNetwork();
        Bridge twin = BRIDGE.toBuilder().setId(Samples.id("x", "y").toString()).build();
        assertRefused(put(twin), "bridge 'b': name 'b': is already that of bridge 'b'");
        store.apply(put(twin, BRIDGE.toBuilder().setName("renamed").build()));
        assertThat(store.snapshot().named(Bridge.class, UUID.fromString(TENANT.getId()), "b"))
                .contains(twin);
        assertThat(store.snapshot().named(Bridge.class, UUID.fromString(TENANT.getId()), "renamed"))
                .isPresent();
    }

    @Test
    void portsKeepTheirRules() {
        putNetwork();
        Port neither = VM.toBuilder().clearBridgeId().build();
        assertRefused(put(neither), "on exactly one bridge or router (found neither)");
        assertRefused(put(VM.toBuilder().clearInterface().build()), "interface: missing");
        assertRefused(
                put(VM.toBuilder().setPeerId(ROUTER_SIDE.getId()).build(), BRIDGE_SIDE), "a peer or a host, not both");
        assertRefused(
                put(BRIDGE_SIDE.toBuilder()
                        .setPeerId(ROUTER_SIDE.getId())
                        .addAddresses("10.0.0.1/24")
                        .build()),
                "only router ports and ports with a host");
        assertRefused(put(VM.toBuilder().setNamespace("a b").build()), "expected a name under /run/netns");
        assertRefused(put(ROUTER_SIDE.toBuilder().clearAddresses().build()), "a router port has at least one");
        assertRefused(
                put(Samples.port(ROUTER, "wide", "10.0.0.1/16")),
                "overlaps 10.0.1.0/24 of port 'r-b' on the same router");
    }

    @Test
    void routesKeepTheirRules() {
        putNetwork();
        assertRefused(put(ROUTE.toBuilder().clearPortId().build()), "a forward route names the port");
        assertRefused(put(ROUTE.toBuilder().setPortId(VM.getId()).build()), "is not on the route's router");
        assertRefused(put(ROUTE.toBuilder().setAction(Route.Action.REJECT).build()), "a reject route goes nowhere");
        assertRefused(put(ROUTE.toBuilder().setGateway("fd00::1").build()), "expected an IPv4 address");
        assertRefused(put(ROUTE.toBuilder().setWeight(256).build()), "expected 1..255");
        Router other = Samples.router(TENANT, "r2");
        assertRefused(
                put(other, ROUTER_SIDE.toBuilder().setRouterId(other.getId()).build()),
                "route 'x': port 'r-b': is not on the route's router");
    }

    @Test
    void deletingFollowsTheSchema() {
        putNetwork();
        store.apply(delete(ROUTER));
        assertThat(store.snapshot().routes()).isEmpty();
        assertThat(store.snapshot().find(Port.class, ObjectRef.of(ROUTER_SIDE).id()))
                .isEmpty();
        assertThat(stored(Port.class, BRIDGE_SIDE).getPeerId()).as("cleared").isEmpty();
        store.apply(delete(HOST));
        assertThat(stored(Port.class, VM).getHostId()).isEmpty();
        assertThat(stored(Port.class, VM).getInterface())
                .as("goes with the host")
                .isEmpty();
        store.apply(delete(TENANT));
        assertThat(store.snapshot().ports()).isEmpty();
        assertThat(store.snapshot().bridges()).isEmpty();
    }

    @Test
    void deletingWhatSomethingNewRefersToIsRefused() {
        putNetwork();
        var transaction = Transaction.builder()
                .delete(Bridge.class, ObjectRef.of(BRIDGE).id())
                .put(Samples.port(BRIDGE, "fresh"))
                .build();
        assertRefused(transaction, "port 'fresh': bridge", "does not exist");
        assertRefused(delete(Samples.bridge(TENANT, "never")), "does not exist");
    }

    @Test
    void oldSnapshotsStayAsTheyWere() {
        putNetwork();
        TopologySnapshot old = store.snapshot();
        store.apply(delete(TENANT));
        assertThat(old.bridges()).hasSize(1);
        assertThat(old.port(ObjectRef.of(VM).id())).isPresent();
        assertThat(store.snapshot().bridges()).isEmpty();
    }

    @Test
    void writersAtTheSameTimeAllGetThrough() throws Exception {
        store.apply(put(TENANT));
        try (var threads = Executors.newVirtualThreadPerTaskExecutor()) {
            var changes = new ArrayList<Future<Long>>();
            for (int i = 0; i < 20; i++) {
                Bridge bridge = Samples.bridge(TENANT, "b" + i);
                changes.add(threads.submit(() -> store.apply(put(bridge))));
            }
            var numbers = new ArrayList<Long>();
            for (Future<Long> change : changes) {
                numbers.add(change.get());
            }
            assertThat(numbers).doesNotHaveDuplicates().hasSize(20);
        }
        assertThat(store.snapshot().bridges()).hasSize(20);
        assertThat(store.snapshot().changeNumber()).isEqualTo(21);
    }
}
