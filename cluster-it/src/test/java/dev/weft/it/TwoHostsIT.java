package dev.weft.it;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assumptions.assumeThat;
import static org.awaitility.Awaitility.await;

import dev.weft.agent.lab.Commands;
import dev.weft.agent.lab.Vm;
import dev.weft.agent.lab.WeftProcess;
import dev.weft.agent.socket.Json;
import dev.weft.datapath.link.Links;
import dev.weft.datapath.link.NetworkNamespace;
import dev.weft.datapath.link.Offload;
import dev.weft.sim.packet.Frames;
import dev.weft.sim.packet.Tshark;
import java.io.IOException;
import java.net.DatagramPacket;
import java.net.DatagramSocket;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.security.MessageDigest;
import java.time.Duration;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.stream.Collectors;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.MethodOrderer;
import org.junit.jupiter.api.Order;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestMethodOrder;

/**
 * Two hosts, an agent process on each over {@code userspace}, two tenants with the same addresses: bridge, router,
 * bridge. The tests share the set-up; those that need a flow not to be there yet come first.
 */
@TestMethodOrder(MethodOrderer.OrderAnnotation.class)
class TwoHostsIT {
    private static final Duration SOON = Duration.ofSeconds(20);
    private static final String MAC_A = "02:00:00:00:01:05";
    private static final String MAC_B = "02:00:00:00:02:09";
    private static final String MAC_D = "02:00:00:00:01:08";
    private static final String LEFT_GATEWAY = "02:00:00:00:ff:01";
    private static final String RIGHT_GATEWAY = "02:00:00:00:ff:02";
    private static final int DOWNLOAD_BYTES = 4 << 20;

    private static TestCloud cloud;
    private static Vm a;
    private static Vm b;

    @BeforeAll
    static void build() {
        cloud = TestCloud.withHosts(Duration.ofSeconds(6), "h1", "h2");
        for (String tenant : List.of("red", "blue")) {
            cloud.vm("h1", tenant + "-a", MAC_A, "10.0.1.5/24", "fd00:1::5/64");
            cloud.vm("h2", tenant + "-b", MAC_B, "10.0.2.9/24", "fd00:2::9/64");
        }
        cloud.vm("h2", "red-c", "02:00:00:00:01:07", "10.0.1.7/24", "fd00:1::7/64");
        cloud.vm("h2", "red-d", MAC_D, "10.0.1.8/24", "fd00:1::8/64");
        a = cloud.vm("red-a");
        b = cloud.vm("red-b");
        cloud.start();
        cloud.apply(tenant("red", """
                  - {name: c, bridge: left, host: h2, interface: %s, stateful: true}
                  - {name: d, bridge: left, host: h2, interface: %s}
                """.formatted(
                        cloud.vm("red-c").hostInterface(), cloud.vm("red-d").hostInterface())));
        cloud.apply(tenant("blue", ""));
    }

    private static String tenant(String name, String morePorts) {
        return """
                tenant: %s
                bridges: [{name: left}, {name: right}]
                routers: [{name: router}]
                ports:
                  - {name: a, bridge: left, host: h1, interface: %s}
                  - {name: b, bridge: right, host: h2, interface: %s}
                  - {name: left-up, bridge: left, peer: left-gateway}
                  - {name: right-up, bridge: right, peer: right-gateway}
                  - {name: left-gateway, router: router, mac: "%s", addresses: [10.0.1.1/24, "fd00:1::1/64"]}
                  - {name: right-gateway, router: router, mac: "%s", addresses: [10.0.2.1/24, "fd00:2::1/64"]}
                %s""".formatted(
                        name,
                        cloud.vm(name + "-a").hostInterface(),
                        cloud.vm(name + "-b").hostInterface(),
                        LEFT_GATEWAY,
                        RIGHT_GATEWAY,
                        morePorts);
    }

    @AfterAll
    static void close() {
        if (cloud != null) {
            cloud.close();
        }
    }

