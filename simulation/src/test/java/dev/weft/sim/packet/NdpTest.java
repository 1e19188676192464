package dev.weft.sim.packet;

import static org.assertj.core.api.Assertions.assertThat;

import dev.weft.base.IpAddress;
import dev.weft.sim.trace.PacketExpression;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class NdpTest {
    private static Packet parsed(String expression) {
        byte[] frame = PacketExpression.parse(expression);
        var packet = Frames.wrapped(frame);
        assertThat(PacketParser.parse(packet)).isEqualTo(Malformed.OK);
        return packet;
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "nd solicit fd00:1::5 > fd00:1::1",
                "nd solicit fd00:1::5 > fd00:1::1 to fd00:1::1",
                "nd solicit fd00:1::5 > fd00:1::1 link-mac none",
                "nd solicit :: > fd00:1::1"
            })
    void acceptsSolicitations(String expression) {
        assertThat(Ndp.isValidSolicitation(parsed(expression))).isTrue();
        assertThat(Ndp.isValidAdvertisement(parsed(expression))).isFalse();
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "nd solicit fd00:1::5 > fd00:1::1 ttl 254",
                "nd solicit fd00:1::5 > fd00:1::1 checksum 0x1234",
                "nd solicit fd00:1::5 > ff02::1",
                "nd solicit :: > fd00:1::1 to fd00:1::1",
                "nd solicit :: > fd00:1::1 link-mac 02:00:00:00:00:05",
                "icmp6 type 135 fd00:1::5 > fd00:1::1 ttl 255 length 15",
                "icmp6 type 135 fd00:1::5 > fd00:1::1 ttl 255 code 1 length 16",
                "icmp6 type 135 fd00:1::5 > fd00:1::1 ttl 255 data fd0000010000000000000000000000010100020000000005",
                "icmp6 type 135 fd00:1::5 > fd00:1::1 ttl 255 data fd0000010000000000000000000000010102020000000005"
            })
    void refusesSolicitationsThatRfc4861Refuses(String expression) {
        assertThat(Ndp.isValidSolicitation(parsed(expression))).isFalse();
    }

    @Test
    void refusesASolicitedAdvertisementToAGroup() {
        assertThat(Ndp.isValidAdvertisement(parsed("nd advertise fd00:1::1 > fd00:1::5")))
                .isTrue();
        assertThat(Ndp.isValidAdvertisement(parsed("nd advertise fd00:1::1 > ff02::1")))
                .isFalse();
        assertThat(Ndp.isValidAdvertisement(parsed("nd advertise fd00:1::1 > ff02::1 flags override")))
                .isTrue();
        assertThat(Ndp.isValidAdvertisement(parsed("nd advertise fd00:1::1 > fd00:1::5 ttl 64")))
                .isFalse();
    }

    @Test
    void findsTheMacBehindOtherOptions() {
        // A nonce option (RFC 3971), then the source link-layer address.
        var packet = parsed("icmp6 type 135 fd00:1::5 > fd00:1::1 ttl 255 data"
                + " fd0000010000000000000000000000010e010102030405060101020000000005");
        assertThat(Ndp.isValidSolicitation(packet)).isTrue();
        assertThat(Ndp.linkAddress(packet.segment, packet.l4Offset, packet.l3End, Ndp.SOURCE_LINK_ADDRESS))
                .isEqualTo(0x0200_0000_0005L);
        assertThat(Ndp.linkAddress(packet.segment, packet.l4Offset, packet.l3End, Ndp.TARGET_LINK_ADDRESS))
                .isEqualTo(Ndp.NO_MAC);
    }

    @Test
    void knowsTheSolicitedNodeGroup() {
        var address = IpAddress.parse("4037::01:800:200e:8c6c");
        assertThat(IpAddress.toString(Ndp.solicitedNodeHigh(), Ndp.solicitedNodeLow(address.low())))
                .as("the example of RFC 4291 §2.7.1")
                .isEqualTo("ff02::1:ff0e:8c6c");
        assertThat(Ndp.isSolicitedNode(Ndp.solicitedNodeHigh(), Ndp.solicitedNodeLow(address.low())))
                .isTrue();
        assertThat(Ndp.isSolicitedNode(Ndp.solicitedNodeHigh(), 1)).isFalse();
    }
}
