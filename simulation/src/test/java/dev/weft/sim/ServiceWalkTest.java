package dev.weft.sim;

import static org.assertj.core.api.Assertions.assertThat;

import dev.weft.base.IpAddress;
import dev.weft.base.ServiceId;
import dev.weft.base.ServicePrefix;
import dev.weft.sim.packet.Frames;
import dev.weft.sim.packet.Packet;
import dev.weft.sim.packet.PacketParser;
import dev.weft.sim.sal.SalPackets;
import dev.weft.sim.service.ServiceInstance;
import dev.weft.sim.service.ServiceTable;
import dev.weft.sim.trace.PacketExpression;
import java.util.HexFormat;
import java.util.Map;
import java.util.Objects;
import java.util.TreeMap;
import org.junit.jupiter.api.Test;

/** What routers and bridges do with packets that name a service, as a specification. */
class ServiceWalkTest {
    private static final String SYN = "flags syn verno 7 nonce 0102030405060708 service 0x00004001";
    private static final String ALL = "ff:ff:ff:ff:ff:ff";

    private final Topology net = Topology.build(t -> t.bridge("b1")
            .bridge("b2", "10.0.2.7=02:00:00:00:02:07")
            .router("r")
            .join("b1", "r", "10.0.1.1/24")
            .join("b2", "r", "10.0.2.1/24")
            .vm("a", "b1")
            .statefulVm("s", "b1", "here")
            .vm("b", "b2")
            .vm("c", "b2", "other")
            .vm("d", "b2")
            .serviceBlock("ours", "0x00004000/24"));

    ServiceWalkTest() {
        net.settle("a", "10.0.1.5");
        net.settle("s", "10.0.1.7");
        net.settle("b", "10.0.2.9");
        net.settle("c", "10.0.2.8");
        net.settle("d", "10.0.2.6");
    }

    private void routerHas(String... entries) {
        net.change(t -> t.serviceTable("web", entries).services("router", "r", "web"));
    }

    private void bridgeHas(String... entries) {
        net.change(t -> t.serviceTable("lan", entries).services("bridge", "b2", "lan"));
    }

    private Packet packet(String from, String toMac, String words) {
        String macs = " src-mac " + net.mac(from) + " dst-mac " + toMac;
        return SalPackets.parsed(PacketExpression.parse(words + macs));
    }

    private Packet syn(int flow) {
        return packet("a", net.mac("r-b1"), "sal 10.0.1.5:" + flow + " > 10.0.1.1:0 ttl 64 " + SYN);
    }

    private Topology.Sent send(Packet packet) {
        return net.inject("a", packet);
    }

    private ServiceTable table() {
        return Objects.requireNonNull(net.serviceTables().table(0));
    }

    @Test
    void aRouterForwardsToTheInstanceAndLeavesItsTrace() {
        routerHas("0x00004001/32 forward 10.0.2.9");
        var sent = send(syn(2));
        assertThat(sent.outcome()).isEqualTo("consumed");
        assertThat(sent.cacheable()).isFalse();
        assertThat(sent.emitted()).hasSize(1);
        assertThat(sent.emitted().getFirst())
                .startsWith("into r-b1 sal 10.0.1.5:2 > 10.0.2.9:0 ")
                .contains(" source 10.0.1.5,10.0.1.1 ")
                .contains("dec-ttl")
                .endsWith("output b");
        assertThat(table().resolvedPackets()).isEqualTo(1);
        assertThat(table().resolvedBytes()).isEqualTo(14 + 96);
    }

    @Test
    void aRouterForwardsToAnotherHostAndToAnotherServiceRouter() {
        net.change(t -> t.router("r2")
                .join("b2", "r2", "10.0.2.2/24")
                .serviceTable("second", "* forward 10.0.2.8")
                .services("router", "r2", "second"));
        routerHas("* forward 10.0.2.2");
        var sent = send(syn(2));
        assertThat(sent.emitted()).hasSize(2);
        assertThat(sent.emitted().getFirst())
                .contains(" source 10.0.1.5,10.0.1.1 ")
                .endsWith("-> consumed");
        assertThat(sent.emitted().getLast())
                .startsWith("into r2-b2 sal 10.0.1.5:2 > 10.0.2.8:0 ")
                .contains(" ttl 63 ")
                .contains(" source 10.0.1.5,10.0.1.1,10.0.2.2 ");
    }

