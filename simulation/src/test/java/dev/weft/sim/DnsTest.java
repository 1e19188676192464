package dev.weft.sim;

import static org.assertj.core.api.Assertions.assertThat;

import dev.weft.base.Allocation;
import dev.weft.sim.packet.Dns;
import dev.weft.sim.packet.DnsQuery;
import dev.weft.sim.packet.Frames;
import dev.weft.sim.packet.Packet;
import dev.weft.topology.schema.DhcpSubnet;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import org.junit.jupiter.api.Test;

/** What a router says when it is asked for names of services, as a specification. */
class DnsTest {
    private static final int A = DnsQuery.A;
    private static final int AAAA = DnsQuery.AAAA;
    private static final int TXT = 16;

    private final Topology net = Topology.build(t -> t.bridge("b")
            .router("r")
            .join("b", "r", "10.0.1.1/24", "fd00:1::1/64")
            .vm("a", "b")
            .serviceBlock("ours", "0x00004000/24")
            .serviceTableWithInstances("table")
            .services("router", "r", "table")
            .service("r", "web", "0x00004001", "10.96.0.80,10.96.0.81,fd00:96::80 tcp 80")
            .service("r", "p0.cache", "0x00004002", "10.96.1.0 tcp 11211"));

    DnsTest() {
        net.settle("a", "10.0.1.5", "fd00:1::5");
    }

    private Topology.Sent send(byte[] message) {
        return net.inject(
                "a",
                Frames.udp("10.0.1.5:4000", "10.0.1.1:53")
                        .payload(message)
                        .from(net.mac("a"))
                        .to(net.mac("r-b")));
    }

    /** {@code 0 10.96.0.80,10.96.0.81}: the code and the addresses of the answer. */
    private String ask(String name, int type) {
        return answer(send(Dns.query(7, name, type)));
    }

    private static String answer(Topology.Sent sent) {
        assertThat(sent.outcome()).isEqualTo("consumed");
        return new Dns(frame(sent)).toString();
    }

    private static byte[] frame(Topology.Sent sent) {
        return ((Verdict.Consumed) sent.verdict()).emits().getFirst().frame();
    }

    @Test
    void knowsTheAddressesOfServices() {
        assertThat(ask("web.t.svc", A)).isEqualTo("0 10.96.0.80,10.96.0.81");
        assertThat(ask("web.t.svc", AAAA)).isEqualTo("0 fd00:96::80");
        assertThat(ask("p0.cache.t.svc", A)).isEqualTo("0 10.96.1.0");
        assertThat(ask("web.t.svc", DnsQuery.ANY)).isEqualTo("0 10.96.0.80,10.96.0.81,fd00:96::80");
    }

    @Test
    void readsNamesInUpperAndLowerCaseAndGivesThemBackAsTheyCame() {
        var sent = send(Dns.query(7, "wEB.T.Svc", A));
        assertThat(answer(sent)).isEqualTo("0 10.96.0.80,10.96.0.81");
        assertThat(new Dns(frame(sent)).name()).isEqualTo("wEB.T.Svc");
    }

    @Test
    void tellsNoSuchNameFromNoSuchAddress() {
        assertThat(ask("web.t.svc", TXT)).isEqualTo("0 ");
        assertThat(ask("p0.cache.t.svc", AAAA)).isEqualTo("0 ");
        assertThat(ask("cache.t.svc", A)).as("above a name").isEqualTo("0 ");
        assertThat(ask("svc", A)).isEqualTo("0 ");
        assertThat(ask("api.t.svc", A)).isEqualTo("3 ");
        assertThat(ask("x.web.t.svc", A)).isEqualTo("3 ");
    }

    @Test
    void knowsNothingOfOtherTenantsAndRefusesTheRestOfTheWorld() {
        assertThat(ask("web.rival.svc", A)).as("whether there is one or not").isEqualTo("3 ");
        assertThat(ask("example.org", A)).isEqualTo("5 ");
        assertThat(ask("web.t.svc.example.org", A)).isEqualTo("5 ");
        assertThat(ask("80.0.96.10.in-addr.arpa", 12)).isEqualTo("5 ");
        assertThat(ask("", 2)).as("the root").isEqualTo("5 ");
    }

    @Test
    void answersWhereItCameFromAndWithTheSameNumber() {
        var reply = new Dns(frame(send(Dns.query(0xbeef, "web.t.svc", A))));
        assertThat(reply.id()).isEqualTo(0xbeef);
        assertThat(reply.ends()).isEqualTo("10.0.1.1:53 > 10.0.1.5:4000");
        assertThat(reply.isSound()).as("checksums").isTrue();
        var v6 = net.inject(
                "a",
                Frames.udp("[fd00:1::5]:4000", "[fd00:1::1]:53")
                        .payload(Dns.query(7, "web.t.svc", AAAA))
                        .from(net.mac("a"))
                        .to(net.mac("r-b")));
        assertThat(new Dns(frame(v6)).ends()).isEqualTo("[fd00:1::1]:53 > [fd00:1::5]:4000");
        assertThat(answer(v6)).isEqualTo("0 fd00:96::80");
    }

    @Test
    void takesEdnsAndAnswersInKind() {
        byte[] query = Dns.extended(Dns.query(7, "web.t.svc", A), 4096, 0);
        var reply = new Dns(frame(send(query)));
        assertThat(reply.toString()).isEqualTo("0 10.96.0.80,10.96.0.81");
        assertThat(reply.additional()).isEqualTo(1);
        assertThat(answer(send(Dns.extended(Dns.query(7, "web.t.svc", A), 4096, 1))))
                .as("version 1")
                .isEqualTo("16 ");
        byte[] two = Dns.extended(query, 4096, 0);
        assertThat(answer(send(two))).as("twice").isEqualTo("1 ");
    }

