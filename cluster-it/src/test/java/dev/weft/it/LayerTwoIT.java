package dev.weft.it;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.weft.agent.lab.Commands;
import dev.weft.agent.lab.Vm;
import dev.weft.sim.packet.Frames;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import java.util.Arrays;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.MethodOrderer;
import org.junit.jupiter.api.Order;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestMethodOrder;

/**
 * Real programs on two hosts: a DHCP client, {@code ping -M do}, a VM that lies, VLANs with access and trunk ports. The
 * tests share the set-up; the first gives the client its address.
 */
@TestMethodOrder(MethodOrderer.OrderAnnotation.class)
class LayerTwoIT {
    private static final Duration SOON = Duration.ofSeconds(20);
    private static final String CLIENT_MAC = "02:00:00:00:01:05";
    private static final String PEER_MAC = "02:00:00:00:01:09";

    private static TestCloud cloud;
    private static Vm client;
    private static Vm peer;
    private static Vm access;
    private static Vm other;
    private static Vm trunk;

    @BeforeAll
    static void build() {
        cloud = TestCloud.withHosts(Duration.ofSeconds(6), "h1", "h2").onDatapath("auto");
        client = cloud.vm("h1", "client", CLIENT_MAC);
        peer = cloud.vm("h2", "peer", PEER_MAC, "10.0.1.9/24");
        access = cloud.vm("h1", "access", "02:00:00:00:10:01", "10.10.0.2/24");
        other = cloud.vm("h1", "other", "02:00:00:00:11:01", "10.10.0.3/24");
        trunk = cloud.vm("h2", "trunk", "02:00:00:00:10:02");
        cloud.start();
        cloud.apply("""
                tenant: acme
                bridges:
                  - name: net
                    dhcp:
                      - {subnet: 10.0.1.0/24, router: 10.0.1.1, dns: [10.0.1.53], domain: example.test, mtu: 1400,
                         routes: [{destination: 10.9.0.0/16, gateway: 10.0.1.9}], lease_seconds: 600}
                  - name: vlans
                routers: [{name: gateway}]
                ports:
                  - {name: net-up, bridge: net, peer: gateway-net}
                  - {name: gateway-net, router: gateway, addresses: [10.0.1.1/24]}
                  - {name: client, bridge: net, host: h1, interface: %s, mac: "%s", addresses: [10.0.1.5/24],
                     security: true}
                  - {name: peer, bridge: net, host: h2, interface: %s, mac: "%s", addresses: [10.0.1.9/24], mtu: 1300}
                  - {name: access, bridge: vlans, host: h1, interface: %s, vlan: 10}
                  - {name: other, bridge: vlans, host: h1, interface: %s, vlan: 11}
                  - {name: trunk, bridge: vlans, host: h2, interface: %s, trunk: [10-20]}
                """.formatted(
                        client.hostInterface(),
                        CLIENT_MAC,
                        peer.hostInterface(),
                        PEER_MAC,
                        access.hostInterface(),
                        other.hostInterface(),
                        trunk.hostInterface()));
    }

    @AfterAll
    static void close() {
        if (cloud != null) {
            cloud.close();
        }
    }

    @Test
    @Order(1)
    void aDhcpClientGetsTheAddressOfItsPortAndEveryOption() throws IOException {
        Path lease = cloud.folder().resolve("lease");
        Path script = Files.writeString(cloud.folder().resolve("lease.sh"), """
                #!/bin/sh
                [ "$1" = bound ] || exit 0
                env > %s
                ip addr add "$ip/$mask" dev "$interface"
                ip link set "$interface" mtu "$mtu"
                ip route add default via "$router"
                """.formatted(lease));
        Files.setPosixFilePermissions(script, PosixFilePermissions.fromString("rwxr-xr-x"));
        var result = TestCloud.run(
                client,
                "busybox",
                "udhcpc",
                "-f",
                "-q",
                "-n",
                "-i",
                Vm.INTERFACE,
                "-O",
                "mtu",
                "-O",
                "staticroutes",
                "-s",
                script.toString());
        assertThat(result).as(() -> result.output() + cloud.logs()).returns(true, Commands.Result::ok);
        assertThat(Files.readAllLines(lease))
                .contains(
                        "ip=10.0.1.5",
                        "mask=24",
                        "router=10.0.1.1",
                        "dns=10.0.1.53",
                        "domain=example.test",
                        "mtu=1400",
                        "lease=600",
                        "serverid=10.0.1.1",
                        "staticroutes=10.9.0.0/16 10.0.1.9 0.0.0.0/0 10.0.1.1");
        assertThat(TestCloud.ping(client, "10.0.1.1")).as(cloud::logs).isTrue();
        assertThat(TestCloud.ping(client, "10.0.1.9")).as(cloud::logs).isTrue();
    }