    @Test
    @Order(1)
    void theFirstPacketArrivesAddressResolutionIncluded() {
        assertThat(TestCloud.run(a, "ping", "-n", "-c", "1", "-W", "3", "10.0.2.9"))
                .as(cloud::logs)
                .returns(true, Commands.Result::ok);
        assertThat(cloud.status("h2").number("egress-upcalls"))
                .as("upcalls where it left, the router's question for b's MAC included")
                .isZero();
    }

    @Test
    @Order(2)
    void theFirstPacketArrivesOverIpv6() {
        assertThat(TestCloud.run(a, "ping", "-n", "-c", "1", "-W", "3", "fd00:2::9"))
                .returns(true, Commands.Result::ok);
    }

    @Test
    @Order(3)
    void theFirstPacketOfANewFlowCausesNoUpcallWhereItLeaves() throws IOException {
        long upcalls = cloud.status("h2").number("datapath-counters", "tunnel-upcalls");
        long delivered = cloud.status("h2").number("datapath-counters", "delivered");

        exchangeUdp("10.0.1.5", "10.0.2.9", 7001);
        exchangeUdp("fd00:1::5", "fd00:2::9", 7001);

        assertThat(cloud.status("h2").number("datapath-counters", "tunnel-upcalls"))
                .isEqualTo(upcalls);
        assertThat(cloud.status("h2").number("datapath-counters", "delivered")).isGreaterThanOrEqualTo(delivered + 2);
    }

    @Test
    @Order(4)
    void theSecondPacketAndOneEqualUnderItsMaskCauseNoUpcall() {
        assertThat(TestCloud.ping(a, "10.0.2.9")).isTrue();
        // VMs probe their gateways in between, and that costs an upcall: so one round without any is what counts.
        await().atMost(SOON).untilAsserted(() -> {
            long before = misses();
            // Each ping has an identifier of its own: another packet under the same mask.
            for (int i = 0; i < 3; i++) {
                assertThat(TestCloud.ping(a, "10.0.2.9")).isTrue();
            }
            assertThat(misses()).isEqualTo(before);
        });
    }

    private static long misses() {
        return cloud.status("h1").number("datapath-counters", "misses")
                + cloud.status("h2").number("datapath-counters", "misses");
    }

    @Test
    void theWireIsRightToAnIndependentParser() throws IOException, InterruptedException {
        assumeThat(Tshark.isPresent()).as("tshark is installed").isTrue();
        try (var atVm = Capture.at(b, "eth0");
                var underlay = Capture.at(cloud.host("h2"), "underlay0")) {
            assertThat(TestCloud.ping(a, "10.0.2.9")).isTrue();
            exchangeUdp("10.0.1.5", "10.0.2.9", 7002);
            exchangeUdp("fd00:1::5", "fd00:2::9", 7002);

            List<byte[]> received =
                    atVm.frames().stream().filter(TwoHostsIT::isFromA).toList();
            assertThat(dissect(received))
                    .contains(
                            MAC_B + "|" + RIGHT_GATEWAY + "|10.0.1.5|63|||1|1||",
                            MAC_B + "|" + RIGHT_GATEWAY + "|10.0.1.5|63|||1||1|7002",
                            MAC_B + "|" + RIGHT_GATEWAY + "|||fd00:1::5|63|||1|7002")
                    .allSatisfy(line -> assertThat(line).startsWith(MAC_B + "|" + RIGHT_GATEWAY));

            List<byte[]> tunnelled = underlay.tunnelFrames();
            assertThat(tunnelled.stream().map(Capture::inner).toList())
                    .as("the underlay carries what the VM got")
                    .usingElementComparator(Arrays::compare)
                    .containsAll(received);
            assertThat(Tshark.fields(cloud.folder(), tunnelled, "ip.src", "udp.dstport", "vxlan.flags", "vxlan.vni"))
                    .hasSameSizeAs(tunnelled)
                    .allSatisfy(
                            line -> assertThat(line).startsWith("172.16.0.1").contains("4789", "0x0800"));
            assertThat(received)
                    .allSatisfy(frame -> assertThat(tunnelled)
                            .filteredOn(outer -> Arrays.equals(Capture.inner(outer), frame))
                            .extracting(Capture::tunnelKey)
                            .as("one key leads to one port")
                            .containsOnly(keyOfB(tunnelled, received)));
        }
    }

