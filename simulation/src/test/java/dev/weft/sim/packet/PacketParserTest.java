package dev.weft.sim.packet;

import static org.assertj.core.api.Assertions.assertThat;

import dev.weft.base.IpAddress;
import java.lang.foreign.MemorySegment;
import org.junit.jupiter.api.Test;

class PacketParserTest {
    @Test
    void readsWhatTheWriterWrote() {
        var out = MemorySegment.ofArray(new byte[200]);
        int length = PacketWriter.arpRequest(out, 3, 0x020000000001L, 0x0a000105, 0x0a000101);
        var packet = new Packet();
        packet.wrap(out, 3, length);
        assertThat(PacketParser.parse(packet)).isEqualTo(Malformed.OK);
        assertThat(packet.key.protocol()).isEqualTo(Arp.REQUEST);
        assertThat(new IpAddress(packet.key.dstHigh(), packet.key.dstLow())).hasToString("10.0.1.1");

        var asker = IpAddress.parse("fd00:1::5");
        var target = IpAddress.parse("fd00:1::1");
        length = PacketWriter.neighbourSolicitation(
                out, 3, 0x020000000001L, asker.high(), asker.low(), target.high(), target.low());
        packet.wrap(out, 3, length);
        assertThat(PacketParser.parse(packet)).isEqualTo(Malformed.OK);
        assertThat(Ndp.isValidSolicitation(packet)).isTrue();
    }
}