    @Test
    @Order(2)
    void aPacketTooLongForTheReceiversLinkIsAnsweredWithItsMtu() {
        String output = TestCloud.run(client, "ping", "-n", "-c", "2", "-W", "2", "-M", "do", "-s", "1372", "10.0.1.9")
                .output();
        assertThat(output).as(cloud::logs).containsPattern("mtu ?= ?1300");
        assertThat(TestCloud.run(client, "ping", "-n", "-c", "1", "-W", "2", "-M", "do", "-s", "1272", "10.0.1.9"))
                .returns(true, Commands.Result::ok);
    }

    @Test
    @Order(3)
    void aVmThatLiesAboutItsAddressIsNotHeard() {
        cloud.in(client, "addr add 10.0.1.66/24 dev " + Vm.INTERFACE);
        assertThat(TestCloud.run(client, "ping", "-n", "-c", "2", "-W", "1", "-I", "10.0.1.66", "10.0.1.9"))
                .returns(false, Commands.Result::ok);
        assertThat(cloud.ask("h1", "status").toString()).contains("spoofed-address");
        assertThat(TestCloud.ping(client, "10.0.1.9")).as("its own is heard").isTrue();
    }

    @Test
    @Order(4)
    void accessAndTrunkPortsOfTwoHostsMeetInTheirVlan() {
        try (var atTrunk = Capture.at(trunk, Vm.INTERFACE);
                var atAccess = Capture.at(access, Vm.INTERFACE);
                var atOther = Capture.at(other, Vm.INTERFACE)) {
            atAccess.send(Frames.arpRequest("10.10.0.2", "10.10.0.1")
                    .from(access.mac())
                    .bytes());
            byte[] tagged = Frames.arpRequest("10.10.0.2", "10.10.0.1")
                    .from(access.mac())
                    .vlan(10)
                    .bytes();
            await().atMost(SOON)
                    .untilAsserted(() -> assertThat(atTrunk.frames())
                            .as("the flood, tagged")
                            .anyMatch(frame -> Arrays.equals(frame, tagged)));

            Frames answer =
                    Frames.arpReply("10.10.0.1", "10.10.0.2").from(trunk.mac()).to(access.mac());
            atTrunk.send(answer.vlan(11).bytes());
            atTrunk.send(answer.vlan(10).bytes());
            byte[] untagged = Frames.arpReply("10.10.0.1", "10.10.0.2")
                    .from(trunk.mac())
                    .to(access.mac())
                    .bytes();
            await().atMost(SOON)
                    .untilAsserted(() -> assertThat(atAccess.frames())
                            .as("the answer, untagged")
                            .anyMatch(frame -> Arrays.equals(frame, untagged)));
            assertThat(atAccess.frames())
                    .as("not the one of VLAN 11")
                    .filteredOn(frame -> Arrays.equals(frame, untagged))
                    .hasSize(1);
            assertThat(atOther.frames()).as("nor the flood of VLAN 10").noneMatch(LayerTwoIT::isArpRequest);
            // What the VMs' stacks send of themselves when they are new may be among the upcalls of one attempt.
            await().atMost(SOON).untilAsserted(() -> {
                long upcalls = cloud.status("h2").number("egress-upcalls");
                int before = atAccess.frames().size();
                atTrunk.send(answer.vlan(10).bytes());
                await().atMost(SOON).until(() -> atAccess.frames().size() > before);
                assertThat(cloud.status("h2").number("egress-upcalls"))
                        .as("upcalls where frames left")
                        .isEqualTo(upcalls);
            });
        }
    }

    private static boolean isArpRequest(byte[] frame) {
        return frame.length > 21 && frame[12] == 0x08 && frame[13] == 0x06 && frame[21] == 1;
    }
}
