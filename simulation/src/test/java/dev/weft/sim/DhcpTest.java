package dev.weft.sim;

import static org.assertj.core.api.Assertions.assertThat;

import dev.weft.base.IpAddress;
import dev.weft.base.MacAddress;
import dev.weft.base.Property;
import dev.weft.sim.packet.Dhcp;
import dev.weft.sim.packet.Frames;
import dev.weft.topology.schema.DhcpHost;
import dev.weft.topology.schema.DhcpOption;
import dev.weft.topology.schema.DhcpRoute;
import dev.weft.topology.schema.DhcpSubnet;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

/** What a bridge's DHCP server says, as a specification. */
class DhcpTest {
    private static final String VM = "02:00:00:00:00:05";
    private static final String STATIC = "02:00:00:00:00:77";
    private static final int BROADCAST = 0x8000;

    private final Topology net = Topology.build(t -> t.bridge(
                    "b",
                    DhcpSubnet.newBuilder()
                            .setSubnet("10.0.1.0/24")
                            .setRouter("10.0.1.1")
                            .addDns("10.0.1.53")
                            .addDns("9.9.9.9")
                            .setDomain("example.test")
                            .addNtp("10.0.1.123")
                            .addRoutes(DhcpRoute.newBuilder()
                                    .setDestination("10.9.0.0/16")
                                    .setGateway("10.0.1.7"))
                            .setLeaseSeconds(3600)
                            .addOptions(DhcpOption.newBuilder().setCode(66).setText("boot"))
                            .addHosts(DhcpHost.newBuilder()
                                    .setMac(STATIC)
                                    .setAddress("10.0.1.77")
                                    .setName("web")
                                    .addOptions(
                                            DhcpOption.newBuilder().setCode(66).setHex("414243")))
                            .build())
            .router("r")
            .join("b", "r", "10.0.1.1/24")
            .vm(
                    "a",
                    "b",
                    "here",
                    port -> port.setMac(VM).addAddresses("10.0.1.5/24").setStateful(true))
            .vm("z", "b")
            .vm("o", "b"));

    /** A message with these options, {@code code=hex}. */
    private static Message message(int type, String mac) {
        return new Message(type, mac);
    }

    /** What a client sends. */
    private static final class Message {
        private final ByteBuffer octets = ByteBuffer.allocate(600);
        private final String mac;

        Message(int type, String mac) {
            this.mac = mac;
            octets.put(new byte[] {1, 1, 6, 0}).putInt(0x1234_5678);
            long bits = MacAddress.parse(mac).bits();
            octets.putShort(28, (short) (bits >>> 32)).putInt(30, (int) bits);
            octets.putInt(236, 0x6382_5363).position(240);
            option(Dhcp.MESSAGE_TYPE, "%02x".formatted(type));
        }

        Message option(int code, String hex) {
            byte[] value = HexFormat.of().parseHex(hex);
            octets.put((byte) code).put((byte) value.length).put(value);
            return this;
        }

        Message flags(int flags) {
            octets.putShort(10, (short) flags);
            return this;
        }

        Message has(String address) {
            octets.putInt(12, IpAddress.parse(address).v4Bits());
            return this;
        }

        byte[] bytes() {
            octets.put((byte) Dhcp.END);
            return Arrays.copyOf(octets.array(), octets.position());
        }

        Frames frame() {
            return Frames.udp("0.0.0.0:68", "255.255.255.255:67")
                    .payload(bytes())
                    .from(mac)
                    .to("ff:ff:ff:ff:ff:ff");
        }
    }

