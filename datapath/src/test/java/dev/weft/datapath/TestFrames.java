package dev.weft.datapath;

import dev.weft.base.IpAddress;
import dev.weft.sim.flow.FlowKey;
import dev.weft.sim.flow.FlowMask;
import dev.weft.sim.packet.Packet;
import dev.weft.sim.packet.PacketParser;
import java.io.ByteArrayOutputStream;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;

/** Frames the suites send, built by hand and with sums of their own, so that they share no code with what is tested. */
public final class TestFrames {
    public static final int ETHERNET = 14;

    private TestFrames() {}

    public static byte[] udp(String src, int srcPort, String dst, int dstPort, int ttl, int payload) {
        return udp(src, srcPort, dst, dstPort, ttl, new byte[payload]);
    }

    public static byte[] udp(String src, int srcPort, String dst, int dstPort, int ttl, byte[] payload) {
        var datagram = ByteBuffer.allocate(8 + payload.length);
        datagram.putShort((short) srcPort).putShort((short) dstPort).putShort((short) (8 + payload.length));
        datagram.putShort((short) 0).put(payload);
        return ip(src, dst, 17, ttl, datagram.array(), 6);
    }

    public static byte[] tcp(String src, int srcPort, String dst, int dstPort, int seq, int flags, byte[] payload) {
        var segment = ByteBuffer.allocate(20 + payload.length);
        segment.putShort((short) srcPort).putShort((short) dstPort).putInt(seq).putInt(1);
        segment.put((byte) 0x50)
                .put((byte) flags)
                .putShort((short) 65_535)
                .putInt(0)
                .put(payload);
        return ip(src, dst, 6, 64, segment.array(), 16);
    }

    /** An Ethernet frame between two fixed MACs; the transport checksum is filled at {@code checksumAt}. */
    public static byte[] ip(String src, String dst, int protocol, int ttl, byte[] transport, int checksumAt) {
        byte[] from = IpAddress.parse(src).octets();
        byte[] to = IpAddress.parse(dst).octets();
        boolean v4 = from.length == 4;
        int header = v4 ? 20 : 40;
        var frame = ByteBuffer.allocate(ETHERNET + header + transport.length);
        putMac(frame, 0x0200_0000_0002L);
        putMac(frame, 0x0200_0000_0001L);
        if (v4) {
            frame.putShort((short) 0x0800).put((byte) 0x45).put((byte) 0).putShort((short) (20 + transport.length));
            frame.putInt(0x1234_4000).put((byte) ttl).put((byte) protocol).putShort((short) 0);
        } else {
            frame.putShort((short) 0x86dd).putInt(0x6000_0000).putShort((short) transport.length);
            frame.put((byte) protocol).put((byte) ttl);
        }
        frame.put(from).put(to).put(transport);
        if (v4) {
            frame.putShort(ETHERNET + 10, (short) ~sum(frame.array(), ETHERNET, 20, 0));
        }
        int l4 = ETHERNET + header;
        int checksum = ~pseudoSum(from, to, protocol, frame.array(), l4) & 0xffff;
        frame.putShort(l4 + checksumAt, (short) (checksum == 0 && protocol == 17 ? 0xffff : checksum));
        return frame.array();
    }

    /** 0xffff when the transport checksum of a frame from {@link #ip} holds. */
    public static int transportSum(byte[] frame) {
        boolean v4 = frame[12] == 0x08;
        int width = v4 ? 4 : 16;
        int addresses = ETHERNET + (v4 ? 12 : 8);
        int protocol = frame[ETHERNET + (v4 ? 9 : 6)];
        var from = new byte[width];
        var to = new byte[width];
        System.arraycopy(frame, addresses, from, 0, width);
        System.arraycopy(frame, addresses + width, to, 0, width);
        return pseudoSum(from, to, protocol, frame, ETHERNET + (v4 ? 20 : 40));
    }

    private static int pseudoSum(byte[] from, byte[] to, int protocol, byte[] frame, int l4) {
        var summed = new ByteArrayOutputStream();
        summed.writeBytes(from);
        summed.writeBytes(to);
        summed.writeBytes(ByteBuffer.allocate(8)
                .putInt(frame.length - l4)
                .putInt(protocol)
                .array());
        byte[] pseudo = summed.toByteArray();
        return sum(frame, l4, frame.length - l4, sum(pseudo, 0, pseudo.length, 0));
    }

    /** The ones' complement sum of RFC 1071, word by word. */
    public static int sum(byte[] octets, int at, int length, int start) {
        long sum = start;
        for (int i = 0; i < length; i += 2) {
            int low = i + 1 < length ? octets[at + i + 1] & 0xff : 0;
            sum += (octets[at + i] & 0xff) << 8 | low;
        }
        while (sum >>> 16 != 0) {
            sum = (sum & 0xffff) + (sum >>> 16);
        }
        return (int) sum;
    }

    private static void putMac(ByteBuffer frame, long mac) {
        frame.putShort((short) (mac >>> 32)).putInt((int) mac);
    }

    public static FlowKey key(byte[] frame, int inPort, int tunnelKey) {
        var packet = new Packet();
        packet.wrap(MemorySegment.ofArray(frame), 0, frame.length);
        if (PacketParser.parse(packet) != 0) {
            throw new IllegalArgumentException("test frame of " + frame.length + " bytes does not parse");
        }
        packet.key.setIngress(inPort, tunnelKey);
        return packet.key;
    }

    /** Covers all packets of the ingress to one destination address. */
    public static FlowMask toDestination() {
        var mask = new FlowMask();
        mask.clear();
        mask.addEtherType();
        mask.addDst(128);
        return mask;
    }

    public static FlowMask exact() {
        var mask = new FlowMask();
        mask.exact();
        return mask;
    }
}