    private static int keyOfB(List<byte[]> tunnelled, List<byte[]> received) {
        int key = tunnelled.stream()
                .filter(outer -> Arrays.equals(Capture.inner(outer), received.getFirst()))
                .mapToInt(Capture::tunnelKey)
                .findFirst()
                .orElseThrow();
        assertThat(key).isBetween(1, 0xff_fffe);
        return key;
    }

    /** Destination and source MAC, then per family source and TTL, then checksum states (1: good) and UDP's port. */
    private static List<String> dissect(List<byte[]> frames) throws IOException, InterruptedException {
        return Tshark.fields(
                        cloud.folder(),
                        frames,
                        "eth.dst",
                        "eth.src",
                        "ip.src",
                        "ip.ttl",
                        "ipv6.src",
                        "ipv6.hlim",
                        "ip.checksum.status",
                        "icmp.checksum.status",
                        "udp.checksum.status",
                        "udp.dstport")
                .stream()
                .map(line -> line.replace('\t', '|'))
                .toList();
    }

    @Test
    void aDownloadArrivesAsItIs() throws Exception {
        download("10.0.2.9", 80);
        download("[fd00:2::9]", 81);
    }

    private static void download(String address, int port) throws Exception {
        Path shop = Files.createDirectories(cloud.folder().resolve("www"));
        byte[] content = new byte[DOWNLOAD_BYTES];
        new Random(port).nextBytes(content);
        Files.write(shop.resolve("file"), content);
        String expected =
                HexFormat.of().formatHex(MessageDigest.getInstance("SHA-256").digest(content));
        try (WeftProcess server = cloud.program(
                b, "httpd", "busybox", "httpd", "-f", "-p", address + ":" + port, "-h", shop.toString())) {
            Commands.Result got = TestCloud.run(
                    a,
                    "sh",
                    "-c",
                    "curl -gsS --retry 20 --retry-connrefused --retry-delay 1 --max-time 15 http://" + address + ":"
                            + port + "/file | sha256sum");

            assertThat(got.output()).as(server::output).startsWith(expected);
        }
    }

    @Test
    void framesOfTheFullMtuPass() {
        assertThat(TestCloud.run(a, "ping", "-n", "-c", "1", "-W", "3", "-M", "do", "-s", "1472", "10.0.2.9"))
                .returns(true, Commands.Result::ok);
        assertThat(TestCloud.run(a, "ping", "-n", "-c", "1", "-W", "3", "-s", "1452", "fd00:2::9"))
                .returns(true, Commands.Result::ok);
    }

    @Test
    void fragmentsPass() {
        assertThat(TestCloud.run(a, "ping", "-n", "-c", "1", "-W", "3", "-s", "4000", "10.0.2.9"))
                .returns(true, Commands.Result::ok);
    }

    @Test
    void aPacketWithoutHopsLeftIsAnsweredByTheRouter() {
        Commands.Result v4 = TestCloud.run(a, "ping", "-n", "-c", "1", "-W", "3", "-t", "1", "10.0.2.9");
        Commands.Result v6 = TestCloud.run(a, "ping", "-n", "-c", "1", "-W", "3", "-t", "1", "fd00:2::9");

        assertThat(v4.output()).contains("From 10.0.1.1", "Time to live exceeded");
        assertThat(v6.output()).contains("From fd00:1::1", "Time exceeded");
    }

    @Test
    void theRouterAnswersEchoItself() {
        assertThat(TestCloud.ping(a, "10.0.1.1")).isTrue();
        assertThat(TestCloud.ping(a, "fd00:2::1")).isTrue();
    }

