package dev.weft.datapath.link;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import dev.weft.base.IpAddress;
import dev.weft.base.IpPrefix;
import dev.weft.base.MacAddress;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.DatagramChannel;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

final class LinksIT {
    // Closed in reverse, as far as a skipped set-up got.
    private final Deque<AutoCloseable> opened = new ArrayDeque<>();
    private TestNamespace a;
    private TestNamespace b;
    private Links inA;
    private Links inB;

    @BeforeEach
    void joinTwoNamespaces() {
        a = opened(TestNamespace.create());
        b = opened(TestNamespace.create());
        inA = opened(Links.in(a.namespace()));
        inB = opened(Links.in(b.namespace()));
        inA.createVeth("x0", "x1", b.namespace());
    }

    @AfterEach
    void close() throws Exception {
        while (!opened.isEmpty()) {
            opened.pop().close();
        }
    }

    private <T extends AutoCloseable> T opened(T resource) {
        opened.push(resource);
        return resource;
    }

    @Test
    void vethHasItsEndsInTwoNamespaces() {
        var near = inA.get("x0");
        var far = inB.get("x1");
        assertThat(near.kind()).isEqualTo("veth");
        assertThat(near.up()).isFalse();
        assertThat(near.mac()).isPresent();
        assertThat(near.peerIfindex()).hasValue(far.ifindex());
        assertThat(near.peerNamespaceId()).isPresent();
        assertThat(inA.find("x1")).isEmpty();
        assertThat(inA.find(near.ifindex())).contains(near);
        assertThat(inA.list()).extracting(Link::name).containsExactlyInAnyOrder("lo", "x0");
    }

    @Test
    void runningMeansBothEndsAreUp() {
        inA.setUp("x0");
        assertThat(inA.get("x0").up()).isTrue();
        assertThat(inA.get("x0").running()).isFalse();
        inB.setUp("x1");
        await().atMost(Duration.ofSeconds(5))
                .untilAsserted(() -> assertThat(inA.get("x0").running()).isTrue());
        inA.setDown("x0");
        assertThat(inA.get("x0").up()).isFalse();
    }

    @Test
    void mtuAndMacAreSet() {
        inA.setMtu("x0", 8950);
        inA.setMac("x0", MacAddress.parse("02:00:00:00:0a:01"));
        assertThat(inA.get("x0").mtu()).isEqualTo(8950);
        assertThat(inA.get("x0").mac()).contains(MacAddress.parse("02:00:00:00:0a:01"));
    }

    @Test
    void refusalTellsWhatWasTriedAndTheKernelsWords() {
        assertThatThrownBy(() -> inA.setMtu("x0", 10))
                .isInstanceOf(LinkException.class)
                .hasMessageContaining("set mtu 10 on x0")
                .hasMessageContaining("EINVAL")
                .hasMessageContaining("mtu less than device minimum");
        assertThatThrownBy(() -> inA.setUp("nope"))
                .hasMessageContaining("set link nope up")
                .hasMessageContaining("ENODEV");
        assertThatThrownBy(() -> inA.createVeth("x0", "x9")).hasMessageContaining("EEXIST");
        assertThatThrownBy(() -> inA.get("a-name-of-16-byt")).isInstanceOf(IllegalArgumentException.class);
    }

    @Test
    void movedLinkIsThereAndNoLongerHere() {
        inA.createVeth("y0", "y1");
        inA.move("y1", b.namespace());
        assertThat(inA.find("y1")).isEmpty();
        assertThat(inB.find("y1")).isPresent();
        inA.delete("y0");
        assertThat(inB.find("y1")).isEmpty();
    }

    @Test
    void addressesOfBothFamiliesComeAndGo() {
        var four = InterfaceAddress.parse("10.0.0.1/24");
        var six = InterfaceAddress.parse("fd00::1/64").withoutDuplicateDetection();
        inA.setUp("x0");
        inB.setUp("x1");
        inA.addAddress("x0", four);
        inA.addAddress("x0", six);
        assertThat(inA.addresses("x0")).extracting(InterfaceAddress::toString).contains("10.0.0.1/24", "fd00::1/64");
        assertThat(inA.addresses("x0"))
                .filteredOn(found -> found.sameAs(six))
                .singleElement()
                .matches(found -> !found.tentative(), "usable at once");
        assertThat(inA.addresses("lo")).noneMatch(found -> found.sameAs(four));
        assertThatThrownBy(() -> inA.addAddress("x0", four)).hasMessageContaining("EEXIST");
        inA.deleteAddress("x0", four);
        inA.deleteAddress("x0", six);
        assertThat(inA.addresses("x0")).noneMatch(found -> found.sameAs(four) || found.sameAs(six));
    }

