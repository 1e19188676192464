package dev.weft.it.bench.datapath;

import dev.weft.agent.lab.Vm;
import java.util.List;
import java.util.stream.Stream;

/** Who the VMs of a path are; the same in all paths. */
enum Address {
    SENDER("02:00:00:00:01:05", "10.0.1.5", "fd00:1::5"),
    /** On the sender's bridge. */
    NEIGHBOUR("02:00:00:00:01:07", "10.0.1.7", "fd00:1::7"),
    /** Behind a router. */
    ROUTED("02:00:00:00:02:09", "10.0.2.9", "fd00:2::9");

    private final String mac;
    private final String v4;
    private final String v6;

    Address(String mac, String v4, String v6) {
        this.mac = mac;
        this.v4 = v4;
        this.v6 = v6;
    }

    static Address of(Vm vm) {
        return Stream.of(values())
                .filter(address -> address.mac.equals(vm.mac()))
                .findFirst()
                .orElseThrow();
    }

    String mac() {
        return mac;
    }

    String v4() {
        return v4;
    }

    String v6() {
        return v6;
    }

    List<String> gateways() {
        return List.of(v4.substring(0, v4.lastIndexOf('.')) + ".1", v6.substring(0, v6.lastIndexOf(':')) + ":1");
    }
}