    @Test
    void aStatefulPortLetsInAnswersOnly() {
        Vm c = cloud.vm("red-c");
        assertThat(TestCloud.ping(c, "10.0.1.5"))
                .as("c begins, over its bridge")
                .isTrue();
        assertThat(TestCloud.ping(c, "10.0.2.9"))
                .as("c begins, over the router")
                .isTrue();
        assertThat(TestCloud.ping(c, "fd00:1::5")).as("c begins, IPv6").isTrue();

        try (var atC = Capture.at(c, "eth0")) {
            assertThat(TestCloud.run(a, "ping", "-n", "-c", "1", "-W", "1", "10.0.1.7"))
                    .as("a begins")
                    .returns(false, Commands.Result::ok);
            assertThat(atC.frames()).noneMatch(TwoHostsIT::isIpv4);
        }
    }

    /** Other frames, as answers to b's own probes, were made at its host. */
    private static boolean isFromA(byte[] frame) {
        String text = HexFormat.of().formatHex(frame);
        return text.startsWith("0a000105", 2 * 26) || text.startsWith("fd000001000000000000000000000005", 2 * 22);
    }

    private static boolean isIpv4(byte[] frame) {
        return ByteBuffer.wrap(frame).getShort(12) == 0x0800;
    }

    @Test
    void tenantsWithTheSameAddressesAreApart() {
        Vm blueA = cloud.vm("blue-a");
        cloud.in(cloud.vm("blue-b"), "addr add 10.0.2.66/24 dev eth0");
        try (var atBlueB = Capture.at(cloud.vm("blue-b"), "eth0")) {
            assertThat(TestCloud.ping(a, "10.0.2.9")).isTrue();
            assertThat(TestCloud.run(a, "ping", "-n", "-c", "1", "-W", "1", "10.0.2.66"))
                    .as("red asks for an address that only blue has")
                    .returns(false, Commands.Result::ok);
            assertThat(atBlueB.frames()).as("blue hears nothing of it").isEmpty();

            assertThat(TestCloud.ping(blueA, "10.0.2.66")).isTrue();
            assertThat(TestCloud.ping(blueA, "10.0.2.9")).isTrue();
            assertThat(atBlueB.frames()).isNotEmpty();
        }
    }

    @Test
    void taggedFramesPassAsTheyAre() {
        byte[] tagged = Frames.udp("192.0.2.5:1000", "192.0.2.8:2000")
                .from(MAC_A)
                .to(MAC_D)
                .vlan(0x6005)
                .payload("tagged".getBytes(StandardCharsets.US_ASCII))
                .bytes();
        try (var atD = Capture.at(cloud.vm("red-d"), "eth0");
                var fromA = Capture.at(a, "eth0")) {
            fromA.send(tagged);

            await().atMost(SOON)
                    .untilAsserted(() -> assertThat(atD.frames())
                            .usingElementComparator(Arrays::compare)
                            .contains(tagged));
        }
    }

    @Test
    void anUnknownTunnelSourceIsRefusedAndCounted() throws IOException {
        long before = cloud.status("h1").counter("drops", "unknown-peer");

        sendTunnelFrame(cloud.fabricNamespace(), 0x12_3456);

        await().atMost(SOON)
                .untilAsserted(() -> assertThat(cloud.status("h1").counter("drops", "unknown-peer"))
                        .isEqualTo(before + 1));
    }

    @Test
    void anUnknownTunnelKeyIsRefusedAndCounted() throws IOException {
        long before = cloud.status("h1").counter("drops", "stale-key");

        sendTunnelFrame(cloud.host("h2").namespace(), 0xab_cdef);

        await().atMost(SOON)
                .untilAsserted(() -> assertThat(cloud.status("h1").counter("drops", "stale-key"))
                        .isEqualTo(before + 1));
    }