    @Test
    void routesAreAddedFoundAndDeleted() {
        connect();
        inA.addRoute(IpPrefix.parse("10.9.0.0/16"), IpAddress.parse("10.0.0.2"), "x0");
        inA.addRoute(IpPrefix.parse("fd09::/32"), IpAddress.parse("fd00::2"), "x0");
        inA.addRoute(IpPrefix.parse("10.8.0.0/16"), "x0");
        int ifindex = inA.get("x0").ifindex();
        assertThat(inA.routes())
                .filteredOn(route -> route.destination().equals(IpPrefix.parse("fd09::/32")))
                .singleElement()
                .satisfies(route -> {
                    assertThat(route.table()).isEqualTo(KernelRoute.MAIN_TABLE);
                    assertThat(route.hops())
                            .containsExactly(new KernelRoute.NextHop(ifindex, Optional.of(IpAddress.parse("fd00::2"))));
                });
        var destinations = inA.routes().stream().map(KernelRoute::destination).toList();
        assertThat(destinations).contains(IpPrefix.parse("10.9.0.0/16"), IpPrefix.parse("10.8.0.0/16"));
        inA.deleteRoute(IpPrefix.parse("10.9.0.0/16"), "x0");
        inA.deleteRoute(IpPrefix.parse("fd09::/32"), "x0");
        inA.deleteRoute(IpPrefix.parse("10.8.0.0/16"), "x0");
        assertThat(inA.pathTo(IpAddress.parse("10.9.1.1"))).isEmpty();
        assertThat(inA.pathTo(IpAddress.parse("fd09::1"))).isEmpty();
    }

    @Test
    void pathTellsLinkGatewaySourceAndMtu() {
        connect();
        inA.addRoute(IpPrefix.parse("0.0.0.0/0"), IpAddress.parse("10.0.0.2"), "x0");
        inA.addRoute(IpPrefix.parse("::/0"), IpAddress.parse("fd00::2"), "x0");
        var near = inA.pathTo(IpAddress.parse("10.0.0.2")).orElseThrow();
        assertThat(near.gateway()).isEmpty();
        assertThat(near.source()).contains(IpAddress.parse("10.0.0.1"));
        assertThat(near.link().name()).isEqualTo("x0");
        assertThat(near.mtu()).isEqualTo(1500);
        assertThat(near.local()).isFalse();
        assertThat(inA.pathTo(IpAddress.parse("192.0.2.1")).orElseThrow().gateway())
                .contains(IpAddress.parse("10.0.0.2"));
        var six = inA.pathTo(IpAddress.parse("2001:db8::1")).orElseThrow();
        assertThat(six.gateway()).contains(IpAddress.parse("fd00::2"));
        assertThat(six.source()).contains(IpAddress.parse("fd00::1"));
        assertThat(inA.pathTo(IpAddress.parse("10.0.0.1")).orElseThrow().local())
                .isTrue();
    }

    @Test
    void neighbourIsKnownAfterTraffic() throws Exception {
        connect();
        try (var channel = a.namespace().<DatagramChannel, IOException>call(DatagramChannel::open)) {
            channel.send(ByteBuffer.wrap(new byte[1]), new InetSocketAddress("10.0.0.2", 9));
        }
        var mac = inB.get("x1").mac();
        await().atMost(Duration.ofSeconds(5))
                .untilAsserted(() -> assertThat(inA.neighbours())
                        .filteredOn(entry -> entry.address().equals(IpAddress.parse("10.0.0.2")))
                        .singleElement()
                        .satisfies(entry -> {
                            assertThat(entry.usable()).isTrue();
                            assertThat(entry.mac()).isEqualTo(mac);
                        }));
    }

