package dev.weft.sim;

import dev.weft.base.IpPrefix;
import dev.weft.base.Tag;
import dev.weft.topology.MatchText;
import dev.weft.topology.schema.Nat;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.UUID;

/** Reads the translation rules of one router from their messages. */
final class NatCompiler {
    private static final IpPrefix ANY_V4 = IpPrefix.parse("0.0.0.0/0");
    private static final IpPrefix ANY_V6 = new IpPrefix(0, 0, 0);
    /** Ports that no service is known by (RFC 6056 section 3.2). */
    private static final int FIRST_PORT = 1024;

    private static final int LAST_PORT = 0xffff;

    private final Map<UUID, Integer> portIndices;

    NatCompiler(Map<UUID, Integer> portIndices) {
        this.portIndices = portIndices;
    }

    NatTable compile(List<Nat> messages) {
        if (messages.isEmpty()) {
            return NatTable.EMPTY;
        }
        return new NatTable(messages.stream()
                .sorted(Comparator.comparing(Nat::getName).thenComparing(Nat::getId))
                .map(this::read)
                .toList());
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
                given.high());
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
