package dev.weft.topology;

import static org.assertj.core.api.Assertions.assertThat;

import com.google.protobuf.ByteString;
import com.google.protobuf.Message;
import com.google.protobuf.UnknownFieldSet;
import dev.weft.base.IpAddress;
import dev.weft.base.MacAddress;
import dev.weft.topology.TableKind.MacKey;
import dev.weft.topology.TableKind.NeighbourValue;
import dev.weft.topology.TableKind.TunnelTarget;
import dev.weft.topology.schema.AddressGroup;
import dev.weft.topology.schema.Bridge;
import dev.weft.topology.schema.Chain;
import dev.weft.topology.schema.ChangeWait;
import dev.weft.topology.schema.Conditions;
import dev.weft.topology.schema.Neighbour;
import dev.weft.topology.schema.Port;
import dev.weft.topology.schema.PortGroup;
import dev.weft.topology.schema.Redirect;
import dev.weft.topology.schema.Route;
import dev.weft.topology.schema.Rule;
import dev.weft.topology.schema.SecurityGroup;
import dev.weft.topology.schema.SecurityRule;
import dev.weft.topology.schema.TableShape;
import dev.weft.topology.schema.Tenant;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.UUID;
import org.junit.jupiter.api.Test;

/**
 * What a release has stored, every later one reads. The files of a released version are never written again;
 * {@code -Dgolden.write=DIR} writes those of the present one.
 */
class GoldenFilesTest {
    private static final Tenant TENANT = Samples.tenant("acme");
    private static final UUID HOST = Samples.id("host", "h1");
    private static final UUID PORT = Samples.id("port", "p");

    private static Map<String, Message> messages() {
        var all = new LinkedHashMap<String, Message>();
        all.put("tenant", TENANT);
        all.put("host", Samples.host("h1", "fd00::1"));
        all.put(
                "bridge",
                Samples.bridge(TENANT, "b").toBuilder()
                        .addNeighbours(
                                Neighbour.newBuilder().setAddress("10.0.0.5").setMac("02:00:00:00:00:05"))
                        .build());
        all.put("router", Samples.router(TENANT, "r"));
        all.put(
                "port-exterior",
                Samples.port(Samples.bridge(TENANT, "b"), "vm").toBuilder()
                        .setHostId(HOST.toString())
                        .setInterface("eth1")
                        .setNamespace("ns1")
                        .setStateful(true)
                        .build());
        all.put(
                "port-interior",
                Samples.port(Samples.router(TENANT, "r"), "up", "10.0.0.1/24").toBuilder()
                        .setPeerId(PORT.toString())
                        .setMac("02:00:00:00:00:01")
                        .addAddresses("fd00:1::1/64")
                        .build());
        all.put(
                "route",
                Route.newBuilder()
                        .setId(Samples.id("route", "x").toString())
                        .setName("x")
                        .setTenantId(TENANT.getId())
                        .setRouterId(Samples.id("router", "r").toString())
                        .setDestination("0.0.0.0/0")
                        .setSource("10.0.0.0/8")
                        .setAction(Route.Action.REJECT)
                        .setWeight(7)
                        .build());
        all.put("chain", chain());
        all.put(
                "address-group",
                AddressGroup.newBuilder()
                        .setId(Samples.id("group", "web").toString())
                        .setName("web")
                        .setTenantId(TENANT.getId())
                        .addAddresses("10.0.0.5")
                        .addAddresses("fd00::/8")
                        .build());
        all.put(
                "port-group",
                PortGroup.newBuilder()
                        .setId(Samples.id("group", "all").toString())
                        .setName("all")
                        .setTenantId(TENANT.getId())
                        .build());
        all.put("security-group", securityGroup());
        all.put(
                "port-with-security-groups",
                Samples.port(Samples.bridge(TENANT, "b"), "guarded").toBuilder()
                        .addSecurityGroupIds(Samples.id("group", "web").toString())
                        .build());
        all.put(
                "port-with-chains",
                Samples.port(Samples.bridge(TENANT, "b"), "ruled").toBuilder()
                        .setInboundChainId(Samples.id("chain", "c").toString())
                        .setOutboundChainId(Samples.id("chain", "d").toString())
                        .addPortGroupIds(Samples.id("group", "all").toString())
                        .build());
        all.put(
                "router-with-chains",
                Samples.router(TENANT, "ruled").toBuilder()
                        .setInboundChainId(Samples.id("chain", "a").toString())
                        .setOutboundChainId(Samples.id("chain", "b").toString())
                        .setLocalRedirectChainId(Samples.id("chain", "c").toString())
                        .setForwardChainId(Samples.id("chain", "d").toString())
                        .build());
        all.put("stored-object", LogCodec.stored(TENANT, 42));
        all.put(
                "log-entry",
                LogCodec.entry(
                        43,
                        ByteString.copyFromUtf8("sixteen octets.."),
                        new Batch(List.of(TENANT), List.of(new ObjectRef(Schema.kindOf(Port.class), PORT)), Set.of())));
        all.put("table-shape", TableShape.newBuilder().setBuckets(16).build());
        all.put(
                "change-wait",
                ChangeWait.newBuilder()
                        .setChange(44)
                        .addHostIds(HOST.toString())
                        .build());
        return all;
    }

