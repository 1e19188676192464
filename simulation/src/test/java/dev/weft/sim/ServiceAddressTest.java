package dev.weft.sim;

import static org.assertj.core.api.Assertions.assertThat;

import dev.weft.base.IpAddress;
import dev.weft.sim.packet.Frames;
import dev.weft.sim.service.ServiceTable;
import dev.weft.topology.schema.Port;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.TreeMap;
import java.util.function.Consumer;
import org.junit.jupiter.api.Test;

/** How programs that do not speak Serval reach a service by an address of it, as a specification. */
class ServiceAddressTest {
    private static final String WEB = "0x00004001";
    private static final int SYN = 2;
    private static final int ACK = 16;
    private final Topology net = Topology.build(t -> t.bridge("b1")
            .bridge("b2")
            .bridge("b3")
            .router("r")
            .join("b1", "r", "10.0.1.1/24", "fd00:1::1/64")
            .join("b2", "r", "10.0.2.1/24", "fd00:2::1/64")
            .join("b3", "r", "10.0.3.1/24", "fd00:3::1/64")
            .serviceBlock("ours", "0x00004000/24")
            .vm("s1", "b1", "here", at("s1", WEB, "10.0.1.5/24", "fd00:1::5/64"))
            .vm("s2", "b1", "here", at("s2", WEB, "10.0.1.6/24"))
            .vm("s3", "b2", "there", at("s3", WEB, "10.0.2.7/24", "fd00:2::7/64"))
            .vm("other", "b2", "here", at("other", "0x00004002", "10.0.2.8/24"))
            .vm("c", "b3")
            .serviceTableWithInstances("table")
            .services("router", "r", "table")
            .service("r", "web", WEB, "10.96.0.80,fd00:96::80 tcp 80 to 8080"));

    ServiceAddressTest() {
        net.settle("s1", "10.0.1.5", "fd00:1::5");
        net.settle("s2", "10.0.1.6");
        net.settle("s3", "10.0.2.7", "fd00:2::7");
        net.settle("other", "10.0.2.8");
        net.settle("c", "10.0.3.9", "fd00:3::9");
    }

    private static Consumer<Port.Builder> at(String name, String serves, String... addresses) {
        return port -> port.setMac(Topology.vmMac(name))
                .addAllAddresses(List.of(addresses))
                .addAllowedServices(serves);
    }

    private Topology.Sent send(int port, int flags) {
        return net.inject(
                "c",
                Frames.tcp("10.0.3.9:" + port, "10.96.0.80:80")
                        .flags(flags)
                        .from(net.mac("c"))
                        .to(net.mac("r-b3")));
    }

    private String begin(int port) {
        return instanceOf(send(port, SYN).outcome());
    }

    private String goOn(int port) {
        return instanceOf(send(port, ACK).outcome());
    }

    /** {@code 10.0.1.5}, from {@code ... set-dst 10.0.1.5 ...}; else the outcome. */
    private static String instanceOf(String outcome) {
        int at = outcome.indexOf("set-dst ");
        return at < 0 ? outcome : outcome.substring(at + 8, outcome.indexOf(',', at));
    }

    private ServiceTable table() {
        return Objects.requireNonNull(net.serviceTables().table(0));
    }

    @Test
    void sendsAConnectionToAnInstanceAndTranslatesItsAnswersBack() {
        net.register("s1", WEB, "10.0.1.5", 1);
        var first = send(1000, SYN);
        assertThat(first.outcome())
                .contains("set-dst 10.0.1.5")
                .contains("set-l4-dst 8080")
                .endsWith("output s1");
        assertThat(first.cacheable()).as("it may begin again").isFalse();
        assertThat(net.inject(
                                "s1",
                                Frames.tcp("10.0.1.5:8080", "10.0.3.9:1000")
                                        .flags(SYN | ACK)
                                        .from(net.mac("s1"))
                                        .to(net.mac("r-b1")))
                        .outcome())
                .contains("set-src 10.96.0.80")
                .contains("set-l4-src 80")
                .endsWith("output c");
        var next = send(1000, ACK);
        assertThat(next.outcome()).contains("set-dst 10.0.1.5").endsWith("output s1");
        assertThat(next.cacheable()).isTrue();
        assertThat(table().resolvedPackets()).as("the table is asked once").isEqualTo(1);
    }