    /** An answer taken apart. */
    private record Answer(String toMac, String to, String from, String yours, Map<Integer, String> options) {
        static Answer of(byte[] frame) {
            var in = ByteBuffer.wrap(frame);
            assertThat(in.getShort(12)).isEqualTo((short) 0x0800);
            assertThat(in.getShort(34)).as("from the server's port").isEqualTo((short) 67);
            assertThat(in.getInt(46)).as("the transaction").isEqualTo(0x1234_5678);
            Map<Integer, String> options = new TreeMap<>();
            int at = 14 + 28 + 240;
            while ((frame[at] & 0xff) != Dhcp.END) {
                int length = frame[at + 1] & 0xff;
                options.put(frame[at] & 0xff, HexFormat.of().formatHex(frame, at + 2, at + 2 + length));
                at += 2 + length;
            }
            return new Answer(
                    HexFormat.ofDelimiter(":").formatHex(frame, 0, 6),
                    IpAddress.ofV4(in.getInt(30)).toString(),
                    IpAddress.ofV4(in.getInt(26)).toString(),
                    IpAddress.ofV4(in.getInt(14 + 28 + 16)).toString(),
                    options);
        }

        int type() {
            return Integer.parseInt(options.get(Dhcp.MESSAGE_TYPE), 16);
        }
    }

    private Answer answer(String port, Frames frame) {
        var sent = net.inject(port, frame);
        assertThat(sent.outcome()).isEqualTo("consumed");
        assertThat(sent.emitted()).singleElement().asString().contains("-> output " + port);
        return Answer.of(sent.verdict().emits().getFirst().frame());
    }

    @Test
    void offersTheAddressThatThePortDeclares() {
        var offer = answer("a", message(Dhcp.DISCOVER, VM).frame());
        assertThat(offer.type()).isEqualTo(Dhcp.OFFER);
        assertThat(offer.yours()).isEqualTo("10.0.1.5");
        assertThat(offer.from()).isEqualTo("10.0.1.1");
        assertThat(offer.to()).as("it takes a unicast").isEqualTo("10.0.1.5");
        assertThat(offer.toMac()).isEqualTo(VM);
    }

    @Test
    void tellsEveryOptionOfTheSubnet() {
        var options = answer("a", message(Dhcp.DISCOVER, VM).frame()).options();
        assertThat(options)
                .containsEntry(Dhcp.SERVER, "0a000101")
                .containsEntry(Dhcp.SUBNET_MASK, "ffffff00")
                .containsEntry(Dhcp.ROUTER, "0a000101")
                .containsEntry(Dhcp.DNS, "0a00013509090909")
                .containsEntry(
                        Dhcp.DOMAIN, HexFormat.of().formatHex("example.test".getBytes(StandardCharsets.US_ASCII)))
                .containsEntry(Dhcp.NTP, "0a00017b")
                .containsEntry(Dhcp.LEASE_SECONDS, "00000e10")
                .containsEntry(Dhcp.RENEWAL_SECONDS, "00000708")
                .containsEntry(Dhcp.REBINDING_SECONDS, "00000c4e")
                .containsEntry(Dhcp.ROUTES, "100a090a000107" + "000a000101")
                .containsEntry(66, "626f6f74");
        assertThat(options).as("what the tunnel takes").containsEntry(Dhcp.MTU, "05aa");
    }

    @Test
    void aStaticHostHasOptionsOfItsOwn() {
        var offer = answer("z", message(Dhcp.DISCOVER, STATIC).frame());
        assertThat(offer.yours()).isEqualTo("10.0.1.77");
        assertThat(offer.options()).containsEntry(Dhcp.HOST_NAME, "776562").containsEntry(66, "414243");
    }

    @Test
    void aClientThatCannotTakeAUnicastIsAnsweredToAll() {
        var offer = answer("a", message(Dhcp.DISCOVER, VM).flags(BROADCAST).frame());
        assertThat(offer.toMac()).isEqualTo("ff:ff:ff:ff:ff:ff");
        assertThat(offer.to()).isEqualTo("255.255.255.255");
    }

    @Test
    void acknowledgesTheAddressAndNoOther() {
        var request = message(Dhcp.REQUEST, VM).option(Dhcp.SERVER, "0a000101");
        assertThat(answer(
                                "a",
                                request.option(Dhcp.REQUESTED_ADDRESS, "0a000105")
                                        .frame())
                        .type())
                .isEqualTo(Dhcp.ACK);
        var refusal = answer(
                "a",
                message(Dhcp.REQUEST, VM)
                        .option(Dhcp.REQUESTED_ADDRESS, "0a000106")
                        .frame());
        assertThat(refusal.type()).isEqualTo(Dhcp.NAK);
        assertThat(refusal.yours()).isEqualTo("0.0.0.0");
        assertThat(refusal.to()).isEqualTo("255.255.255.255");
        assertThat(refusal.options()).doesNotContainKeys(Dhcp.LEASE_SECONDS, Dhcp.ROUTER);
    }