    @Test
    void leavesOutWhatTheClientHasNoRoomForAndSaysSo() {
        net.change(t -> t.service("r", "n".repeat(63), "0x00004003", v6Only(16) + " tcp 80"));
        var full = new Dns(frame(send(Dns.query(7, "n".repeat(63) + ".t.svc", AAAA))));
        assertThat(full.isTruncated()).isTrue();
        assertThat(full.length()).isLessThanOrEqualTo(512);
        var roomy = new Dns(frame(send(Dns.extended(Dns.query(7, "n".repeat(63) + ".t.svc", AAAA), 1232, 0))));
        assertThat(roomy.isTruncated()).isFalse();
    }

    private static String v6Only(int count) {
        List<String> all = new ArrayList<>();
        for (int i = 1; i <= count; i++) {
            all.add("fd00:97::" + i);
        }
        return String.join(",", all);
    }

    @Test
    void saysWhatIsWrongWithAQueryAndNothingToAnAnswer() {
        byte[] query = Dns.query(7, "web.t.svc", A);
        byte[] update = query.clone();
        update[2] |= 5 << 3;
        assertThat(answer(send(update))).isEqualTo("4 ");
        byte[] two = query.clone();
        two[5] = 2;
        assertThat(answer(send(two))).isEqualTo("1 ");
        byte[] pointer = query.clone();
        pointer[12] = (byte) 0xc0;
        assertThat(answer(send(pointer))).isEqualTo("1 ");
        byte[] answers = query.clone();
        answers[2] |= (byte) 0x80;
        var ignored = send(answers);
        assertThat(ignored.outcome()).isEqualTo("drop for-dns-server");
        assertThat(ignored.emitted()).isEmpty();
        assertThat(send(new byte[5]).outcome()).isEqualTo("drop for-dns-server");
    }

    @Test
    void aTenantWithoutServicesHasNoDnsServer() {
        var plain = Topology.build(
                t -> t.bridge("b").router("r").join("b", "r", "10.0.1.1/24").vm("a", "b"));
        plain.settle("a", "10.0.1.5");
        assertThat(plain.inject(
                                "a",
                                Frames.udp("10.0.1.5:4000", "10.0.1.1:53")
                                        .payload(Dns.query(7, "web.t.svc", A))
                                        .from(plain.mac("a"))
                                        .to(plain.mac("r-b")))
                        .outcome())
                .isEqualTo("drop for-router");
    }

    @Test
    void dhcpTellsOfTheRouterWhereItSaysNoOtherServer() {
        String told = dhcp(DhcpSubnet.newBuilder().setSubnet("10.0.1.0/24").setRouter("10.0.1.1"));
        assertThat(told).contains("06040a000101").contains("0f05" + hex("t.svc"));
        String other = dhcp(DhcpSubnet.newBuilder()
                .setSubnet("10.0.1.0/24")
                .setRouter("10.0.1.1")
                .addDns("9.9.9.9")
                .setDomain("x"));
        assertThat(other).contains("060409090909").contains("0f01" + hex("x")).doesNotContain("06040a000101");
        String elsewhere = dhcp(DhcpSubnet.newBuilder().setSubnet("10.0.1.0/24").setRouter("10.0.1.254"));
        assertThat(elsewhere).as("no router of ours").doesNotContain("0604").doesNotContain("0f05");
    }

    private String dhcp(DhcpSubnet.Builder subnet) {
        String mac = "02:00:00:00:00:05";
        net.change(t -> t.bridge("b", subnet.build())
                .vm("v", "b", "here", port -> port.setMac(mac).addAddresses("10.0.1.7/24")));
        var discover = new byte[244];
        discover[0] = 1;
        discover[1] = 1;
        discover[2] = 6;
        System.arraycopy(new byte[] {2, 0, 0, 0, 0, 5}, 0, discover, 28, 6);
        System.arraycopy(new byte[] {0x63, (byte) 0x82, 0x53, 0x63, 53, 1, 1, (byte) 255}, 0, discover, 236, 8);
        var sent = net.inject(
                "v",
                Frames.udp("0.0.0.0:68", "255.255.255.255:67")
                        .payload(discover)
                        .from(mac)
                        .to("ff:ff:ff:ff:ff:ff"));
        return HexFormat.of().formatHex(frame(sent));
    }

    private static String hex(String text) {
        return HexFormat.of().formatHex(text.getBytes(StandardCharsets.US_ASCII));
    }

    @Test
    void answersWithoutAllocating() {
        List<Packet> packets = List.of(
                entering(Dns.query(7, "web.t.svc", A)),
                entering(Dns.extended(Dns.query(7, "api.t.svc", AAAA), 4096, 0)),
                entering(Dns.query(7, "example.org", A)));
        var out = new Outcome();
        Runnable round = () -> {
            for (int i = 0; i < 200_000; i++) {
                Packet packet = packets.get(i % packets.size());
                net.simulator().simulate(packet, packet.key.inPort() - 1, net.now, out);
            }
        };
        round.run();
        assertThat(Allocation.bytes(round)).isZero();
        assertThat(out.emitCount()).isEqualTo(1);
    }

    private Packet entering(byte[] message) {
        var packet = Frames.udp("10.0.1.5:4000", "10.0.1.1:53")
                .payload(message)
                .from(net.mac("a"))
                .to(net.mac("r-b"))
                .packet();
        packet.key.setIngress(net.portIndex("a") + 1, 0);
        return packet;
    }
}