    @Test
    void sharesByWeightAndStaysWhatItChose() {
        net.register("s1", WEB, "10.0.1.5", 1);
        net.register("s2", WEB, "10.0.1.6", 3);
        Map<String, Integer> shares = new TreeMap<>();
        Map<Integer, String> chosen = new HashMap<>();
        for (int port = 1000; port < 2000; port++) {
            chosen.put(port, begin(port));
            shares.merge(chosen.get(port), 1, Integer::sum);
        }
        assertThat(shares).containsOnlyKeys("10.0.1.5", "10.0.1.6");
        assertThat(shares.get("10.0.1.6")).isBetween(700, 800);
        net.register("s3", WEB, "10.0.2.7", 50);
        chosen.forEach((port, instance) -> {
            assertThat(begin(port)).as("repeated").isEqualTo(instance);
            assertThat(goOn(port)).isEqualTo(instance);
        });
    }

    @Test
    void aDeadInstanceGetsNothingNewAndKeepsWhatItHas() {
        net.register("s1", WEB, "10.0.1.5", 1);
        assertThat(begin(1000)).isEqualTo("10.0.1.5");
        assertThat(begin(1001)).isEqualTo("10.0.1.5");
        net.register("s2", WEB, "10.0.1.6", 1);
        net.unregister("s1", WEB);
        assertThat(goOn(1000)).as("established").isEqualTo("10.0.1.5");
        assertThat(begin(1001)).as("begun again").isEqualTo("10.0.1.6");
        for (int port = 2000; port < 2050; port++) {
            assertThat(begin(port)).isEqualTo("10.0.1.6");
        }
    }

    @Test
    void aPortThatMayNotServeItAnyMoreLosesItsConnections() {
        net.register("s1", WEB, "10.0.1.5", 1);
        assertThat(begin(1000)).isEqualTo("10.0.1.5");
        assertThat(goOn(1000)).isEqualTo("10.0.1.5");
        net.register("s2", WEB, "10.0.1.6", 1);
        net.change(t -> t.vm("s1", "b1", "here", at("s1", "0x00004003", "10.0.1.5/24")));
        assertThat(goOn(1000)).isEqualTo("10.0.1.6");
    }

    @Test
    void choosesByTheLongestPrefixThenPriority() {
        net.change(t -> t.serviceTable(
                "table",
                "0x00004000/24 forward 10.0.2.8",
                "0x00004001/32 forward 10.0.1.6 priority 1, forward 10.0.1.5 priority 2"));
        assertThat(begin(1000)).isEqualTo("10.0.1.5");
        net.change(t -> t.serviceTable("table", "0x00004000/24 forward 10.0.2.8"));
        assertThat(begin(1001)).isEqualTo("10.0.2.8");
    }

    @Test
    void refusesWhatNobodyServes() {
        var refused = send(1000, SYN);
        assertThat(refused.outcome()).isEqualTo("drop no-service");
        assertThat(refused.emitted()).singleElement().asString().contains("icmp");
        assertThat(table().unresolvedPackets()).isEqualTo(1);
        net.register("s1", WEB, "10.0.1.5", 1);
        assertThat(begin(1000)).isEqualTo("10.0.1.5");
    }

    @Test
    void dropsWithoutAWordUntilTheRulesChange() {
        net.change(t -> t.serviceTableWithInstances("table", WEB + " drop"));
        var dropped = send(1000, ACK);
        assertThat(dropped.outcome()).isEqualTo("drop service-dropped");
        assertThat(dropped.emitted()).isEmpty();
        assertThat(dropped.cacheable()).as("the kernel drops the rest").isTrue();
        assertThat(net.flows()).hasSize(1);
        net.register("s1", WEB, "10.0.1.5", 1);
        assertThat(net.flows()).isEmpty();
        assertThat(begin(1000)).isEqualTo("10.0.1.5");
    }

