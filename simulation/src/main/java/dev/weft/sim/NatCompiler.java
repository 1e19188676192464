package dev.weft.sim;

import dev.weft.base.Hashing;
import dev.weft.base.IpPrefix;
import dev.weft.base.Tag;
import dev.weft.topology.MatchText;
import dev.weft.topology.schema.Balancer;
import dev.weft.topology.schema.Nat;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import java.util.stream.IntStream;
import java.util.stream.Stream;

/** Reads the translation rules and balancers of one router from their messages. */
final class NatCompiler {
    private static final IpPrefix ANY_V4 = IpPrefix.parse("0.0.0.0/0");
    private static final IpPrefix ANY_V6 = new IpPrefix(0, 0, 0);
    /** Ports that no service is known by (RFC 6056 section 3.2). */
    private static final int FIRST_PORT = 1024;

    private static final int LAST_PORT = 0xffff;
    private static final int ADDRESS = 128;

    /** Of the ports of hairpins: above those that services of the router itself are known by. */
    private static final int FIRST_HAIRPIN_PORT = 32_768;

    private final Map<UUID, Integer> portIndices;
    private final Map<String, MemberPool> pools;

    /** @param pools compiled, by id */
    NatCompiler(Map<UUID, Integer> portIndices, Map<String, MemberPool> pools) {
        this.portIndices = portIndices;
        this.pools = pools;
    }

    NatTable compile(List<Nat> nats, List<Balancer> balancers, List<Port> ports) {
        boolean checks = ports.stream().anyMatch(port -> port.forChecks);
        if (nats.isEmpty() && balancers.isEmpty() && !checks) {
            return NatTable.EMPTY;
        }
        List<NatRule> rules = Stream.concat(
                        nats.stream().map(this::read), balancers.stream().map(this::read))
                .sorted(Comparator.comparing(NatRule::name).thenComparing(NatRule::id))
                .toList();
        List<NatRule> hairpins = balancers.isEmpty() && !checks
                ? List.of()
                : ports.stream()
                        .filter(port -> !port.forChecks)
                        .flatMap(NatCompiler::hairpins)
                        .toList();
        return new NatTable(rules, hairpins);
    }

    private NatRule read(Balancer message) {
        UUID id = UUID.fromString(message.getId());
        IpPrefix address = MatchText.network(message.getAddress());
        MatchText.Range asked = MatchText.ports(message.getPort());
        return new NatRule(
                id,
                message.getName(),
                NatRule.Kind.BALANCE,
                Tag.device(id),
                Port.NONE,
                address.isV4() ? ANY_V4 : ANY_V6,
                address,
                MatchText.protocol(message.getProtocol()),
                asked.low(),
                asked.high(),
                List.of(),
                NatRule.ANY,
                NatRule.ANY,
                pools.get(message.getPoolId()),
                message.getSticky());
    }

    /** The first address of each family. */
    private static Stream<NatRule> hairpins(Port port) {
        return Stream.of(true, false)
                .flatMap(v4 -> IntStream.range(0, port.addressCount())
                        .mapToObj(i -> new IpPrefix(port.addressHigh(i), port.addressLow(i), ADDRESS))
                        .filter(address -> address.isV4() == v4)
                        .limit(1)
                        .map(address -> hairpin(port, address)));
    }

    /** Its pool is the address's: ids of objects have a version in them, this one has none. */
    private static NatRule hairpin(Port port, IpPrefix address) {
        UUID id = new UUID(
                Hashing.combine(port.id.getMostSignificantBits(), address.low()),
                Hashing.combine(port.id.getLeastSignificantBits(), address.high()));
        return new NatRule(
                id,
                "hairpin at " + port.name,
                NatRule.Kind.SOURCE,
                Tag.device(id),
                port.index,
                address.isV4() ? ANY_V4 : ANY_V6,
                address.isV4() ? ANY_V4 : ANY_V6,
                NatRule.ANY,
                0,
                LAST_PORT,
                List.of(address),
                FIRST_HAIRPIN_PORT,
                LAST_PORT,
                null,
                false);
    }

    private NatRule read(Nat message) {
        List<IpPrefix> addresses =
                message.getAddressesList().stream().map(MatchText::network).toList();
        IpPrefix any = addresses.getFirst().isV4() ? ANY_V4 : ANY_V6;
        MatchText.Range asked = message.getDestinationPort().isEmpty()
                ? new MatchText.Range(0, LAST_PORT)
                : MatchText.ports(message.getDestinationPort());
        NatRule.Kind kind =
                switch (message.getType()) {
                    case SOURCE, UNRECOGNIZED -> NatRule.Kind.SOURCE;
                    case DESTINATION -> NatRule.Kind.DESTINATION;
                    case STATIC -> NatRule.Kind.STATIC;
                };
        MatchText.Range given = given(message, kind);
        UUID id = UUID.fromString(message.getId());
        return new NatRule(
                id,
                message.getName(),
                kind,
                Tag.device(id),
                message.getPortId().isEmpty() ? Port.NONE : NetworkCompiler.indexOf(portIndices, message.getPortId()),
                message.getSource().isEmpty() ? any : MatchText.network(message.getSource()),
                message.getDestination().isEmpty() ? any : MatchText.network(message.getDestination()),
                message.getProtocol().isEmpty() ? NatRule.ANY : MatchText.protocol(message.getProtocol()),
                asked.low(),
                asked.high(),
                addresses,
                given.low(),
                given.high(),
                null,
                false);
    }

    private static MatchText.Range given(Nat message, NatRule.Kind kind) {
        if (!message.getPorts().isEmpty()) {
            return MatchText.ports(message.getPorts());
        }
        return kind == NatRule.Kind.SOURCE
                ? new MatchText.Range(FIRST_PORT, LAST_PORT)
                : new MatchText.Range(NatRule.ANY, NatRule.ANY);
    }
}
