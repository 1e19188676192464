package dev.weft.sim;

import dev.weft.base.Hashing;
import dev.weft.base.IpPrefix;
import dev.weft.base.ServiceId;
import dev.weft.base.ServicePrefix;
import dev.weft.base.Tag;
import dev.weft.topology.MatchText;
import dev.weft.topology.schema.Balancer;
import dev.weft.topology.schema.Nat;
import dev.weft.topology.schema.Service;
import dev.weft.topology.schema.ServicePort;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import java.util.function.Function;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/** Reads the translation rules, balancers and addresses of services of one router from their messages. */
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

    private final Map<ServiceId, BoundService> services;

    /**
     * @param pools compiled, by id
     * @param services those that addresses of the router stand for
     */
    NatCompiler(Map<UUID, Integer> portIndices, Map<String, MemberPool> pools, Map<ServiceId, BoundService> services) {
        this.portIndices = portIndices;
        this.pools = pools;
        this.services = services;
    }

    NatTable compile(List<Nat> nats, List<Balancer> balancers, List<Service> addressed, List<Port> ports) {
        boolean checks = ports.stream().anyMatch(port -> port.forChecks);
        if (nats.isEmpty() && balancers.isEmpty() && addressed.isEmpty() && !checks) {
            return NatTable.EMPTY;
        }
        List<NatRule> rules = Stream.of(
                        nats.stream().map(this::read),
                        balancers.stream().map(this::read),
                        addressed.stream().flatMap(this::read))
                .flatMap(Function.identity())
                .sorted(Comparator.comparing(NatRule::name).thenComparing(NatRule::id))
                .toList();
        List<NatRule> hairpins = balancers.isEmpty() && addressed.isEmpty() && !checks
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
                bound(message.getService()),
                message.getSticky());
    }

    private @Nullable BoundService bound(String service) {
        return service.isEmpty()
                ? null
                : services.get(ServicePrefix.parse(service).id());
    }

    private Stream<NatRule> read(Service message) {
        return message.getAddressesList().stream()
                .map(MatchText::network)
                .flatMap(address -> message.getPortsList().stream().map(port -> read(message, address, port)));
    }

    private NatRule read(Service message, IpPrefix address, ServicePort port) {
        UUID id = UUID.fromString(message.getId());
        MatchText.Range asked = MatchText.ports(port.getPort());
        int target = port.getTargetPort() == 0 ? NatRule.ANY : port.getTargetPort();
        return new NatRule(
                id,
                message.getName(),
                NatRule.Kind.BALANCE,
                Tag.device(id),
                Port.NONE,
                address.isV4() ? ANY_V4 : ANY_V6,
                address,
                MatchText.protocol(port.getProtocol()),
                asked.low(),
                asked.high(),
                List.of(),
                target,
                target,
                null,
                bound(message.getService()),
                false);
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