    @Test
    void aPacketThatComesBackIsDropped() {
        routerHas("0x00004001/32 forward 10.0.2.9");
        var back = packet("a", net.mac("r-b1"), "sal 10.0.1.5:2 > 10.0.1.1:0 " + SYN + " source 10.0.1.5,10.0.1.1");
        assertThat(send(back).outcome()).isEqualTo("drop service-loop");
    }

    @Test
    void demuxLeavesNoTrace() {
        routerHas("0x00004001/32 demux 10.0.2.9");
        assertThat(send(syn(2)).emitted().getFirst()).contains(" > 10.0.2.9:0 ").doesNotContain("source");
    }

    @Test
    void dropsWhatTheTableDropsAndWhatItDoesNotHave() {
        routerHas("0x00004001/32 drop", "0x00004002/32 forward 10.0.2.9");
        assertThat(send(syn(2)).outcome()).isEqualTo("drop service-dropped");
        assertThat(table().droppedPackets()).isEqualTo(1);
        net.change(t -> t.serviceTable("web", "0x00004002/32 forward 10.0.2.9"));
        assertThat(send(syn(3)).outcome()).isEqualTo("drop no-service");
        assertThat(table().unresolvedPackets()).isEqualTo(1);
    }

    @Test
    void theDefaultRuleTakesTheRest() {
        routerHas("* forward 10.0.2.9", "0x00004002/32 drop");
        assertThat(send(syn(2)).emitted().getFirst()).endsWith("output b");
    }

    @Test
    void sharesByWeightAndRepeatsWhatItChose() {
        routerHas("0x00004001/32 forward 10.0.2.9 weight 3, forward 10.0.2.8, forward 10.0.2.6 weight 0");
        Map<String, Integer> shares = new TreeMap<>();
        for (int flow = 2; flow < 502; flow++) {
            String first = target(send(syn(flow)));
            shares.merge(first, 1, Integer::sum);
            assertThat(target(send(syn(flow)))).isEqualTo(first);
        }
        assertThat(shares).hasSize(3);
        assertThat(shares.get("10.0.2.9")).isBetween(250, 350);
        Map<Integer, String> before = new TreeMap<>();
        for (int flow = 2; flow < 202; flow++) {
            before.put(flow, target(send(syn(flow))));
        }
        net.change(t -> t.serviceTable(
                "web", "0x00004001/32 forward 10.0.2.9, forward 10.0.2.8 weight 5, forward 10.0.2.7 weight 20"));
        int moved = 0;
        for (int flow = 2; flow < 202; flow++) {
            String now = target(send(syn(flow)));
            if (before.get(flow).equals("10.0.2.6")) {
                assertThat(now).as("its instance is gone").isNotEqualTo("10.0.2.6");
                moved++;
            } else {
                assertThat(now).as("a repeated SYN stays").isEqualTo(before.get(flow));
            }
        }
        assertThat(moved).isPositive();
    }

    private static String target(Topology.Sent sent) {
        String emitted = sent.emitted().getFirst();
        int at = emitted.indexOf(" > ") + 3;
        return emitted.substring(at, emitted.indexOf(':', at));
    }

    @Test
    void sendsToAllTargetsWhereTheEntrySaysSo() {
        routerHas("0x00004001/32 all forward 10.0.2.9, forward 10.0.2.6");
        assertThat(send(syn(2)).emitted()).hasSize(2);
        assertThat(table().resolvedPackets()).isEqualTo(2);
    }

    @Test
    void aDelayedPacketWaits() {
        routerHas("0x00004001/32 delay");
        var sent = send(syn(2));
        assertThat(sent.outcome()).isEqualTo("park for a service");
        assertThat(sent.verdict()).isInstanceOf(Verdict.Delay.class);
        net.change(t -> t.serviceTable("web", "0x00004001/32 delay, forward 10.0.2.9 priority 1"));
        assertThat(send(syn(2)).emitted().getFirst()).endsWith("output b");
        assertThat(net.serviceTables().changed()).containsExactly(0);
    }

    private ServiceInstance instance(String port, String service, String address) {
        return new ServiceInstance(
                ServicePrefix.parse(service),
                net.portId(port),
                IpAddress.parse(address).v4Bits(),
                0,
                1);
    }

    private void routerTakesInstances(String allowed, String... entries) {
        net.change(t -> t.vm(
                        "i",
                        "b2",
                        "here",
                        port -> port.setMac("02:00:00:00:02:0e")
                                .addAddresses("10.0.2.14/24")
                                .addAllowedServices(allowed))
                .serviceTableWithInstances("web", entries)
                .services("router", "r", "web"));
        net.settle("i", "10.0.2.14");
    }