    @Test
    void offloadsAreSwitched() {
        assertThat(inA.offload("x0", Offload.TX_CHECKSUM)).isTrue();
        inA.setOffload("x0", Offload.TSO, false);
        assertThat(inA.offload("x0", Offload.TSO)).isFalse();
        inA.setOffload("x0", Offload.TX_CHECKSUM, false);
        assertThat(inA.offload("x0", Offload.TX_CHECKSUM)).isFalse();
        assertThat(inB.offload("x1", Offload.TX_CHECKSUM)).isTrue();
        assertThatThrownBy(() -> inA.offload("nope", Offload.GRO)).hasMessageContaining("ENODEV");
    }

    @Test
    void largeDumpsArriveWhole() {
        for (int i = 0; i < 150; i++) {
            inA.createVeth("m" + i, "n" + i);
        }
        assertThat(inA.list()).hasSize(302);
    }

    @Test
    void closedSocketIsToldAsSuch() {
        inA.close();
        assertThatThrownBy(() -> inA.list()).isInstanceOf(LinkException.class).hasMessageContaining("closed");
    }

    private void connect() {
        inA.setUp("x0");
        inB.setUp("x1");
        inA.addAddress("x0", InterfaceAddress.parse("10.0.0.1/24"));
        inB.addAddress("x1", InterfaceAddress.parse("10.0.0.2/24"));
        inA.addAddress("x0", InterfaceAddress.parse("fd00::1/64").withoutDuplicateDetection());
        inB.addAddress("x1", InterfaceAddress.parse("fd00::2/64").withoutDuplicateDetection());
    }

    @Test
    void peerInAnotherNamespaceIsTold() {
        assertThat(inA.get("x0").leadsToAnotherNamespace()).isTrue();
        inA.createVeth("y0", "y1");
        assertThat(inA.get("y0").leadsToAnotherNamespace()).isFalse();
        assertThat(inA.get("lo").leadsToAnotherNamespace()).isFalse();
    }

    @Test
    void vxlanTakesItsRemoteFromEachPacketAndLearnsNothing() throws Exception {
        inA.createVxlan("v0", 4789, 1450);
        assertThat(inA.get("v0").kind()).isEqualTo("vxlan");
        assertThat(inA.get("v0").mtu()).isEqualTo(1450);
        assertThat(ip(a, "-d", "link", "show", "v0"))
                .contains("external", "nolearning", "dstport 4789", "udp6zerocsumtx", "udp6zerocsumrx");
        inA.setUp("v0");
        assertThatThrownBy(() -> inA.createVxlan("v1", 4789, 1450))
                .isInstanceOf(LinkException.class)
                .hasMessageContaining("create vxlan v1 on UDP port 4789 with mtu 1450")
                .hasMessageContaining("EEXIST");
    }

    @Test
    void linkWithoutIpv6AddressStaysWithoutWhenItIsUp() throws Exception {
        inA.createVeth("y0", "y1");
        inA.withoutIpv6Address("y0");
        for (String name : new String[] {"x0", "y0", "y1"}) {
            inA.setUp(name);
        }
        inB.setUp("x1");
        await().atMost(Duration.ofSeconds(10))
                .untilAsserted(() -> assertThat(inA.addresses("x0")).isNotEmpty());
        assertThat(inA.addresses("y1")).isNotEmpty();
        assertThat(inA.addresses("y0")).isEmpty();
    }

    @Test
    void neighbourIsAskedForWithoutAnyPacketOfOurs() {
        inA.addAddress("x0", InterfaceAddress.parse("10.0.0.1/24"));
        inB.addAddress("x1", InterfaceAddress.parse("10.0.0.2/24"));
        inA.setUp("x0");
        inB.setUp("x1");
        var far = IpAddress.parse("10.0.0.2");
        inA.useNeighbour(far, inA.get("x0").ifindex());
        await().atMost(Duration.ofSeconds(10))
                .untilAsserted(() -> assertThat(inA.neighbours())
                        .anyMatch(found -> found.address().equals(far)
                                && found.usable()
                                && found.mac().equals(inB.get("x1").mac())));
    }

    private static String ip(TestNamespace space, String... arguments) throws Exception {
        var command = new ArrayList<>(List.of("nsenter", "--net=" + space.outsidePath(), "ip"));
        command.addAll(List.of(arguments));
        var process = new ProcessBuilder(command).redirectErrorStream(true).start();
        String output = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        assertThat(process.waitFor()).as(output).isZero();
        return output;
    }
}