    @Test
    void aDelayedServiceWaitsForItsInstance() {
        net.change(t -> t.serviceTableWithInstances("table", WEB + " delay"));
        var waits = send(1000, SYN);
        assertThat(waits.verdict()).isInstanceOf(Verdict.Delay.class);
        net.register("s1", WEB, "10.0.1.5", 1);
        assertThat(begin(1000)).isEqualTo("10.0.1.5");
    }

    @Test
    void servesVersionSixAtTheAddressesOfTheSamePorts() {
        net.register("s1", WEB, "10.0.1.5", 1);
        net.register("s2", WEB, "10.0.1.6", 9);
        net.register("s3", WEB, "10.0.2.7", 1);
        Map<String, Integer> shares = new TreeMap<>();
        for (int port = 1000; port < 1200; port++) {
            String outcome = net.inject(
                            "c",
                            Frames.tcp("[fd00:3::9]:" + port, "[fd00:96::80]:80")
                                    .flags(SYN)
                                    .from(net.mac("c"))
                                    .to(net.mac("r-b3")))
                    .outcome();
            shares.merge(instanceOf(outcome), 1, Integer::sum);
        }
        assertThat(shares).as("s2 has no such address").containsOnlyKeys("fd00:1::5", "fd00:2::7");
        net.unregister("s1", WEB);
        net.unregister("s3", WEB);
        assertThat(net.inject(
                                "c",
                                Frames.tcp("[fd00:3::9]:5000", "[fd00:96::80]:80")
                                        .flags(SYN)
                                        .from(net.mac("c"))
                                        .to(net.mac("r-b3")))
                        .outcome())
                .isEqualTo("drop no-instance");
    }

    @Test
    void servesUdpByABalancerThatNamesAService() {
        net.change(t -> t.balancerOfService("r", "names", "10.96.0.53 udp 53 sticky", WEB));
        net.register("s1", WEB, "10.0.1.5", 1);
        net.register("s3", WEB, "10.0.2.7", 1);
        Map<String, Integer> shares = new TreeMap<>();
        for (int port = 1000; port < 1050; port++) {
            shares.merge(
                    instanceOf(net.inject(
                                    "c",
                                    Frames.udp("10.0.3.9:" + port, "10.96.0.53:53")
                                            .from(net.mac("c"))
                                            .to(net.mac("r-b3")))
                            .outcome()),
                    1,
                    Integer::sum);
        }
        assertThat(shares).as("sticky").hasSize(1);
    }

    /** Where each of many clients' next connections go. */
    private Map<Integer, String> clients(int first, int port) {
        var instances = new TreeMap<Integer, String>();
        for (int client = first; client < first + 60; client++) {
            instances.put(
                    client,
                    instanceOf(net.inject(
                                    "c",
                                    Frames.udp("10.0.3." + client + ":" + port, "10.96.0.53:53")
                                            .from(net.mac("c"))
                                            .to(net.mac("r-b3")))
                            .outcome()));
        }
        return instances;
    }

    @Test
    void aStickyClientWithAConnectionStaysWhenInstancesComeAndGo() {
        net.change(t -> t.balancerOfService("r", "names", "10.96.0.53 udp 53 sticky", WEB));
        net.register("s1", WEB, "10.0.1.5", 1);
        net.register("s2", WEB, "10.0.1.6", 1);
        Map<Integer, String> before = clients(20, 1000);
        assertThat(before.values()).contains("10.0.1.5", "10.0.1.6");
        net.register("s3", WEB, "10.0.2.7", 2);
        assertThat(clients(20, 1001)).isEqualTo(before);
        assertThat(clients(100, 1000).values()).as("new clients").contains("10.0.2.7");
        net.unregister("s1", WEB);
        Map<Integer, String> after = clients(20, 1002);
        before.forEach((client, instance) -> {
            if (!instance.equals("10.0.1.5")) {
                assertThat(after).as("its instance is still there").containsEntry(client, instance);
            }
        });
        assertThat(after.values()).doesNotContain("10.0.1.5");
    }