    private static void sendTunnelFrame(String namespace, int key) throws IOException {
        byte[] inner = Frames.udp("10.0.2.9:1", "10.0.1.5:2")
                .from(LEFT_GATEWAY)
                .to(MAC_A)
                .bytes();
        byte[] datagram = ByteBuffer.allocate(8 + inner.length)
                .putInt(0x0800_0000)
                .putInt(key << 8)
                .put(inner)
                .array();
        var to = new InetSocketAddress(InetAddress.getByName(cloud.host("h1").underlay()), 4789);
        try (DatagramSocket socket = NetworkNamespace.named(namespace).call(() -> new DatagramSocket())) {
            socket.send(new DatagramPacket(datagram, datagram.length, to));
        }
    }

    @Test
    void onlyItsOwnerMayUseTheControlSocket() throws IOException {
        assertThat(PosixFilePermissions.toString(Files.getPosixFilePermissions(cloud.socket("h1"))))
                .isEqualTo("rw-------");
    }

    @Test
    void bulkWithoutOffloadsKeepsFramesSmallAndChecksumsRight() throws Exception {
        assumeThat(Tshark.isPresent()).as("tshark is installed").isTrue();
        // A veth passes what a real card would have to cut and sum first, unless told not to.
        for (String host : List.of("h1", "h2")) {
            try (var links = Links.in(NetworkNamespace.named(cloud.host(host).namespace()))) {
                for (Offload offload : List.of(Offload.TSO, Offload.GSO, Offload.TX_CHECKSUM)) {
                    links.setOffload("underlay0", offload, false);
                }
            }
        }
        try (var underlay = Capture.at(cloud.host("h1"), "underlay0")) {
            var done = new AtomicBoolean();
            Thread taker = Thread.ofPlatform().start(() -> {
                while (!done.get()) {
                    underlay.frames();
                }
            });
            download("10.0.2.9", 82);
            done.set(true);
            taker.join();

            List<byte[]> frames = underlay.tunnelFrames();
            assertThat(frames.stream().mapToInt(frame -> frame.length).summaryStatistics())
                    .satisfies(lengths -> assertThat(lengths.getMax()).isBetween(1500, 14 + 1600))
                    // The taker may miss some when the machine is busy; any larger part of the download will do.
                    .satisfies(lengths -> assertThat(lengths.getCount()).isGreaterThan(DOWNLOAD_BYTES / 1500 / 10));
            assertThat(Tshark.fields(
                                    cloud.folder(),
                                    frames,
                                    "ip.checksum.status",
                                    "udp.checksum.status",
                                    "tcp.checksum.status")
                            .stream()
                            .collect(Collectors.groupingBy(line -> line.replace('\t', '|'), Collectors.counting())))
                    .as("IP outer and inner, UDP outer, TCP inner: 1 is good")
                    .containsOnlyKeys("1,1|1|1");
        }
    }

    @Test
    void theCommandLineShowsFlowsWithTheirUse() {
        assertThat(TestCloud.ping(a, "10.0.2.9")).isTrue();

        assertThat((List<?>) cloud.ask("h1", "flows", "--port", "red/a").get("flows"))
                .map(flow -> (Map<?, ?>) flow)
                .filteredOn(flow -> flow.get("packets") instanceof Long packets && packets > 0)
                .isNotEmpty()
                .allSatisfy(flow -> assertThat(flow.entrySet())
                        .as("%s", flow)
                        .allSatisfy(field -> assertThat(field.getValue()).isNotNull()));
        assertThat(TestCloud.runHere("flows", "--socket", cloud.socket("h1").toString())
                        .expectOk()
                        .out())
                .contains("tunnel 172.16.0.2");
    }

    @Test
    void aLiveTraceTellsTheWayAndReadsItsOwnWords() {
        assertThat(TestCloud.ping(a, "10.0.2.9")).isTrue();
        Map<String, Object> first =
                cloud.ask("h1", "trace", "--port", "red/a", "udp 10.0.1.5:1000 > 10.0.2.9:53 ttl 64");
        Map<String, Object> again = cloud.ask("h1", "trace", "--port", "red/a", String.valueOf(first.get("packet")));

        assertThat(again).isEqualTo(first);
        assertThat(String.valueOf(first.get("steps"))).contains("left", "router", "right");
        assertThat(String.valueOf(first.get("actions"))).contains("tunnel 172.16.0.2");
    }