    @Test
    void anInstanceThatRegisteredIsARuleWhileItIsThere() {
        routerTakesInstances("0x00004001/32", "0x00004001 delay");
        assertThat(send(syn(2)).outcome()).isEqualTo("park for a service");
        assertThat(net.serviceTables().up(instance("i", "0x00004001", "10.0.2.14")))
                .isTrue();
        assertThat(net.serviceTables().up(instance("i", "0x00004001", "10.0.2.14")))
                .as("no news")
                .isFalse();
        assertThat(target(send(syn(2))))
                .as("comes before a delay of its priority")
                .isEqualTo("10.0.2.14");
        net.serviceTables().down(ServicePrefix.parse("0x00004001"), net.portId("i"));
        assertThat(send(syn(2)).outcome()).isEqualTo("park for a service");
    }

    @Test
    void aPortRegistersOnlyWhatItMayAndWhereItIs() {
        routerTakesInstances("0x00004001/32", "* drop");
        var services = net.serviceTables();
        assertThat(services.up(instance("i", "0x00004002", "10.0.2.14")))
                .as("not its service")
                .isFalse();
        assertThat(services.up(instance("i", "0x00004001", "10.0.2.9")))
                .as("not its address")
                .isFalse();
        assertThat(services.up(instance("b", "0x00004001", "10.0.2.9")))
                .as("no services at all")
                .isFalse();
        assertThat(services.up(instance("i", "0x00004001/31", "10.0.2.14")))
                .as("more than its services")
                .isFalse();
        assertThat(send(syn(2)).outcome()).isEqualTo("drop service-dropped");
        assertThat(services.up(instance("i", "0x0000400100000007", "10.0.2.14")))
                .isTrue();
        assertThat(table().size()).isEqualTo(2);
        net.change(t ->
                t.vm("i", "b2", "here", port -> port.setMac("02:00:00:00:02:0e").addAddresses("10.0.2.14/24")));
        assertThat(table().size()).as("only the default is left").isEqualTo(1);
    }

    private Outcome registration(String from, String to, byte[] frame) {
        System.arraycopy(mac(to), 0, frame, 0, 6);
        System.arraycopy(mac(net.mac(from)), 0, frame, 6, 6);
        Packet packet = SalPackets.parsed(frame);
        packet.key.setIngress(net.portIndex(from) + 1, 0);
        var out = new Outcome();
        net.simulator().simulate(packet, net.portIndex(from), net.now, out);
        return out;
    }

    private static byte[] mac(String text) {
        return HexFormat.ofDelimiter(":").parseHex(text);
    }

    private static byte[] said(int type, String service) {
        return SalPackets.registration("10.0.2.14", "10.0.2.1", type, 32, service);
    }

    @Test
    void aHostRegistersByItsOwnDatagram() {
        routerTakesInstances("0x00004001/32", "* drop");
        var out = registration("i", net.mac("r-b2"), said(0, SalPackets.SERVICE));
        assertThat(net.describe(out)).isEqualTo("consumed");
        assertThat(out.instanceBits()).isEqualTo(32);
        assertThat(out.instanceWord(0)).isEqualTo(0x4001L << 32);
        assertThat(out.instanceAddress()).isEqualTo(0x0a00020e);
        assertThat(out.instanceGoes()).isFalse();
        assertThat(out.emitCount()).as("nothing is answered").isZero();
        assertThat(registration("i", net.mac("r-b2"), said(1, SalPackets.SERVICE))
                        .instanceGoes())
                .isTrue();
        out = registration("i", net.mac("r-b2"), said(7, SalPackets.SERVICE));
        assertThat(net.describe(out)).isEqualTo("drop bad-registration");
        assertThat(out.instanceBits()).isZero();
    }

    @Test
    void whoDoesNotKnowItsRouterRegistersByBroadcast() {
        bridgeHas("0x00004001/32 drop");
        var out = registration("d", ALL, said(0, SalPackets.SERVICE));
        assertThat(net.describe(out)).as("of a table without instances").isEqualTo("drop no-service");
        net.change(t -> t.serviceTableWithInstances("lan", "0x00004001/32 drop"));
        out = registration("d", ALL, said(0, SalPackets.SERVICE));
        assertThat(net.describe(out)).isEqualTo("consumed");
        assertThat(out.instanceBits()).isEqualTo(32);
    }

