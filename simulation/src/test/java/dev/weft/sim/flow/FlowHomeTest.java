package dev.weft.sim.flow;

import static org.assertj.core.api.Assertions.assertThat;

import dev.weft.base.Property;
import dev.weft.sim.packet.Frames;
import dev.weft.sim.packet.Icmp;
import dev.weft.sim.packet.Icmpv6;
import java.util.Arrays;
import java.util.random.RandomGenerator;
import org.junit.jupiter.api.Test;

class FlowHomeTest {
    private static int hash(Frames frame) {
        return FlowHome.hash(frame.packet());
    }

    @Test
    void bothDirectionsOfAConnectionHaveOneHome() {
        Property.check("home is symmetric", 5_000, random -> {
            boolean v4 = random.nextBoolean();
            String a = endpoint(random, v4);
            String b = endpoint(random, v4);
            boolean tcp = random.nextBoolean();
            int there = hash(tcp ? Frames.tcp(a, b) : Frames.udp(a, b));
            assertThat(hash(tcp ? Frames.tcp(b, a) : Frames.udp(b, a))).isEqualTo(there);
            assertThat(hash(tcp ? Frames.udp(a, b) : Frames.tcp(a, b)))
                    .as("other protocol")
                    .isNotEqualTo(there);
        });
    }

    @Test
    void aRequestAndItsReplyHaveOneHome() {
        assertThat(hash(Frames.echoReply("10.0.2.9", "10.0.1.5", 7, 1)))
                .isEqualTo(hash(Frames.echoRequest("10.0.1.5", "10.0.2.9", 7, 1)))
                .isNotEqualTo(hash(Frames.echoRequest("10.0.1.5", "10.0.2.9", 8, 1)));
        assertThat(hash(Frames.echoReply("fd00::9", "fd00::5", 7, 9)))
                .isEqualTo(hash(Frames.echoRequest("fd00::5", "fd00::9", 7, 1)));
    }

    @Test
    void anErrorGoesToTheHomeOfThePacketItIsAbout() {
        Property.check("home of a quote is the original's", 3_000, random -> {
            boolean v4 = random.nextBoolean();
            var original = original(random, v4);
            byte[] octets = original.bytes();
            // RFC 792 asks for the IP header and 8 octets; senders quote anything from there on.
            int least = 14 + (v4 ? 20 : 40) + 8;
            int end = Math.min(octets.length, least + random.nextInt(20));
            var error = v4
                    ? Frames.icmp("10.9.9.9", "10.0.1.5", Icmp.TIME_EXCEEDED, 0, 0)
                    : Frames.icmp("fd00:9::9", "fd00:1::5", Icmpv6.TIME_EXCEEDED, 0, 0);
            error.payload(Arrays.copyOfRange(octets, 14, end));
            assertThat(hash(error)).isEqualTo(hash(original));
        });
    }

    @Test
    void anUnreadableQuoteStillHasAHome() {
        var error =
                Frames.icmp("10.9.9.9", "10.0.1.5", Icmp.TIME_EXCEEDED, 0, 0).payload(5);
        assertThat(hash(error)).isEqualTo(hash(Frames.icmp("10.0.1.5", "10.9.9.9", Icmp.REDIRECT, 0, 0)));
    }

    @Test
    void allFragmentsOfAPacketHaveOneHome() {
        var first = Frames.udp("10.0.1.5:1000", "10.0.2.9:53").payload(16).fragment(9, 0, true);
        var later = Frames.udp("10.0.1.5:1000", "10.0.2.9:53").payload(5).fragment(9, 24, false);
        assertThat(hash(first)).isEqualTo(hash(later));
        var other = Frames.udp("10.0.1.5:2000", "10.0.2.9:99").payload(16).fragment(10, 0, true);
        assertThat(hash(other)).as("ports do not count").isEqualTo(hash(first));
    }

    @Test
    void framesThatAreNotIpGoByTheirMacs() {
        var there =
                Frames.ethernet(0x88cc).payload(20).from("02:00:00:00:00:01").to("02:00:00:00:00:02");
        var back = Frames.ethernet(0x1234).payload(30).from("02:00:00:00:00:02").to("02:00:00:00:00:01");
        assertThat(hash(there)).isEqualTo(hash(back));
        assertThat(hash(Frames.arpReply("10.0.1.5", "10.0.1.1")))
                .isEqualTo(hash(Frames.arpReply("10.0.1.77", "10.0.1.78")));
    }

    @Test
    void aStateFrameSaysItsOwnHome() {
        byte[] body = {0x12, 0x34, 0x56, 0x78, 1, 2, 3};
        assertThat(hash(Frames.ethernet(0x88b5).payload(body))).isEqualTo(0x12345678);
        assertThat(hash(Frames.ethernet(0x88b5).payload(3)))
                .as("too short: by its MACs")
                .isNotZero();
    }

    @Test
    void homesAreSpreadOverTheWorkers() {
        var counts = new int[4];
        for (int port = 0; port < 4_000; port++) {
            counts[FlowHome.of(Frames.udp("10.0.1.5:" + port, "10.0.2.9:53").packet(), 4)]++;
        }
        for (int count : counts) {
            assertThat(count).isBetween(850, 1_150);
        }
    }

    private static Frames original(RandomGenerator random, boolean v4) {
        String from = v4 ? "10.0.1.5" : "fd00:1::5";
        String to = v4 ? "10.0.2.9" : "fd00:2::9";
        String a = (v4 ? from : "[" + from + "]") + ":" + random.nextInt(65536);
        String b = (v4 ? to : "[" + to + "]") + ":" + random.nextInt(65536);
        return switch (random.nextInt(v4 ? 4 : 3)) {
            case 0 -> Frames.udp(a, b).payload(random.nextInt(30));
            case 1 -> Frames.tcp(a, b).payload(random.nextInt(30));
            case 2 -> Frames.echoRequest(from, to, random.nextInt(65536), 1);
            default -> Frames.udp(a, b).payload(16).fragment(1, 8 * random.nextInt(2), true);
        };
    }

    private static String endpoint(RandomGenerator random, boolean v4) {
        String address = v4
                ? "10." + random.nextInt(256) + ".1." + random.nextInt(256)
                : "[fd00::" + Integer.toHexString(random.nextInt(65536)) + "]";
        return address + ":" + random.nextInt(65536);
    }
}
