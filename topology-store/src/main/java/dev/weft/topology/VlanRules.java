package dev.weft.topology;

import dev.weft.topology.schema.Bridge;
import dev.weft.topology.schema.Neighbour;
import dev.weft.topology.schema.Port;

/** What VLAN settings may say together. */
final class VlanRules {
    private static final String EXPECTED = "expected a VLAN id 1..4094";

    private final Rules.Report report;

    VlanRules(Rules.Report report) {
        this.report = report;
    }

    void checkBridge(Bridge bridge) {
        for (int i = 0; i < bridge.getNeighboursCount(); i++) {
            Neighbour neighbour = bridge.getNeighbours(i);
            if (!isVlanOrNone(neighbour.getVlan())) {
                report.of(
                        bridge,
                        "neighbours[" + i + "].vlan",
                        Integer.toUnsignedString(neighbour.getVlan()),
                        EXPECTED + ", or 0 for untagged");
            }
        }
    }

    void checkPort(Port port, boolean onBridge) {
        if (!onBridge) {
            checkRouterPort(port);
            return;
        }
        boolean access = port.getVlan() != 0;
        boolean trunk = port.getTrunkCount() > 0;
        if (!isVlanOrNone(port.getVlan())) {
            report.of(port, "vlan", Integer.toUnsignedString(port.getVlan()), EXPECTED);
        }
        if (!isVlanOrNone(port.getNativeVlan())) {
            report.of(port, "native_vlan", Integer.toUnsignedString(port.getNativeVlan()), EXPECTED);
        }
        if (access && trunk) {
            report.of(
                    port,
                    "trunk",
                    String.join(", ", port.getTrunkList()),
                    "a port is an access port (vlan) or a trunk, not both; remove vlan and say native_vlan for the"
                            + " untagged frames of a trunk");
        }
        if (port.getNativeVlan() != 0 && !trunk) {
            report.of(
                    port,
                    "trunk",
                    "",
                    "missing: native_vlan is of a trunk port, and a trunk names the VLANs it carries, like"
                            + " [10, 100-199]; or say vlan for an access port");
        }
    }

    private void checkRouterPort(Port port) {
        String remedy = "only bridge ports have VLANs; put a bridge between, whose port to the router has the VLAN";
        if (port.getVlan() != 0) {
            report.of(port, "vlan", Integer.toUnsignedString(port.getVlan()), remedy);
        }
        if (port.getTrunkCount() > 0) {
            report.of(port, "trunk", String.join(", ", port.getTrunkList()), remedy);
        }
        if (port.getNativeVlan() != 0) {
            report.of(port, "native_vlan", Integer.toUnsignedString(port.getNativeVlan()), remedy);
        }
    }

    private static boolean isVlanOrNone(int vlan) {
        return vlan >= 0 && vlan <= VlanRange.MAX;
    }
}
