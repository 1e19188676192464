package dev.weft.datapath.userspace;

import static org.assertj.core.api.Assertions.assertThat;

import dev.weft.base.Property;
import dev.weft.datapath.TestFrames;
import java.io.ByteArrayOutputStream;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.random.RandomGenerator;
import org.junit.jupiter.api.Test;
import org.pcap4j.packet.EthernetPacket;
import org.pcap4j.packet.IllegalRawDataException;
import org.pcap4j.packet.IpV4Packet;
import org.pcap4j.packet.IpV6Packet;
import org.pcap4j.packet.TcpPacket;
import org.pcap4j.packet.UdpPacket;

/** Judged by Pcap4J's parser and by sums computed beside it. */
class OffloadCompleterTest {
    private static final int FIN_PSH_ACK_CWR = 0x99;

    private final SegmentSizes sizes = new SegmentSizes();

    private List<byte[]> complete(byte[] frame, int mtu) {
        var out = new ArrayList<byte[]>();
        new OffloadCompleter(mtu, sizes)
                .complete(
                        MemorySegment.ofArray(frame),
                        0,
                        frame.length,
                        (segment, offset, length) ->
                                out.add(segment.asSlice(offset, length).toArray(ValueLayout.JAVA_BYTE)));
        return out;
    }

    private static byte[] random(RandomGenerator random, int length) {
        var bytes = new byte[length];
        random.nextBytes(bytes);
        return bytes;
    }

    /** Leaves only the sum of the pseudo header, as a stack does that counts on hardware. */
    private static byte[] withBegunChecksum(byte[] frame, int checksumAt) {
        byte[] begun = frame.clone();
        int field = TestFrames.ETHERNET + (frame[12] == 0x08 ? 20 : 40) + checksumAt;
        begun[field] = 0;
        begun[field + 1] = 0;
        // All data taken away, what remains is the pseudo header's part.
        int whole = TestFrames.transportSum(begun);
        int data = TestFrames.sum(begun, field - checksumAt, begun.length - field + checksumAt, 0);
        int pseudo = TestFrames.sum(new byte[0], 0, 0, whole + (~data & 0xffff));
        begun[field] = (byte) (pseudo >>> 8);
        begun[field + 1] = (byte) pseudo;
        return begun;
    }

    @Test
    void cutsTcpAsAnIndependentParserExpects() {
        Property.check("TCP segmentation", 60, random -> {
            boolean v6 = random.nextBoolean();
            int mtu = random.nextInt(600, 1500);
            byte[] payload = random(random, random.nextInt(mtu, 60_000));
            int sequence = random.nextInt();
            byte[] frame = TestFrames.tcp(
                    v6 ? "fd00::1" : "10.0.0.1",
                    1000,
                    v6 ? "fd00::2" : "10.0.0.2",
                    80,
                    sequence,
                    FIN_PSH_ACK_CWR,
                    payload);
            List<byte[]> segments = complete(withBegunChecksum(frame, 16), mtu);
            checkTcp(segments, v6, mtu, sequence, payload);
        });
    }

    private static void checkTcp(List<byte[]> segments, boolean v6, int mtu, int sequence, byte[] payload) {
        var joined = new ByteArrayOutputStream();
        int id = 0x1234;
        for (int i = 0; i < segments.size(); i++) {
            byte[] segment = segments.get(i);
            assertThat(segment.length - TestFrames.ETHERNET).isLessThanOrEqualTo(mtu);
            assertThat(TestFrames.transportSum(segment)).as("TCP checksum").isEqualTo(0xffff);
            EthernetPacket parsed = parse(segment);
            if (v6) {
                assertThat(parsed.get(IpV6Packet.class).getHeader().getPayloadLengthAsInt())
                        .isEqualTo(segment.length - TestFrames.ETHERNET - 40);
            } else {
                var header = parsed.get(IpV4Packet.class).getHeader();
                assertThat(header.getIdentificationAsInt()).isEqualTo(id++);
                assertThat(header.getTotalLengthAsInt()).isEqualTo(segment.length - TestFrames.ETHERNET);
                assertThat(TestFrames.sum(segment, TestFrames.ETHERNET, 20, 0)).isEqualTo(0xffff);
            }
            var tcp = parsed.get(TcpPacket.class);
            boolean last = i == segments.size() - 1;
            assertThat(tcp.getHeader().getSequenceNumber()).isEqualTo(sequence + joined.size());
            assertThat(tcp.getHeader().getFin()).isEqualTo(last);
            assertThat(tcp.getHeader().getPsh()).isEqualTo(last);
            assertThat(tcp.getHeader().getAck()).isTrue();
            // Pcap4J shows CWR as the low of the six reserved bits above the flags.
            assertThat(segment[TestFrames.ETHERNET + (v6 ? 40 : 20) + 13] & 0x80)
                    .isEqualTo(i == 0 ? 0x80 : 0);
            joined.writeBytes(tcp.getPayload().getRawData());
        }
        assertThat(joined.toByteArray()).isEqualTo(payload);
    }

