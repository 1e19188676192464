package dev.weft.sim;

import static org.assertj.core.api.Assertions.assertThat;

import dev.weft.sim.packet.Frames;
import org.junit.jupiter.api.Test;

/** What comes in untranslated to an inside address that source rules are about. */
class NatInboundTest extends NatNetwork {
    private static final int SYN = 2;
    private static final int SYN_ACK = 0x12;

    @Test
    void answersOfWhatCameInUntranslatedLeaveUntranslated() {
        sourceNat();
        assertThat(fromOutside(Frames.tcp("198.51.100.7:4000", "10.0.1.5:22").flags(SYN)))
                .endsWith("output a");
        assertThat(fromA(Frames.tcp("10.0.1.5:22", "198.51.100.7:4000").flags(SYN_ACK)))
                .doesNotContain("set-src")
                .endsWith("output up");
        assertThat(fromA(Frames.tcp("10.0.1.5:22", "198.51.100.7:4001").flags(SYN)))
                .as("what the VM begins itself")
                .contains("set-src 203.0.113.10");
    }

    @Test
    void answerThatOvertookItsRecordIsNotTakenForAQuestion() {
        sourceNat();
        var overtook = net.inject(
                "a",
                from("a", "r-b1", Frames.tcp("10.0.1.5:22", "198.51.100.7:4000").flags(SYN_ACK)));
        assertThat(overtook.outcome()).isEqualTo("drop not-translatable");
        assertThat(net.tables().connections().size()).isZero();

        assertThat(fromOutside(Frames.tcp("198.51.100.7:4000", "10.0.1.5:22").flags(SYN)))
                .endsWith("output a");
        assertThat(fromA(Frames.tcp("10.0.1.5:22", "198.51.100.7:4000").flags(SYN_ACK)))
                .as("sent again")
                .doesNotContain("set-src")
                .endsWith("output up");
    }

    @Test
    void echoRepliesAndErrorsAboutWhatCameInUntranslatedLeaveUntranslated() {
        sourceNat();
        assertThat(fromOutside(Frames.echoRequest("198.51.100.7", "10.0.1.5", 9, 1)))
                .endsWith("output a");
        assertThat(fromA(Frames.echoReply("10.0.1.5", "198.51.100.7", 9, 1)))
                .doesNotContain("set-src")
                .endsWith("output up");
        var question = Frames.udp("198.51.100.7:4000", "10.0.1.5:53");
        assertThat(fromOutside(question)).endsWith("output a");
        assertThat(fromA(Frames.icmp("10.0.1.5", "198.51.100.7", 3, 3, 0).payload(question.ipBytes())))
                .doesNotContain("set-src")
                .endsWith("output up");
        var strange = Frames.udp("198.51.100.7:4001", "10.0.1.5:53");
        assertThat(fromA(Frames.icmp("10.0.1.5", "198.51.100.7", 3, 3, 0).payload(strange.ipBytes())))
                .as("about no connection")
                .isEqualTo("drop not-translatable");
    }

    @Test
    void versionSixIsLeftAloneTheSameWay() {
        net.change(t -> t.nat("r", "out6", "source from fd00::/16 out of up to 2001:db8::10"));
        net.grant("out6", "2001:db8::10", 20000, 64);
        assertThat(fromOutside(Frames.udp("[2001:4860::8]:53", "[fd00:1::5]:1000")))
                .endsWith("output a");
        assertThat(fromA(Frames.udp("[fd00:1::5]:1000", "[2001:4860::8]:53")))
                .doesNotContain("set-src")
                .endsWith("output up");
    }

    @Test
    void onlyWhatARuleWouldTranslateIsRecorded() {
        net.change(
                t -> t.nat("r", "out", "source from 10.0.1.0/28 out of up to 203.0.113.10 for 198.51.100.0/24 udp 53"));
        fromOutside(Frames.udp("198.51.100.7:53", "10.0.2.9:1000"));
        fromOutside(Frames.udp("198.51.99.7:53", "10.0.1.5:1000"));
        fromOutside(Frames.udp("198.51.100.7:54", "10.0.1.5:1000"));
        fromOutside(Frames.tcp("198.51.100.7:53", "10.0.1.5:1000"));
        fromC(Frames.udp("10.0.2.9:53", "10.0.1.5:1000"));
        assertThat(net.tables().connections().size()).isZero();
        fromOutside(Frames.udp("198.51.100.7:53", "10.0.1.5:1000"));
        assertThat(net.tables().connections().size()).isOne();
    }

    @Test
    void whatIsAnsweredThroughAnotherPortIsKnownToo() {
        net.change(t -> t.uplink("lease", "r", "here", "192.0.2.2/24"));
        sourceNat();
        assertThat(net.inject(
                                "lease",
                                Frames.udp("198.51.100.7:4000", "10.0.1.5:53")
                                        .from(OUTSIDE_MAC)
                                        .to(net.mac("lease")))
                        .outcome())
                .endsWith("output a");
        assertThat(fromA(Frames.udp("10.0.1.5:53", "198.51.100.7:4000")))
                .as("the default route is the other uplink")
                .doesNotContain("set-src")
                .endsWith("output up");
    }

    @Test
    void strangerCannotMakeATranslatedConnectionLeaveUntranslated() {
        sourceNat();
        String before = fromA(Frames.udp("10.0.1.5:1000", "8.8.8.8:53"));
        assertThat(fromOutside(Frames.udp("8.8.8.8:53", "10.0.1.5:1000"))).endsWith("output a");
        assertThat(fromA(Frames.udp("10.0.1.5:1000", "8.8.8.8:53"))).isEqualTo(before);
    }

    @Test
    void newSourceRuleFindsWhatCameInBeforeItWithTheNextPacket() {
        String in = fromOutside(Frames.udp("198.51.100.7:4000", "10.0.1.5:53"));
        assertThat(net.tables().connections().size()).isZero();
        sourceNat();
        assertThat(net.flows()).as("decided again").isEmpty();
        assertThat(fromOutside(Frames.udp("198.51.100.7:4000", "10.0.1.5:53"))).isEqualTo(in);
        assertThat(fromA(Frames.udp("10.0.1.5:53", "198.51.100.7:4000"))).doesNotContain("set-src");
    }
}
