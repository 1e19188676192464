package dev.weft.topology;

import dev.weft.topology.schema.AllowedPair;
import dev.weft.topology.schema.Port;
import java.util.UUID;

/** What a bridge port may say of the VM behind it. */
final class StationRules {
    private final Draft draft;
    private final Rules.Report report;

    StationRules(Draft draft, Rules.Report report) {
        this.draft = draft;
        this.report = report;
    }

    void checkBridgePort(ObjectRef ref, Port port) {
        if (!port.getPeerId().isEmpty()) {
            checkInterior(port);
            return;
        }
        if (port.getAddressesCount() > 0 && port.getMac().isEmpty()) {
            report.of(port, "mac", "", "missing: the addresses of a VM belong to its MAC; or remove the addresses");
        }
        if (port.getSecurity() && port.getMac().isEmpty()) {
            report.of(port, "mac", "", "missing: security lets in what the VM's MAC sends; or say security: false");
        }
        if (!port.getSecurity() && port.getAllowedPairsCount() > 0) {
            report.of(
                    port,
                    "allowed_pairs",
                    describe(port.getAllowedPairs(0)),
                    "without security all pairs are allowed; say security: true, or remove them");
        }
        checkShared(ref, port);
    }

    private void checkInterior(Port port) {
        String remedy = "only router ports and ports with a host and interface have it; remove it";
        if (port.getAddressesCount() > 0) {
            report.of(port, "addresses", port.getAddresses(0), remedy);
        }
        if (!port.getMac().isEmpty()) {
            report.of(port, "mac", port.getMac(), remedy);
        }
        if (port.getSecurity()) {
            report.of(port, "security", "true", remedy);
        }
        if (port.getAllowedPairsCount() > 0) {
            report.of(port, "allowed_pairs", describe(port.getAllowedPairs(0)), remedy);
        }
    }

    void checkRouterPort(Port port) {
        String remedy = "only bridge ports have it; remove it";
        if (port.getSecurity()) {
            report.of(port, "security", "true", remedy);
        }
        if (port.getAllowedPairsCount() > 0) {
            report.of(port, "allowed_pairs", describe(port.getAllowedPairs(0)), remedy);
        }
    }

    /** Two VMs in one VLAN cannot both be an address: whom would the bridge name? */
    private void checkShared(ObjectRef ref, Port port) {
        if (port.getAddressesCount() == 0) {
            return;
        }
        for (ObjectRef other : draft.referrersOf(UUID.fromString(port.getBridgeId()))) {
            // Where both are touched one of the two reports.
            boolean mine = !draft.isTouched(other) || ref.id().compareTo(other.id()) > 0;
            if (mine && !other.equals(ref)) {
                draft.get(other)
                        .filter(object -> object instanceof Port)
                        .map(Port.class::cast)
                        .filter(object -> object.getBridgeId().equals(port.getBridgeId()))
                        .filter(object -> untagged(object) == untagged(port))
                        .ifPresent(object -> checkShared(port, object));
            }
        }
    }

    private void checkShared(Port port, Port other) {
        for (String text : port.getAddressesList()) {
            var address = InterfaceAddress.parse(text).address();
            boolean shared = other.getAddressesList().stream()
                    .anyMatch(theirs -> InterfaceAddress.parse(theirs).address().equals(address));
            if (shared) {
                report.of(
                        port,
                        "addresses",
                        text,
                        "is the address of port '" + other.getName()
                                + "' on the same bridge (expected one of its own; an address that VMs pass on to each"
                                + " other goes into allowed_pairs)");
            }
        }
    }

    private static int untagged(Port port) {
        return port.getVlan() != 0 ? port.getVlan() : port.getNativeVlan();
    }

    private static String describe(AllowedPair pair) {
        return (pair.getMac().isEmpty() ? "" : pair.getMac() + " ") + pair.getAddress();
    }
}
