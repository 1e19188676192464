package dev.weft.datapath.soft;

import static org.assertj.core.api.Assertions.assertThat;

import dev.weft.base.Property;
import dev.weft.datapath.TestFrames;
import dev.weft.datapath.WorkerPort.UpcallHandler;
import dev.weft.sim.flow.ActionList;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Consumer;
import org.junit.jupiter.api.Test;
import org.pcap4j.packet.EthernetPacket;
import org.pcap4j.packet.IllegalRawDataException;
import org.pcap4j.packet.IpV4Packet;
import org.pcap4j.packet.IpV6Packet;
import org.pcap4j.util.MacAddress;

/** What leaves is compared with what Pcap4J builds for the same rewrite. */
class ActionRunnerTest {
    private final ActionRunner runner = new ActionRunner();
    private final Recorder out = new Recorder();

    private static final class Recorder implements ActionRunner.Exits {
        final List<String> events = new ArrayList<>();
        final List<byte[]> frames = new ArrayList<>();

        @Override
        public void output(int port, MemorySegment segment, long offset, int length) {
            events.add("output " + port);
            frames.add(segment.asSlice(offset, length).toArray(ValueLayout.JAVA_BYTE));
        }

        @Override
        public void tunnel(long high, long low, int key, MemorySegment segment, long offset, int length) {
            events.add("tunnel " + key);
            frames.add(segment.asSlice(offset, length).toArray(ValueLayout.JAVA_BYTE));
        }

        @Override
        public void punt(int reason) {
            events.add("punt " + reason);
        }

        @Override
        public void drop(FrameDrop why) {
            events.add("drop " + why.text());
        }
    }

    private void run(byte[] frame, int inPort, Consumer<ActionList> fill) {
        var list = new ActionList();
        fill.accept(list);
        runner.run(list, MemorySegment.ofArray(frame), 0, frame.length, inPort, out);
    }

    @Test
    void rewritesAsPcap4jWould() {
        Property.check("rewrites", 300, random -> {
            out.frames.clear();
            boolean v6 = random.nextBoolean();
            int ttl = random.nextInt(2, 256);
            byte[] frame = TestFrames.udp(
                    v6
                            ? "fd00::" + Integer.toHexString(random.nextInt(1, 65_536))
                            : "10.1." + random.nextInt(256) + ".7",
                    random.nextInt(65_536),
                    v6 ? "fd00::99" : "10.0.0.2",
                    53,
                    ttl,
                    random.nextInt(0, 200));
            run(frame, 1, list -> {
                list.setSrcMac(0x0211_2233_4455L);
                list.decTtl();
                list.setDstMac(0x0266_7788_99aaL);
                list.output(2, 0);
            });
            assertThat(out.frames).hasSize(1);
            assertThat(out.frames.getFirst()).isEqualTo(rewritten(frame, v6, ttl - 1));
        });
    }

    private static byte[] rewritten(byte[] frame, boolean v6, int ttl) {
        try {
            var ethernet = EthernetPacket.newPacket(frame, 0, frame.length).getBuilder();
            if (v6) {
                ethernet.get(IpV6Packet.Builder.class).hopLimit((byte) ttl);
            } else {
                ethernet.get(IpV4Packet.Builder.class).ttl((byte) ttl).correctChecksumAtBuild(true);
            }
            return ethernet.srcAddr(MacAddress.getByName("02:11:22:33:44:55"))
                    .dstAddr(MacAddress.getByName("02:66:77:88:99:aa"))
                    .build()
                    .getRawData();
        } catch (IllegalRawDataException unparsable) {
            throw new AssertionError("Pcap4J cannot read the frame", unparsable);
        }
    }

    @Test
    void earlierOutputsSeeEarlierBytesAndTheFrameItselfStays() {
        byte[] frame = TestFrames.udp("10.0.0.1", 1, "10.0.0.2", 2, 64, 10);
        byte[] before = frame.clone();
        run(frame, 1, list -> {
            list.output(2, 0);
            list.decTtl();
            list.tunnel(0, 0, 9, 0);
            list.decTtl();
            list.output(3, 0);
        });
        assertThat(out.events).containsExactly("output 2", "tunnel 9", "output 3");
        assertThat(out.frames)
                .extracting(each -> each[TestFrames.ETHERNET + 8])
                .containsExactly((byte) 64, (byte) 63, (byte) 62);
        assertThat(frame).isEqualTo(before);
    }

    @Test
    void looksThroughOneTag() {
        byte[] plain = TestFrames.udp("10.0.0.1", 1, "10.0.0.2", 2, 2, 972);
        byte[] tagged = new byte[plain.length + 4];
        System.arraycopy(plain, 0, tagged, 0, 12);
        tagged[12] = (byte) 0x81;
        tagged[15] = 7;
        System.arraycopy(plain, 12, tagged, 16, plain.length - 12);
        run(tagged, 1, list -> {
            list.decTtl();
            list.output(2, 1000);
            list.output(3, 999);
        });
        assertThat(out.events).containsExactly("output 2", "punt " + UpcallHandler.MTU);
        assertThat(out.frames.getFirst()[TestFrames.ETHERNET + 4 + 8]).isEqualTo((byte) 1);
    }

    @Test
    void refusesToDecrementWhatHasNoTtl() {
        byte[] arp = new byte[60];
        arp[12] = 0x08;
        arp[13] = 0x06;
        run(arp, 1, list -> {
            list.decTtl();
            list.output(2, 0);
        });
        byte[] bare = new byte[14];
        bare[12] = 0x08;
        run(bare, 1, ActionList::decTtl);
        assertThat(out.events).containsExactly("drop not-ip", "drop not-ip");
    }
}
