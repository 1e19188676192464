package dev.weft.topology;

import dev.weft.base.IpPrefix;
import dev.weft.topology.schema.Nat;
import dev.weft.topology.schema.Port;
import java.util.Optional;
import java.util.UUID;

/** What a translation rule must say so that a router can follow it. Formats and references were checked before. */
final class NatRules {
    private final Draft draft;
    private final Reporter reporter;

    /** Takes a problem of one field. */
    interface Reporter {
        void report(String field, String value, String expected);
    }

    NatRules(Draft draft, Reporter reporter) {
        this.draft = draft;
        this.reporter = reporter;
    }

    void check(Nat nat) {
        if (nat.getAddressesCount() == 0) {
            reporter.report(
                    "addresses",
                    "",
                    "missing: what the " + (nat.getType() == Nat.Type.DESTINATION ? "destination" : "source")
                            + " becomes, like 203.0.113.10 or 203.0.113.16/28");
            return;
        }
        checkFamilies(nat);
        checkPort(nat);
        checkTransport(nat);
        switch (nat.getType()) {
            case SOURCE, UNRECOGNIZED -> {}
            case DESTINATION -> {
                if (nat.getDestination().isEmpty()) {
                    reporter.report("destination", "", "missing: which address outside is translated");
                }
            }
            case STATIC -> checkStatic(nat);
        }
    }

    private void checkFamilies(Nat nat) {
        boolean v4 = MatchText.network(nat.getAddresses(0)).isV4();
        nat.getAddressesList().forEach(address -> checkFamily("addresses", address, v4, nat.getAddresses(0)));
        checkFamily("source", nat.getSource(), v4, nat.getAddresses(0));
        checkFamily("destination", nat.getDestination(), v4, nat.getAddresses(0));
    }

    private void checkFamily(String field, String network, boolean v4, String like) {
        if (!network.isEmpty() && MatchText.network(network).isV4() != v4) {
            reporter.report(field, network, "expected the family of " + like + " (families are not translated)");
        }
    }

    private void checkPort(Nat nat) {
        if (nat.getType() == Nat.Type.DESTINATION) {
            if (!nat.getPortId().isEmpty()) {
                reporter.report("port", name(nat.getPortId()), "a destination rule is about all ports; remove it");
            }
            return;
        }
        if (nat.getPortId().isEmpty()) {
            reporter.report("port", "", "missing: the router's port to the outside");
            return;
        }
        port(nat.getPortId())
                .filter(port -> !port.getRouterId().equals(nat.getRouterId()))
                .ifPresent(port ->
                        reporter.report("port", port.getName(), "is not on the rule's router (expected a port of it)"));
    }

    private void checkTransport(Nat nat) {
        boolean ports = nat.getProtocol().equals("tcp") || nat.getProtocol().equals("udp");
        if (!nat.getDestinationPort().isEmpty() && !ports) {
            reporter.report("destination_port", nat.getDestinationPort(), "needs protocol tcp or udp");
        }
        if (nat.getType() == Nat.Type.DESTINATION && !nat.getPorts().isEmpty() && !ports) {
            reporter.report("ports", nat.getPorts(), "needs protocol tcp or udp");
        }
        if (nat.getType() == Nat.Type.DESTINATION
                && !nat.getPorts().isEmpty()
                && !nat.getDestinationPort().isEmpty()) {
            MatchText.Range from = MatchText.ports(nat.getDestinationPort());
            MatchText.Range to = MatchText.ports(nat.getPorts());
            if (to.low() != to.high() && to.high() - to.low() != from.high() - from.low()) {
                reporter.report(
                        "ports", nat.getPorts(), "expected one port, or as many as destination_port " + from + " has");
            }
        }
        if (nat.getType() == Nat.Type.SOURCE
                && !nat.getPorts().isEmpty()
                && MatchText.ports(nat.getPorts()).low() == 0) {
            reporter.report("ports", nat.getPorts(), "expected ports of 1..65535");
        }
    }

    private void checkStatic(Nat nat) {
        if (nat.getSource().isEmpty()) {
            reporter.report("source", "", "missing: the network inside that has the same size as addresses");
            return;
        }
        IpPrefix inside = MatchText.network(nat.getSource());
        IpPrefix outside = MatchText.network(nat.getAddresses(0));
        if (nat.getAddressesCount() != 1 || inside.bits() != outside.bits()) {
            reporter.report(
                    "addresses",
                    String.join(", ", nat.getAddressesList()),
                    "expected one network of the size of source " + nat.getSource());
        }
        if (inside.overlaps(outside)) {
            reporter.report("addresses", nat.getAddresses(0), "overlaps source (expected other addresses)");
        }
        boolean narrowed = !nat.getDestination().isEmpty()
                || !nat.getProtocol().isEmpty()
                || !nat.getDestinationPort().isEmpty()
                || !nat.getPorts().isEmpty();
        if (narrowed) {
            reporter.report(
                    "type",
                    "static",
                    "translates all of an address: remove destination, protocol, destination_port"
                            + " and ports, or use source and destination rules");
        }
    }

    private Optional<Port> port(String id) {
        return draft.get(new ObjectRef(Schema.kindOf(Port.class), UUID.fromString(id)))
                .map(Port.class::cast);
    }

    private String name(String portId) {
        return port(portId).map(Port::getName).orElse(portId);
    }
}