    @Test
    void aRenewalGoesToTheRoutersAddressAndComesBack() {
        var renewal = Frames.udp("10.0.1.5:68", "10.0.1.1:67")
                .payload(message(Dhcp.REQUEST, VM).has("10.0.1.5").bytes())
                .from(VM)
                .to(net.mac("r-b"));
        var ack = answer("a", renewal);
        assertThat(ack.type()).isEqualTo(Dhcp.ACK);
        assertThat(ack.to()).isEqualTo("10.0.1.5");
        assertThat(ack.toMac()).isEqualTo(VM);
    }

    @Test
    void aServerOfItsOwnIsThereForArpAndRenewals() {
        net.change(t -> t.bridge(
                "b",
                DhcpSubnet.newBuilder()
                        .setSubnet("10.0.1.0/24")
                        .setServer("10.0.1.2")
                        .build()));
        var asked = net.inject("a", Frames.arpRequest("10.0.1.5", "10.0.1.2").from(VM));
        assertThat(asked.outcome()).isEqualTo("consumed");
        byte[] reply = asked.verdict().emits().getFirst().frame();
        String server = HexFormat.ofDelimiter(":").formatHex(reply, 6, 12);
        var renewal = Frames.udp("10.0.1.5:68", "10.0.1.2:67")
                .payload(message(Dhcp.REQUEST, VM).has("10.0.1.5").bytes())
                .from(VM)
                .to(server);
        assertThat(answer("a", renewal).from()).isEqualTo("10.0.1.2");
        assertThat(net.inject(
                                "a",
                                Frames.udp("10.0.1.5:1", "10.0.1.2:2").from(VM).to(server))
                        .outcome())
                .isEqualTo("drop for-dhcp-server");
    }

    @Test
    void informIsAnsweredWithoutALease() {
        var answer = answer("a", message(Dhcp.INFORM, VM).has("10.0.1.5").frame());
        assertThat(answer.type()).isEqualTo(Dhcp.ACK);
        assertThat(answer.yours()).isEqualTo("0.0.0.0");
        assertThat(answer.options()).containsKey(Dhcp.DNS).doesNotContainKey(Dhcp.LEASE_SECONDS);
    }

    @Test
    void releaseAndDeclineAreTakenInSilence() {
        for (int type : new int[] {Dhcp.RELEASE, Dhcp.DECLINE}) {
            var sent = net.inject("a", message(type, VM).frame());
            assertThat(sent.outcome()).isEqualTo("consumed");
            assertThat(sent.emitted()).isEmpty();
        }
    }

    @Test
    void clientsItDoesNotKnowAreLeftToOthers() {
        assertThat(net.inject("z", message(Dhcp.DISCOVER, "02:00:00:00:00:99").frame())
                        .outcome())
                .isEqualTo("output o");
        assertThat(net.inject(
                                "a",
                                message(Dhcp.REQUEST, VM)
                                        .option(Dhcp.SERVER, "0a000163")
                                        .frame())
                        .outcome())
                .as("it has chosen another server")
                .contains("output z")
                .contains("output o");
        var other = message(Dhcp.DISCOVER, STATIC).frame().from("02:00:00:00:00:99");
        assertThat(net.inject("z", other).emitted()).as("in another's name").isEmpty();
    }

    @Test
    void theMtuIsTheConfiguredOneWhereTheTunnelTakesIt() {
        for (var each : Map.of(1300, "0514", 9000, "05aa").entrySet()) {
            net.change(t -> t.bridge(
                    "b",
                    DhcpSubnet.newBuilder()
                            .setSubnet("10.0.1.0/24")
                            .setRouter("10.0.1.1")
                            .setMtu(each.getKey())
                            .build()));
            assertThat(answer("a", message(Dhcp.DISCOVER, VM).frame()).options())
                    .containsEntry(Dhcp.MTU, each.getValue());
        }
    }

