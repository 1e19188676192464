package dev.weft.datapath.userspace;

import static org.assertj.core.api.Assertions.assertThat;

import dev.weft.base.Property;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import org.junit.jupiter.api.Test;

class VxlanHeaderTest {
    private static int vni(byte[] datagram) {
        return VxlanHeader.vni(MemorySegment.ofArray(datagram), 0, datagram.length);
    }

    private static byte[] datagram(int flags, int second, int inner) {
        return ByteBuffer.allocate(8 + inner).putInt(flags).putInt(second).array();
    }

    @Test
    void readsWhatItWritesAndWhatTheRfcDraws() {
        for (int vni : new int[] {0, 1, 0x12_3456, 0xff_ffff}) {
            assertThat(vni(datagram(VxlanHeader.flags(), VxlanHeader.vniWord(vni), 14)))
                    .isEqualTo(vni);
        }
        assertThat(vni(datagram(0x0800_0000, 0x1234_5600, 60))).isEqualTo(0x12_3456);
    }

    @Test
    void refusesReservedBitsAndTooLittleBehind() {
        for (int bit = 0; bit < 32; bit++) {
            assertThat(vni(datagram(0x0800_0000 ^ 1 << bit, 0x100, 14))).isEqualTo(VxlanHeader.BAD);
        }
        for (int bit = 0; bit < 8; bit++) {
            assertThat(vni(datagram(0x0800_0000, 0x100 | 1 << bit, 14))).isEqualTo(VxlanHeader.BAD);
        }
        assertThat(vni(datagram(0x0800_0000, 0x100, 13))).isEqualTo(VxlanHeader.BAD);
    }

    @Test
    void anyBytesAreANumberOrARefusal() {
        Property.check("VXLAN headers", 5000, random -> {
            var bytes = new byte[random.nextInt(0, 40)];
            random.nextBytes(bytes);
            if (bytes.length > 3 && random.nextBoolean()) {
                bytes[0] = 8;
                bytes[1] = 0;
                bytes[2] = 0;
                bytes[3] = 0;
            }
            int vni = vni(bytes);
            boolean sound = bytes.length >= 22 && bytes[0] == 8 && (bytes[1] | bytes[2] | bytes[3] | bytes[7]) == 0;
            assertThat(vni != VxlanHeader.BAD).isEqualTo(sound);
            assertThat(vni).isBetween(VxlanHeader.BAD, 0xff_ffff);
        });
    }
}