    @Test
    void sharesEquallyAmongTwo() {
        routerHas("0x00004001/32 forward 10.0.2.9, forward 10.0.2.8");
        Map<String, Integer> shares = new TreeMap<>();
        for (int flow = 2; flow < 502; flow++) {
            shares.merge(target(send(syn(flow))), 1, Integer::sum);
        }
        assertThat(shares.keySet()).containsExactly("10.0.2.8", "10.0.2.9");
        assertThat(shares.values()).allMatch(share -> share > 200);
    }

    @Test
    void aShareCountsInsteadOfWhatTheInstanceSaid() {
        routerTakesInstances("0x00004001/32", "0x00004001 forward 10.0.2.9 priority 3");
        net.serviceTables().up(instance("i", "0x00004001", "10.0.2.14"));
        assertThat(target(send(syn(2)))).isEqualTo("10.0.2.9");
        net.change(t -> t.share("web", "0x00004001/32", "10.0.2.14", 5, 7, false));
        assertThat(target(send(syn(3)))).as("of the highest priority now").isEqualTo("10.0.2.14");
        net.change(t -> t.share("web", "0x00004001/256", "10.0.2.14", 5, 7, true));
        assertThat(target(send(syn(4))))
                .as("drained: the longest prefix counts")
                .isEqualTo("10.0.2.9");
        net.change(t -> t.serviceTableWithInstances("web", "0x00004001 delay"));
        assertThat(target(send(syn(5)))).as("what it said counts again").isEqualTo("10.0.2.14");
    }

    @Test
    void aChangedShareKeepsWhatWasCounted() {
        routerTakesInstances("0x00004001/32", "0x00004001 delay");
        net.serviceTables().up(instance("i", "0x00004001", "10.0.2.14"));
        send(syn(2));
        net.change(t -> t.share("web", "0x00004001/32", "10.0.2.14", 0, 7, false));
        var rule = Objects.requireNonNull(table().find(ServiceId.of(0x4001))).rule(0);
        assertThat(rule.rule().weight()).isEqualTo(7);
        assertThat(rule.packets()).isEqualTo(1);
    }

    @Test
    void rulesThatGoThroughAPortFollowItsAddress() {
        net.change(t ->
                t.vm("e", "b2", "here", port -> port.setMac("02:00:00:00:02:0e").addAddresses("10.0.2.14/24")));
        routerHas("0x00004001/32 forward port e");
        assertThat(target(send(syn(2)))).isEqualTo("10.0.2.14");
    }

    @Test
    void aRevokedBlockTakesItsEntriesAlong() {
        routerHas("0x00004001/32 forward 10.0.2.9", "* drop");
        net.change(t -> t.removeServiceBlock("ours"));
        assertThat(send(syn(2)).outcome()).isEqualTo("drop service-dropped");
    }

    @Test
    void countsGoOnWhenOtherRulesChange() {
        routerHas("0x00004001/32 forward 10.0.2.9");
        send(syn(2));
        net.change(t -> t.serviceTable("web", "0x00004001/32 forward 10.0.2.9, forward 10.0.2.8", "* drop"));
        assertThat(Objects.requireNonNull(table().find(ServiceId.parse("0x00004001")))
                        .rule(0)
                        .packets())
                .isEqualTo(1);
    }

    @Test
    void packetsOfAnEstablishedConnectionGoByTheirAddressesAndBecomeFlows() {
        routerHas("0x00004001/32 forward 10.0.2.9");
        var sent = send(packet("a", net.mac("r-b1"), "sal 10.0.1.5:2 > 10.0.2.9:3 length 100"));
        assertThat(sent.outcome()).endsWith("output b");
        assertThat(sent.cacheable()).isTrue();
    }

    @Test
    void withoutATableItIsAPacketForTheRouterItself() {
        assertThat(send(syn(2)).outcome()).isEqualTo("drop for-router");
        routerHas("0x00004001/32 forward 10.0.2.9");
        var ack = packet("a", net.mac("r-b1"), "sal 10.0.1.5:2 > 10.0.1.1:3 flags ack service 0x00004001");
        assertThat(send(ack).outcome()).isEqualTo("drop for-router");
    }

    @Test
    void anEncapsulatedSynIsForwardedInItsUdp() {
        routerHas("0x00004001/32 forward 10.0.2.9");
        var packet = packet("a", net.mac("r-b1"), "sal 10.0.1.5:2 > 10.0.1.1:0 udp-src 54324 udp-dst 54325 " + SYN);
        assertThat(send(packet).emitted().getFirst())
                .contains(" udp-src 54324 udp-dst 54325 ")
                .contains(" source 10.0.1.5,10.0.1.1 ")
                .endsWith("output b");
    }