    @Test
    void aVlanHasItsOwnServer() {
        net.change(t -> t.bridge(
                        "b",
                        DhcpSubnet.newBuilder()
                                .setSubnet("10.7.0.0/24")
                                .setServer("10.7.0.2")
                                .setVlan(7)
                                .addHosts(DhcpHost.newBuilder().setMac(STATIC).setAddress("10.7.0.9"))
                                .build())
                .vm("trunk", "b", "here", port -> port.addTrunk("7-8")));
        var sent = net.inject("trunk", message(Dhcp.DISCOVER, STATIC).frame().vlan(7));
        assertThat(sent.emitted()).singleElement().asString().contains("vlan 7").endsWith("-> output trunk");
        assertThat(net.inject("trunk", message(Dhcp.DISCOVER, STATIC).frame().vlan(8))
                        .emitted())
                .isEmpty();
    }

    @Test
    void whenAServerIsThereBroadcastsAreLookedInto() {
        net.change(t -> t.bridge("b"));
        net.inject("a", message(Dhcp.DISCOVER, VM).frame());
        assertThat(net.flows()).hasSize(1);
        net.change(t -> t.bridge(
                "b",
                DhcpSubnet.newBuilder()
                        .setSubnet("10.0.1.0/24")
                        .setRouter("10.0.1.1")
                        .build()));
        assertThat(net.flows()).isEmpty();
        assertThat(answer("a", message(Dhcp.DISCOVER, VM).frame()).yours()).isEqualTo("10.0.1.5");
    }

    @Test
    void aSmallClientGetsWhatFitsIt() {
        var large = DhcpSubnet.newBuilder().setSubnet("10.0.1.0/24").setRouter("10.0.1.1");
        IntStream.range(0, 4)
                .forEach(i -> large.addOptions(
                        DhcpOption.newBuilder().setCode(200 + i).setText("x".repeat(200))));
        net.change(t -> t.bridge("b", large.build()));
        assertThat(answer("a", message(Dhcp.DISCOVER, VM).frame()).options())
                .containsKeys(Dhcp.ROUTER, Dhcp.MTU, 200)
                .doesNotContainKeys(201, 202, 203);
        assertThat(answer(
                                "a",
                                message(Dhcp.DISCOVER, VM)
                                        .option(Dhcp.MAX_SIZE, "0500")
                                        .frame())
                        .options())
                .containsKeys(200, 201, 202, 203);
    }

    @Test
    void noMessageHoweverBrokenIsMoreThanIgnored() {
        Property.check("dhcp", 300, random -> {
            byte[] octets = message(1 + random.nextInt(9), VM)
                    .option(Dhcp.REQUESTED_ADDRESS, "0a000105")
                    .option(Dhcp.MAX_SIZE, "%04x".formatted(random.nextInt(0x10000)))
                    .bytes();
            for (int i = random.nextInt(6); i > 0; i--) {
                int at = List.of(0, 1, 2, 10, 24, 28, 236, 240, 241, octets.length - 1)
                        .get(random.nextInt(10));
                octets[at] = (byte) random.nextInt(256);
            }
            byte[] cut = Arrays.copyOf(octets, random.nextInt(3) == 0 ? random.nextInt(octets.length) : octets.length);
            var sent = net.inject(
                    "a",
                    Frames.udp("0.0.0.0:68", "255.255.255.255:67")
                            .payload(cut)
                            .from(VM)
                            .to("ff:ff:ff:ff:ff:ff"));
            assertThat(sent.cacheable()).isFalse();
            assertThat(sent.emitted().size()).isLessThanOrEqualTo(1);
            sent.verdict()
                    .emits()
                    .forEach(emit -> assertThat(Answer.of(emit.frame()).from()).isEqualTo("10.0.1.1"));
        });
    }
}