    /** Every field once. */
    private static Chain chain() {
        var match = Conditions.newBuilder()
                .addSource("10.0.0.0/8")
                .addDestination("10.0.0.5")
                .addSourceGroupIds(Samples.id("group", "web").toString())
                .addDestinationGroupIds(Samples.id("group", "web").toString())
                .addProtocol("tcp")
                .addSourcePort("1024-65535")
                .addDestinationPort("80")
                .addIcmp("3/13")
                .addEthertype("ipv4")
                .addSourceMac("02:00:00:00:00:01")
                .addDestinationMac("02:00:00:00:00:00/ff:00:00:00:00:00")
                .addVlan("none")
                .addDscp("46")
                .setFragments(Conditions.Fragments.UNFRAGMENTED)
                .addInPortIds(PORT.toString())
                .addOutPortIds(PORT.toString())
                .addInGroupIds(Samples.id("group", "all").toString())
                .addOutGroupIds(Samples.id("group", "all").toString())
                .addCrossedBridgeIds(Samples.id("bridge", "b").toString())
                .addCrossedRouterIds(Samples.id("router", "r").toString())
                .addCrossedPortIds(PORT.toString())
                .addQuotedSource("10.0.0.1")
                .addQuotedDestination("10.0.0.2");
        return Chain.newBuilder()
                .setId(Samples.id("chain", "c").toString())
                .setName("c")
                .setTenantId(TENANT.getId())
                .addRules(Rule.newBuilder()
                        .setName("all")
                        .setMatch(match)
                        .setNot(Conditions.newBuilder().addVlan("5-7"))
                        .setInvert(true)
                        .setAction(Rule.Action.REJECT))
                .addRules(Rule.newBuilder().setJumpId(Samples.id("chain", "d").toString()))
                .addRules(Rule.newBuilder().setGotoId(Samples.id("chain", "e").toString()))
                .addRules(Rule.newBuilder()
                        .setRedirect(
                                Redirect.newBuilder().setPortId(PORT.toString()).setDirection(Redirect.Direction.IN)))
                .build();
    }

    private static SecurityGroup securityGroup() {
        return SecurityGroup.newBuilder()
                .setId(Samples.id("group", "web").toString())
                .setName("web")
                .setTenantId(TENANT.getId())
                .addIngress(SecurityRule.newBuilder()
                        .setName("http")
                        .setFamily(SecurityRule.Family.IPV6)
                        .addProtocol("tcp")
                        .addPort("80")
                        .addRemote("fd00::/8")
                        .addRemoteAddressGroupIds(Samples.id("group", "web").toString())
                        .addRemoteGroupIds(Samples.id("group", "web").toString()))
                .addEgress(SecurityRule.newBuilder().addIcmp("8"))
                .setDenyEgress(true)
                .setStateless(true)
                .build();
    }

    private static String entryNames() {
        return String.join(
                "\n",
                name(TableKind.MACS, new MacKey(5, new MacAddress(0x020000000007L)), PORT),
                name(
                        TableKind.NEIGHBOURS,
                        IpAddress.parse("fd00::9"),
                        new NeighbourValue(new MacAddress(0x020000000009L), PORT, HOST)),
                name(TableKind.TUNNEL_KEYS, new TunnelTarget(TunnelTarget.What.FLOOD, PORT, HOST), 0x02abcd),
                "");
    }

    private static <K, V> String name(TableKind<K, V> kind, K key, V value) {
        return EntryName.prefix(kind.keys().encode(key), kind.values().encode(value), HOST, 0x1234L) + "0000000077";
    }

    @Test
    void everythingStoredByVersion1IsRead() throws IOException {
        for (Map.Entry<String, Message> golden : messages().entrySet()) {
            byte[] stored = resource(golden.getKey() + ".bin");
            Message read = golden.getValue().getParserForType().parseFrom(stored);
            assertThat(read).as(golden.getKey()).isEqualTo(golden.getValue());
        }
    }

    @Test
    void tableEntriesOfVersion1AreRead() throws IOException {
        assertThat(new String(resource("entry-names.txt"), StandardCharsets.UTF_8))
                .isEqualTo(entryNames());
        for (String line : entryNames().lines().toList()) {
            EntryName name = EntryName.parse(line).orElseThrow();
            assertThat(name.host()).isEqualTo(HOST);
            assertThat(name.incarnation()).isEqualTo(0x1234L);
            assertThat(name.sequence()).isEqualTo(77);
        }
    }

    /** An older release must not lose what a newer one wrote. */
    @Test
    void unknownFieldsAreKept() throws IOException {
        var newer = UnknownFieldSet.newBuilder()
                .addField(999, UnknownFieldSet.Field.newBuilder().addVarint(1).build())
                .build();
        Bridge bridge =
                Samples.bridge(TENANT, "b").toBuilder().setUnknownFields(newer).build();
        Bridge read = Bridge.parseFrom(bridge.toByteString());
        assertThat(read.toBuilder().setName("other").build().toByteArray())
                .isEqualTo(bridge.toBuilder().setName("other").build().toByteArray());
        assertThat(read.getUnknownFields().hasField(999)).isTrue();
    }

    @Test
    void writesThePresentVersionWhenAsked() throws IOException {
        String dir = System.getProperty("golden.write", "");
        if (dir.isEmpty()) {
            return;
        }
        Path target = Files.createDirectories(Path.of(dir));
        for (Map.Entry<String, Message> golden : messages().entrySet()) {
            Files.write(
                    target.resolve(golden.getKey() + ".bin"), golden.getValue().toByteArray());
        }
        Files.writeString(target.resolve("entry-names.txt"), entryNames());
    }

    private static byte[] resource(String name) throws IOException {
        try (InputStream in = GoldenFilesTest.class.getResourceAsStream("/golden/v1/" + name)) {
            return Objects.requireNonNull(in, name).readAllBytes();
        }
    }
}
