package dev.weft.sim.packet;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

class IcmpErrorsTest {
    private static boolean mayAnswer(Frames frame) {
        return IcmpErrors.mayAnswer(frame.packet(), IcmpError.TIME_EXCEEDED);
    }

    @Test
    void answersOrdinaryPacketsAndQuestions() {
        assertThat(mayAnswer(Frames.udp("10.0.1.5:1", "10.0.2.9:2"))).isTrue();
        assertThat(mayAnswer(Frames.echoRequest("10.0.1.5", "10.0.2.9", 1, 1))).isTrue();
        assertThat(mayAnswer(Frames.tcp("[fd00::5]:1", "[fd00::9]:2"))).isTrue();
        assertThat(mayAnswer(Frames.echoRequest("fd00::5", "fd00::9", 1, 1))).isTrue();
        assertThat(mayAnswer(Frames.udp("10.0.1.5:1", "10.0.2.9:2").payload(8).fragment(1, 0, true)))
                .as("first fragment")
                .isTrue();
    }

    @Test
    void neverAnswersErrors() {
        for (int type : new int[] {3, 4, 5, 11, 12, 40}) {
            assertThat(mayAnswer(Frames.icmp("10.0.1.5", "10.0.2.9", type, 0, 0)))
                    .as("ICMP %d", type)
                    .isFalse();
        }
        for (int type : new int[] {1, 2, 3, 4, 100, 127, 137}) {
            assertThat(mayAnswer(Frames.icmp("fd00::5", "fd00::9", type, 0, 0)))
                    .as("ICMPv6 %d", type)
                    .isFalse();
        }
    }

    @Test
    void neverAnswersLaterFragments() {
        assertThat(mayAnswer(Frames.udp("10.0.1.5:1", "10.0.2.9:2").payload(8).fragment(1, 8, false)))
                .isFalse();
        assertThat(mayAnswer(Frames.udp("[fd00::5]:1", "[fd00::9]:2").payload(8).fragment(1, 8, false)))
                .isFalse();
    }

    @Test
    void neverAnswersWhatWasSentToAGroup() {
        assertThat(mayAnswer(Frames.udp("10.0.1.5:1", "224.0.0.5:2"))).isFalse();
        assertThat(mayAnswer(Frames.udp("10.0.1.5:1", "255.255.255.255:2"))).isFalse();
        assertThat(mayAnswer(Frames.udp("10.0.1.5:1", "10.0.2.9:2").to("ff:ff:ff:ff:ff:ff")))
                .isFalse();
        assertThat(mayAnswer(Frames.udp("[fd00::5]:1", "[ff02::1]:2"))).isFalse();
        assertThat(mayAnswer(Frames.udp("[fd00::5]:1", "[fd00::9]:2").to("33:33:00:00:00:01")))
                .isFalse();
    }

    @Test
    void tellsIpv6GroupsWhatIsTooBig() {
        var packet =
                Frames.udp("[fd00::5]:1", "[ff0e::1]:2").to("33:33:00:00:00:01").packet();
        assertThat(IcmpErrors.mayAnswer(packet, IcmpError.TOO_BIG)).isTrue();
        assertThat(IcmpErrors.mayAnswer(packet, IcmpError.PROTOCOL_UNREACHABLE)).isTrue();
        assertThat(IcmpErrors.mayAnswer(packet, IcmpError.NO_ROUTE)).isFalse();
    }

    @Test
    void neverAnswersASourceThatIsNoSingleHost() {
        for (String source : new String[] {"0.0.0.0", "0.0.0.7", "127.0.0.1", "224.0.0.1", "240.0.0.1"}) {
            assertThat(mayAnswer(Frames.udp(source + ":1", "10.0.2.9:2")))
                    .as(source)
                    .isFalse();
        }
        for (String source : new String[] {"::", "::1", "ff02::1"}) {
            assertThat(mayAnswer(Frames.udp("[" + source + "]:1", "[fd00::9]:2")))
                    .as(source)
                    .isFalse();
        }
    }

    @Test
    void neverAnswersArp() {
        assertThat(mayAnswer(Frames.arpRequest("10.0.1.5", "10.0.1.1"))).isFalse();
    }
}