    private static EthernetPacket parse(byte[] frame) {
        try {
            return EthernetPacket.newPacket(frame, 0, frame.length);
        } catch (IllegalRawDataException unparsable) {
            throw new AssertionError("Pcap4J cannot read the segment", unparsable);
        }
    }

    @Test
    void cutsUdpIntoDatagrams() {
        Property.check("UDP segmentation", 20, random -> {
            byte[] payload = random(random, random.nextInt(1500, 40_000));
            byte[] frame = TestFrames.udp("10.0.0.1", 1000, "10.0.0.2", 53, 64, payload);
            var joined = new ByteArrayOutputStream();
            for (byte[] datagram : complete(frame, 1450)) {
                assertThat(TestFrames.transportSum(datagram)).isEqualTo(0xffff);
                var udp = parse(datagram).get(UdpPacket.class);
                assertThat(udp.getHeader().getLengthAsInt())
                        .isEqualTo(datagram.length - TestFrames.ETHERNET - 20)
                        .isLessThanOrEqualTo(1430);
                joined.writeBytes(udp.getPayload().getRawData());
            }
            assertThat(joined.toByteArray()).isEqualTo(payload);
        });
    }

    @Test
    void completesAChecksumThatWasOnlyBegun() {
        Property.check("begun checksums", 200, random -> {
            byte[] payload = random(random, random.nextInt(0, 1000));
            boolean v6 = random.nextBoolean();
            String from = v6 ? "fd00::1" : "10.0.0.1";
            String to = v6 ? "fd00::2" : "10.0.0.2";
            boolean tcp = random.nextBoolean();
            byte[] right = tcp
                    ? TestFrames.tcp(from, 1, to, 2, 3, 0x18, payload)
                    : TestFrames.udp(from, 1, to, 2, 64, payload);
            assertThat(complete(withBegunChecksum(right, tcp ? 16 : 6), 1500)).containsExactly(right);
            assertThat(complete(right, 1500)).containsExactly(right);
        });
    }

    @Test
    void leavesAWrongChecksumAndNoChecksumAsTheyAre() {
        byte[] wrong = TestFrames.udp("10.0.0.1", 1, "10.0.0.2", 2, 64, 100);
        wrong[TestFrames.ETHERNET + 26] ^= 0x40;
        assertThat(complete(wrong.clone(), 1500)).containsExactly(wrong);
        byte[] none = TestFrames.udp("10.0.0.1", 1, "10.0.0.2", 2, 64, 100);
        none[TestFrames.ETHERNET + 26] = 0;
        none[TestFrames.ETHERNET + 27] = 0;
        assertThat(complete(none.clone(), 1500)).containsExactly(none);
    }

    @Test
    void cutsNoLongerThanThePeerAnnounced() {
        var options =
                ByteBuffer.allocate(8).putInt(0x020403e8).putInt(0x01010100).array(); // MSS 1000
        byte[] synAck = TestFrames.tcp("10.0.0.2", 80, "10.0.0.1", 1000, 7, 0x12, options);
        synAck[TestFrames.ETHERNET + 20 + 12] = 0x70;
        sizes.learn(MemorySegment.ofArray(synAck), 0, synAck.length);

        byte[] frame = TestFrames.tcp("10.0.0.1", 1000, "10.0.0.2", 80, 1, 0x18, new byte[5000]);
        assertThat(complete(frame, 1450))
                .hasSize(5)
                .allMatch(segment -> segment.length == TestFrames.ETHERNET + 40 + 1000);
        byte[] other = TestFrames.tcp("10.0.0.1", 1001, "10.0.0.2", 80, 1, 0x18, new byte[5000]);
        assertThat(complete(other, 1450)).hasSize(4);
    }

    @Test
    void passesMutilatedFramesOnWithoutFailing() {
        Property.check("mutilated frames", 3000, random -> {
            byte[] frame =
                    TestFrames.tcp("10.0.0.1", 1, "10.0.0.2", 2, 3, 0x18, random(random, random.nextInt(0, 4000)));
            for (int i = 0; i < 4; i++) {
                frame[random.nextInt(0, Math.min(60, frame.length))] = (byte) random.nextInt();
            }
            byte[] cut = Arrays.copyOf(frame, random.nextInt(0, frame.length + 1));
            int octets =
                    complete(cut, 1500).stream().mapToInt(each -> each.length).sum();
            assertThat(octets).isBetween(0, 2 * cut.length + 200_000);
            sizes.learn(MemorySegment.ofArray(cut), 0, cut.length);
        });
    }
}