    @Test
    void saysSoWhenTheTimeToLiveIsOver() {
        routerHas("0x00004001/32 forward 10.0.2.9");
        var old = packet("a", net.mac("r-b1"), "sal 10.0.1.5:2 > 10.0.1.1:0 ttl 1 " + SYN);
        var sent = send(old);
        assertThat(sent.outcome()).isEqualTo("drop ttl-expired");
        assertThat(sent.emitted().getFirst()).contains("icmp time-exceeded");
    }

    @Test
    void rulesOfTheNetworkSeeWhereThePacketGoesNow() {
        routerHas("0x00004001/32 forward 10.0.2.9");
        net.change(t -> t.chain("no-b", "to 10.0.2.9 drop").hook("router", "r", "forward", "no-b"));
        assertThat(send(syn(2)).emitted().getFirst()).contains("-> drop ");
    }

    @Test
    void theAnswerComesInAtAStatefulPort() {
        routerHas("0x00004001/32 forward 10.0.2.9");
        String words = "sal 10.0.1.7:2 > 10.0.1.1:0 " + SYN;
        net.inject("s", packet("s", net.mac("r-b1"), words));
        String answer = "sal 10.0.2.9:3 > 10.0.1.7:2 flags ack,syn";
        var synAck = packet("b", net.mac("r-b2"), answer);
        assertThat(net.inject("b", synAck).emitted().getFirst()).startsWith("guard of s ");
        var stranger = packet("d", net.mac("r-b2"), answer.replace("10.0.2.9", "10.0.2.6"));
        assertThat(net.inject("d", stranger).outcome()).isEqualTo("drop stateful");
    }

    @Test
    void aBridgeShowsASearchToTheInstancesOnly() {
        net.change(
                t -> t.vm("i", "b2", "here", port -> port.setMac(net.mac("i")).addAddresses("10.0.2.14/24")));
        net.settle("i", "10.0.2.14");
        String search = "sal 10.0.2.9:2 > 255.255.255.255:0 " + SYN;
        assertThat(net.look("b", packet("b", ALL, search)).outcome())
                .as("without a table")
                .contains("output d");
        bridgeHas("0x00004001/32 forward 10.0.2.7, forward 10.0.2.14, forward 10.0.2.77");
        var sent = net.inject("b", packet("b", ALL, search));
        assertThat(sent.outcome()).isEqualTo("consumed");
        assertThat(sent.cacheable()).isFalse();
        assertThat(sent.emitted()).hasSize(2);
        assertThat(sent.emitted().getFirst())
                .startsWith("into b sal 10.0.2.9:2 > 10.0.2.7:0 ")
                .contains("02:00:00:00:02:07");
        assertThat(sent.emitted().getLast()).contains(" > 10.0.2.14:0 ").endsWith("output i");
        String other = search.replace("0x00004001", "0x00004002");
        assertThat(net.inject("b", packet("b", ALL, other)).outcome()).isEqualTo("drop no-service");
    }

    @Test
    void aBridgeWithATableFloodsAllElseAsBefore() {
        bridgeHas("0x00004001/32 forward 10.0.2.7");
        var udp = packetOf("udp 10.0.2.9:1 > 255.255.255.255:2");
        assertThat(net.inject("b", udp).outcome()).contains("output d");
        var data = packet("b", ALL, "sal 10.0.2.9:2 > 255.255.255.255:3 length 3");
        assertThat(net.inject("b", data).outcome()).contains("output d");
        bridgeHas("0x00004001/32 forward 10.0.2.66");
        assertThat(net.inject("b", packet("b", ALL, "sal 10.0.2.9:2 > 255.255.255.255:0 " + SYN))
                        .outcome())
                .isEqualTo("drop no-instance");
    }

    private Packet packetOf(String words) {
        var packet = Frames.wrapped(PacketExpression.parse(words + " src-mac " + net.mac("b") + " dst-mac " + ALL));
        assertThat(PacketParser.parse(packet)).isZero();
        return packet;
    }

    @Test
    void explainsWhatItDecides() {
        routerHas("0x00004001/32 forward 10.0.2.9 weight 3 priority 2, forward 10.0.2.8 priority 1");
        assertThat(net.explain("a", syn(2)))
                .contains("service 0x00004001 has entry 0x00004001/32: 1 of 2 rules count")
                .contains("rule: forward to 10.0.2.9 (priority 2, weight 3)")
                .contains("goes on to 10.0.2.9");
    }
}
