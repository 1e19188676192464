package dev.weft.sim;

import static org.assertj.core.api.Assertions.assertThat;

import dev.weft.sim.packet.Frames;
import dev.weft.topology.schema.AllowedPair;
import dev.weft.topology.schema.Port;
import java.util.List;
import java.util.function.Consumer;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Allowed address pairs of a port with security: which source goes with which MAC, in IP and in ARP. */
class AllowedPairsTest {
    private static final String OWN = "02:00:00:00:00:05";
    private static final String VIRTUAL = "00:00:5e:00:01:0a";
    private static final String STRANGE = "02:00:00:00:00:77";

    private final Topology net = Topology.build(t -> t.bridge("b")
            .vm(
                    "a",
                    "b",
                    "here",
                    port("10.0.1.5/24", OWN, "10.0.1.100", "10.0.1.128/26", VIRTUAL + " 10.0.1.50", "fd00:1::100"))
            .vm("other", "b"));

    private static Consumer<Port.Builder> port(String address, String mac, String... pairs) {
        return port -> {
            port.setMac(mac).addAddresses(address).setSecurity(true);
            Stream.of(pairs).forEach(pair -> {
                String[] words = pair.split(" ");
                port.addAllowedPairs(AllowedPair.newBuilder()
                        .setMac(words.length > 1 ? words[0] : "")
                        .setAddress(words[words.length - 1]));
            });
        };
    }

    private String says(String vm, Frames frame, String mac) {
        return net.inject(vm, frame.from(mac).to(net.mac("other"))).outcome();
    }

    private static Frames udp(String address) {
        return address.contains(":")
                ? Frames.udp("[" + address + "]:1", "[fd00:1::6]:2")
                : Frames.udp(address + ":1", "10.0.1.6:2");
    }

    @ParameterizedTest(name = "{0} of {1}: {2}")
    @CsvSource({
        "10.0.1.5,    own,     passes",
        "10.0.1.100,  own,     passes",
        "10.0.1.128,  own,     passes",
        "10.0.1.191,  own,     passes",
        "10.0.1.192,  own,     drop spoofed-address",
        "10.0.1.127,  own,     drop spoofed-address",
        "10.0.1.50,   own,     drop spoofed-address",
        "10.0.1.50,   virtual, passes",
        "10.0.1.5,    virtual, drop spoofed-address",
        "10.0.1.100,  virtual, drop spoofed-address",
        "10.0.1.100,  strange, drop spoofed-mac",
        "10.0.1.6,    own,     drop spoofed-address",
        "fd00:1::100, own,     passes",
        "fd00:1::101, own,     drop spoofed-address"
    })
    void aSourcePassesWithTheMacThatItGoesWith(String address, String of, String outcome) {
        String mac = of.equals("own") ? OWN : of.equals("virtual") ? VIRTUAL : STRANGE;
        assertThat(says("a", udp(address), mac)).contains(outcome.equals("passes") ? "output other" : outcome);
    }

    @ParameterizedTest(name = "ARP that claims {0} for {1}: {2}")
    @CsvSource({
        "10.0.1.5,   own,     passes",
        "10.0.1.100, own,     passes",
        "10.0.1.50,  virtual, passes",
        "10.0.1.50,  own,     drop spoofed-neighbour",
        "10.0.1.6,   own,     drop spoofed-neighbour"
    })
    void anAnnouncementPassesWithTheMacThatItGoesWith(String address, String of, String outcome) {
        String mac = of.equals("own") ? OWN : VIRTUAL;
        assertThat(net.inject("a", Frames.arpRequest(address, address).from(mac))
                        .outcome())
                .contains(outcome.equals("passes") ? "output other" : outcome);
    }

    @Test
    void aPairThatComesOrGoesCountsAtOnce() {
        assertThat(says("a", udp("10.0.1.60"), OWN)).isEqualTo("drop spoofed-address");
        net.change(t -> t.vm("a", "b", "here", port("10.0.1.5/24", OWN, "10.0.1.60")));
        assertThat(says("a", udp("10.0.1.60"), OWN)).contains("output other");
        assertThat(says("a", udp("10.0.1.100"), OWN)).isEqualTo("drop spoofed-address");
    }

    @Test
    void twoPortsMayPassAnAddressOnToEachOther() {
        net.change(t -> t.vm("a", "b", "here", port("10.0.1.5/24", OWN, VIRTUAL + " 10.0.1.50"))
                .vm("twin", "b", "here", port("10.0.1.7/24", "02:00:00:00:00:07", VIRTUAL + " 10.0.1.50")));
        for (String vm : List.of("a", "twin", "a")) {
            net.inject(vm, Frames.arpRequest("10.0.1.50", "10.0.1.50").from(VIRTUAL));
            var answer = Frames.udp("10.0.1.6:2", "10.0.1.50:1")
                    .from(net.mac("other"))
                    .to(VIRTUAL);
            assertThat(net.inject("other", answer).outcome()).isEqualTo("output " + vm);
        }
    }

    @Test
    void withoutSecurityAllPairsAreAllowed() {
        net.change(t -> t.vm("a", "b"));
        assertThat(says("a", udp("10.9.9.9"), STRANGE)).contains("output other");
    }
}
