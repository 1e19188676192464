package dev.weft.datapath.soft;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.weft.base.IpAddress;
import dev.weft.base.Property;
import dev.weft.datapath.TestFrames;
import dev.weft.datapath.WorkerPort.UpcallHandler;
import dev.weft.sim.flow.ActionList;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.function.Consumer;
import java.util.random.RandomGenerator;
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

    /**
     * A damaged octet stands for a wrong checksum: mending keeps it as wrong as it came, so that the receiver notices.
     */
    @Test
    void whatLeavesIsWhatWouldBeBuiltWithTheChangedFields() {
        Property.check("rewriting in place is rebuilding", 20_000, random -> {
            out.events.clear();
            out.frames.clear();
            Headers headers = Headers.random(random);
            byte[] frame = headers.bytes();
            boolean damaged = headers.hasPayload() && random.nextInt(4) == 0;
            damage(frame, damaged);
            byte[] before = frame.clone();
            ActionList list = randomList(random);
            String asItCame = headers.toString();

            runner.run(list, MemorySegment.ofArray(frame), 0, frame.length, 1, out);
            List<byte[]> expected = rebuilt(headers, list);
            assertThat(out.frames).as("%s by %s", asItCame, list).hasSameSizeAs(expected);
            for (int i = 0; i < expected.size(); i++) {
                damage(out.frames.get(i), damaged);
                assertThat(out.frames.get(i))
                        .as("output %d of %s by %s", i, asItCame, list)
                        .isEqualTo(expected.get(i));
            }
            assertThat(frame).isEqualTo(before);
        });
    }

    private static void damage(byte[] frame, boolean really) {
        if (really) {
            frame[frame.length - 1] ^= 0x55;
        }
    }

    private static ActionList randomList(RandomGenerator random) {
        var list = new ActionList();
        int count = random.nextInt(1, 10);
        for (int i = 0; i < count; i++) {
            IpAddress address = IpAddress.parse(Headers.address(random, random.nextBoolean()));
            switch (random.nextInt(13)) {
                case 0 -> list.setSrcMac(random.nextLong() & 0xffff_ffff_ffffL);
                case 1 -> list.setDstMac(random.nextLong() & 0xffff_ffff_ffffL);
                case 2 -> list.decTtl();
                case 3, 4 -> list.setSrc(address.high(), address.low());
                case 5, 6 -> list.setDst(address.high(), address.low());
                case 7 -> list.setL4Src(random.nextInt(0x1_0000));
                case 8 -> list.setL4Dst(random.nextInt(0x1_0000));
                case 9 -> list.setIcmpId(random.nextInt(0x1_0000));
                case 10 -> list.setDscp(random.nextInt(64));
                case 11 -> list.pushVlan(random.nextInt(0x1_0000));
                default -> list.popVlan();
            }
            if (random.nextInt(3) == 0) {
                list.output(2, random.nextBoolean() ? 0 : random.nextInt(300, 2_000));
            }
        }
        list.tunnel(0, 0, 7, 0);
        return list;
    }

    private static List<byte[]> rebuilt(Headers headers, ActionList list) {
        var frames = new ArrayList<byte[]>();
        for (int i = 0; i < list.length(); i += ActionList.size(list.word(i))) {
            switch (ActionList.operation(list.word(i))) {
                case ActionList.OUTPUT, ActionList.TUNNEL -> {
                    if (ActionList.mtu(list.word(i)) > 0) {
                        headers.clamp(ActionList.mtu(list.word(i)));
                    }
                    frames.add(headers.bytes());
                }
                case ActionList.DEC_TTL -> {
                    if (headers.kind == Headers.NOT_IP || headers.ttl <= 1) {
                        return frames;
                    }
                    headers.apply(list, i);
                }
                default -> headers.apply(list, i);
            }
        }
        return frames;
    }

    @Test
    void truncatedFramesAreRewrittenAsFarAsTheyGo() {
        Property.check("no length is beyond a frame", 5_000, random -> {
            out.frames.clear();
            byte[] whole = Headers.random(random).bytes();
            int cut = random.nextInt(14, whole.length + 1);
            var list = new ActionList();
            list.setSrc(0, IpAddress.V4_MARK | 7);
            list.setDst(0x2001_0db8L << 32, 7);
            list.setL4Src(7);
            list.setL4Dst(7);
            list.setIcmpId(7);
            list.setDscp(7);
            list.output(2, 0xffff);
            // In memory of just that length: a read beyond it throws.
            runner.run(list, MemorySegment.ofArray(Arrays.copyOf(whole, cut)), 0, cut, 1, out);
            assertThat(out.frames).hasSize(1);
            assertThat(out.frames.getFirst()).hasSize(cut);
        });
    }

    @Test
    void looksForAnMssOnlyInsideTheHeader() {
        byte[] syn = TestFrames.tcp("10.0.0.1", 1, "10.0.0.2", 2, 3, 0x02, new byte[] {2, 4, 5, (byte) 0xb4});
        run(syn, 1, list -> list.output(2, 1000));
        assertThat(out.frames.getFirst()).as("an MSS as payload").isEqualTo(syn);
        byte[] lying = syn.clone();
        lying[TestFrames.ETHERNET + 20 + 12] = (byte) 0xf0;
        run(lying, 1, list -> list.output(2, 1000));
        assertThat(out.frames.getLast()).as("a header longer than the packet").isEqualTo(lying);
    }

    @Test
    void refusesAnActionItDoesNotKnow() {
        var list = new ActionList();
        list.copyFrom(new long[] {14L << 56}, 0, 1);
        byte[] frame = TestFrames.udp("10.0.0.1", 1, "10.0.0.2", 2, 64, 10);
        assertThatThrownBy(() -> runner.run(list, MemorySegment.ofArray(frame), 0, frame.length, 1, out))
                .hasMessageContaining("action 14");
    }
}
