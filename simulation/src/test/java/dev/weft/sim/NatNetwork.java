package dev.weft.sim;

import static org.assertj.core.api.Assertions.assertThat;

import dev.weft.sim.packet.Frames;

/** A router with two bridges of VMs and a way to the outside, for tests of translation. */
abstract class NatNetwork {
    static final String OUTSIDE_MAC = "02:00:00:00:99:01";

    final Topology net = Topology.build(t -> t.bridge("b1")
            .bridge("b2")
            .router("r")
            .join("b1", "r", "10.0.1.1/24", "fd00:1::1/64")
            .join("b2", "r", "10.0.2.1/24", "fd00:2::1/64")
            .uplink("up", "r", "here", "203.0.113.2/24", "2001:db8::2/64")
            .route("r", "0.0.0.0/0 port up via 203.0.113.1")
            .route("r", "::/0 port up via 2001:db8::1")
            .vm("a", "b1")
            .vm("b", "b1")
            .vm("c", "b2")
            .statefulVm("s", "b2", "here"));

    NatNetwork() {
        net.settle("a", "10.0.1.5", "fd00:1::5");
        net.settle("b", "10.0.1.6", "fd00:1::6");
        net.settle("c", "10.0.2.9", "fd00:2::9");
        net.settle("s", "10.0.2.7", "fd00:2::7");
        net.learnNeighbour("r", "203.0.113.1", OUTSIDE_MAC);
        net.learnNeighbour("r", "2001:db8::1", OUTSIDE_MAC);
    }

    /** All inside sources become one public address at the uplink. */
    final void sourceNat() {
        net.change(t -> t.nat("r", "out", "source from 10.0.0.0/8 out of up to 203.0.113.10"));
        net.grant("out", "203.0.113.10", 20000, 64);
    }

    final Frames from(String vm, String router, Frames frame) {
        return frame.from(net.mac(vm)).to(net.mac(router));
    }

    final Frames outside(Frames frame) {
        return frame.from(OUTSIDE_MAC).to(net.mac("up"));
    }

    final String fromA(Frames frame) {
        return net.inject("a", from("a", "r-b1", frame)).outcome();
    }

    final String fromOutside(Frames frame) {
        return net.inject("up", outside(frame)).outcome();
    }

    static int port(String outcome, String action) {
        int at = outcome.indexOf(action + " ") + action.length() + 1;
        assertThat(outcome).contains(action + " ");
        return Integer.parseInt(outcome.substring(at).split(",")[0]);
    }

    static int insidePort(String endpoint) {
        return Integer.parseInt(endpoint.substring(endpoint.indexOf(':') + 1));
    }

    /** What became of a frame of a VM on the second bridge. */
    final String fromC(Frames frame) {
        return net.inject("c", from("c", "r-b2", frame)).outcome();
    }

    /** What became of a frame of the other VM on the first bridge. */
    final String fromB(Frames frame) {
        return net.inject("b", from("b", "r-b1", frame)).outcome();
    }
}