    @Test
    void anInterfaceInAnotherNamespaceIsAPort() {
        Vm away = cloud.vm("h1", "red-e", "02:00:00:00:01:0e", "10.0.1.14/24");
        String elsewhere = cloud.vm("blue-a").namespace();
        cloud.in(away.host(), "link set " + away.hostInterface() + " netns " + elsewhere);
        cloud.in(cloud.vm("blue-a"), "link set " + away.hostInterface() + " up");
        cloud.apply("""
                tenant: red
                ports: [{name: e, bridge: left, host: h1, interface: %s, namespace: %s}]
                """.formatted(away.hostInterface(), elsewhere));

        await().atMost(SOON)
                .untilAsserted(() -> assertThat(TestCloud.run(away, "ping", "-n", "-c", "1", "-W", "1", "10.0.2.9"))
                        .as(cloud::logs)
                        .returns(true, Commands.Result::ok));
    }

    @Test
    void onlyHostsConcernedAreWaitedFor() throws IOException {
        Path file = Files.writeString(cloud.folder().resolve("yard.yaml"), """
                tenant: yard
                bridges: [{name: yard}]
                ports: [{name: gate, bridge: yard, host: h2, interface: gate0}]
                """);

        var applied = Json.readObject(cloud.weft("apply", "--wait", "-o", "json", "-f", file.toString())
                .expectOk()
                .out());

        assertThat(applied).containsEntry("in-effect-at", List.of("h2"));
    }

    @Test
    @Order(Integer.MAX_VALUE)
    void aPortComesBackWhenItsInterfaceIsMadeAgain() {
        Vm d = cloud.vm("red-d");
        assertThat(TestCloud.ping(a, "10.0.1.8")).isTrue();

        cloud.in(d.host(), "link del " + d.hostInterface());
        assertThat(TestCloud.run(a, "ping", "-n", "-c", "1", "-W", "1", "10.0.1.8"))
                .returns(false, Commands.Result::ok);
        cloud.in(
                d.host(),
                "link add " + d.hostInterface() + " type veth peer name eth0 netns " + d.namespace(),
                "link set " + d.hostInterface() + " up");
        cloud.in(d, "link set eth0 address " + MAC_D + " up", "addr add 10.0.1.8/24 dev eth0");

        await().atMost(SOON)
                .untilAsserted(() -> assertThat(TestCloud.run(a, "ping", "-n", "-c", "1", "-W", "1", "10.0.1.8"))
                        .as(cloud::logs)
                        .returns(true, Commands.Result::ok));
    }

    /** A datagram there and its echo back. */
    private static void exchangeUdp(String from, String to, int port) throws IOException {
        try (DatagramSocket server = socket(b, to, port);
                DatagramSocket client = socket(a, from, port + 1)) {
            server.setSoTimeout((int) SOON.toMillis());
            client.setSoTimeout((int) SOON.toMillis());
            byte[] text = ("from " + from).getBytes(StandardCharsets.US_ASCII);
            client.send(new DatagramPacket(text, text.length, new InetSocketAddress(InetAddress.getByName(to), port)));
            var heard = new DatagramPacket(new byte[100], 100);
            server.receive(heard);
            assertThat(new String(heard.getData(), 0, heard.getLength(), StandardCharsets.US_ASCII))
                    .isEqualTo("from " + from);
            server.send(heard);
            client.receive(heard);
            assertThat(heard.getAddress()).isEqualTo(InetAddress.getByName(to));
        }
    }

    private static DatagramSocket socket(Vm vm, String address, int port) throws IOException {
        return NetworkNamespace.named(vm.namespace())
                .call(() -> new DatagramSocket(new InetSocketAddress(InetAddress.getByName(address), port)));
    }
}