    @Test
    void aStickyClientWithAConnectionStaysWhenSharesChange() {
        net.change(t -> t.balancerOfService("r", "names", "10.96.0.53 udp 53 sticky", WEB));
        net.register("s1", WEB, "10.0.1.5", 1);
        net.register("s3", WEB, "10.0.2.7", 1);
        Map<Integer, String> before = clients(20, 1000);
        net.change(t -> t.share("table", WEB, "10.0.1.5", 0, 50, false));
        assertThat(clients(20, 1001)).isEqualTo(before);
        assertThat(clients(100, 1000).values().stream().filter("10.0.1.5"::equals))
                .as("new clients")
                .hasSizeGreaterThan(50);
    }

    @Test
    void aStickyClientLeavesAnInstanceThatIsDrained() {
        net.change(t -> t.balancerOfService("r", "names", "10.96.0.53 udp 53 sticky", WEB));
        net.register("s1", WEB, "10.0.1.5", 1);
        clients(20, 1000);
        net.register("s3", WEB, "10.0.2.7", 1);
        net.change(t -> t.share("table", WEB, "10.0.1.5", 0, 1, true));
        assertThat(clients(20, 1001).values()).containsOnly("10.0.2.7");
        assertThat(clients(20, 1000).values()).as("connections that they have").containsOnly("10.0.1.5");
    }

    @Test
    void aClientOnTheInstancesOwnSubnetGetsItsAnswersThroughTheRouter() {
        net.register("s1", WEB, "10.0.1.5", 1);
        net.change(t -> t.vm("near", "b1"));
        net.settle("near", "10.0.1.9");
        var pool = net.network().natPools().stream()
                .filter(each ->
                        each.name().equals("hairpin at r-b1") && each.address(0).isV4())
                .findFirst()
                .orElseThrow();
        net.tables().blocks().grant(pool.tag(), 0, IpAddress.parse("10.0.1.1").low(), 40000, 64);
        String there = net.inject(
                        "near",
                        Frames.tcp("10.0.1.9:1000", "10.96.0.80:80")
                                .flags(SYN)
                                .from(net.mac("near"))
                                .to(net.mac("r-b1")))
                .outcome();
        assertThat(there)
                .contains("set-src 10.0.1.1")
                .contains("set-dst 10.0.1.5")
                .endsWith("output s1");
        int at = there.indexOf("set-l4-src ") + 11;
        assertThat(net.inject(
                                "s1",
                                Frames.tcp("10.0.1.5:8080", "10.0.1.1:" + there.substring(at, there.indexOf(',', at)))
                                        .from(net.mac("s1"))
                                        .to(net.mac("r-b1")))
                        .outcome())
                .contains("set-src 10.96.0.80")
                .endsWith("output near");
    }

    @Test
    void answersForTheAddressOnItsOwnSubnet() {
        net.change(t -> t.service("r", "near", WEB, "10.0.3.80 tcp 80"));
        net.register("s1", WEB, "10.0.1.5", 1);
        assertThat(net.inject(
                                "c",
                                Frames.arpRequest("10.0.3.9", "10.0.3.80")
                                        .from(net.mac("c"))
                                        .to("ff:ff:ff:ff:ff:ff"))
                        .emitted())
                .singleElement()
                .asString()
                .contains("arp");
    }

    @Test
    void aTraceNamesTheServiceTheEntryAndTheInstance() {
        net.register("s1", WEB, "10.0.1.5", 1);
        String explanation = net.explain(
                "c",
                Frames.tcp("10.0.3.9:1000", "10.96.0.80:80")
                        .flags(SYN)
                        .from(net.mac("c"))
                        .to(net.mac("r-b3")));
        assertThat(explanation)
                .contains("service web\n    stands for service 0x00004001\n")
                .contains("service 0x00004001 has entry 0x00004001/256: 1 of 1 rule counts")
                .contains("rule: instance at 10.0.1.5")
                .contains("service web\n    service 0x00004001: to 10.0.1.5 8080\n");
    }
}
