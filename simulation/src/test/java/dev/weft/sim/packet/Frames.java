package dev.weft.sim.packet;

import dev.weft.base.IpAddress;
import dev.weft.base.MacAddress;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.util.Arrays;

/**
 * Builds frames for tests: start with a protocol, change what matters, take {@link #bytes()} or {@link #packet()}.
 * Shares no code with the writers and checksums it is there to test.
 *
 * <pre>
 * Frames.udp("10.0.1.5:1000", "10.0.2.9:53").from("02:00:00:00:00:05").to("02:00:00:00:00:01").ttl(3).bytes()
 * </pre>
 */
public final class Frames {
    private static final int ICMP_NEIGHBOUR_SOLICITATION = 135;
    private static final int ICMP_NEIGHBOUR_ADVERTISEMENT = 136;

    private long srcMac = 0x0200_0000_0005L;
    private long dstMac = 0x0200_0000_0001L;
    private int etherType;
    private int vlanTci = -1;

    private IpAddress src = IpAddress.ofV4(0);
    private IpAddress dst = IpAddress.ofV4(0);
    private int protocol = -1;
    private int ttl = 64;
    private int trafficClass;
    private int id;
    private int fragmentOffset;
    private boolean fragmented;
    private boolean moreFragments;
    private boolean dontFragment;
    private int ipOptionsLength;
    private int extensions;

    private byte[] l4 = {};
    private byte[] payload = {};
    private byte[] tcpOptions = {};
    private boolean checksummed = true;
    /** Type of the neighbour discovery option with the source MAC, 0 = none. */
    private int linkOption;

    private Frames() {}

    /** @param src {@code 10.0.1.5:1000} or {@code [fd00::5]:1000} */
    public static Frames udp(String src, String dst) {
        var frame = ip(host(src), host(dst), 17);
        frame.l4 = ByteBuffer.allocate(8)
                .putShort((short) port(src))
                .putShort((short) port(dst))
                .array();
        return frame;
    }

    /** A bare ACK; see {@link #flags}. */
    public static Frames tcp(String src, String dst) {
        var frame = ip(host(src), host(dst), 6);
        frame.l4 = ByteBuffer.allocate(20)
                .putShort((short) port(src))
                .putShort((short) port(dst))
                .putInt(1)
                .putInt(1)
                .putShort((short) 0x5010)
                .putShort((short) 8192)
                .array();
        return frame;
    }

    /** An echo request of the addresses' family. */
    public static Frames echoRequest(String src, String dst, int id, int sequence) {
        return icmp(src, dst, IpAddress.parse(src).isV4() ? 8 : 128, 0, id << 16 | sequence);
    }

    public static Frames echoReply(String src, String dst, int id, int sequence) {
        return icmp(src, dst, IpAddress.parse(src).isV4() ? 0 : 129, 0, id << 16 | sequence);
    }

    /** ICMP or ICMPv6, by the family of the addresses. */
    public static Frames icmp(String src, String dst, int type, int code, int rest) {
        var frame = ip(src, dst, IpAddress.parse(src).isV4() ? 1 : 58);
        frame.l4 = ByteBuffer.allocate(8)
                .put((byte) type)
                .put((byte) code)
                .putShort((short) 0)
                .putInt(rest)
                .array();
        return frame;
    }

    /** "Unreachable", about the packet that is quoted whole. */
    public static Frames icmpError(String src, String dst, Frames about) {
        return icmp(src, dst, IpAddress.parse(src).isV4() ? 3 : 1, 1, 0).payload(about.ipBytes());
    }

    public static Frames ip(String src, String dst, int protocol) {
        var frame = new Frames();
        frame.src = IpAddress.parse(src);
        frame.dst = IpAddress.parse(dst);
        frame.etherType = frame.src.isV4() ? 0x0800 : 0x86dd;
        frame.protocol = protocol;
        return frame;
    }

    /** To all; the target MAC is 0. */
    public static Frames arpRequest(String sender, String target) {
        return arp(1, sender, target).to("ff:ff:ff:ff:ff:ff");
    }

    /** {@code sender} answers {@code target}. */
    public static Frames arpReply(String sender, String target) {
        return arp(2, sender, target);
    }

    private static Frames arp(int operation, String sender, String target) {
        var frame = new Frames();
        frame.etherType = 0x0806;
        frame.src = IpAddress.parse(sender);
        frame.dst = IpAddress.parse(target);
        frame.id = operation;
        return frame;
    }

    /** To the target's solicited-node group, with the source MAC as option. */
    public static Frames neighbourSolicitation(String src, String target) {
        var wanted = IpAddress.parse(target);
        var group = new IpAddress(0xff02_0000_0000_0000L, 0x1_ff00_0000L | wanted.low() & 0xff_ffff);
        var frame =
                icmp(src, group.toString(), ICMP_NEIGHBOUR_SOLICITATION, 0, 0).payload(wanted.octets());
        frame.ttl = 255;
        frame.linkOption = 1;
        frame.dstMac = 0x3333_0000_0000L | group.low() & 0xffff_ffffL;
        return frame;
    }

    /** {@code src} answers {@code dst} for itself: solicited, override, with the source MAC as option. */
    public static Frames neighbourAdvertisement(String src, String dst) {
        var frame = icmp(src, dst, ICMP_NEIGHBOUR_ADVERTISEMENT, 0, 0x6000_0000)
                .payload(IpAddress.parse(src).octets());
        frame.ttl = 255;
        frame.linkOption = 2;
        return frame;
    }

    /** Any other frame; give it a {@link #payload}. */
    public static Frames ethernet(int etherType) {
        var frame = new Frames();
        frame.etherType = etherType;
        return frame;
    }

    public Frames from(String mac) {
        return from(MacAddress.parse(mac).bits());
    }

    public Frames from(long mac) {
        srcMac = mac;
        return this;
    }

    public Frames to(String mac) {
        return to(MacAddress.parse(mac).bits());
    }

    public Frames to(long mac) {
        dstMac = mac;
        return this;
    }

    public Frames vlan(int tci) {
        vlanTci = tci;
        return this;
    }

    /** TTL or hop limit. */
    public Frames ttl(int value) {
        ttl = value;
        return this;
    }

    public Frames dscp(int value) {
        trafficClass = value << 2 | trafficClass & 3;
        return this;
    }

    public Frames ecn(int value) {
        trafficClass = trafficClass & ~3 | value;
        return this;
    }

    /** TCP flags, the whole octet. */
    public Frames flags(int flags) {
        l4[13] = (byte) flags;
        return this;
    }

    public Frames payload(byte[] octets) {
        payload = octets;
        return this;
    }

    /** Octets 0, 1, 2 ... */
    public Frames payload(int length) {
        var octets = new byte[length];
        for (int i = 0; i < length; i++) {
            octets[i] = (byte) i;
        }
        return payload(octets);
    }

    /** @param offset in octets, a multiple of 8; above 0 the payload alone is what the fragment carries */
    public Frames fragment(int id, int offset, boolean more) {
        this.id = id;
        fragmented = true;
        fragmentOffset = offset;
        moreFragments = more;
        if (offset > 0) {
            l4 = new byte[0];
            tcpOptions = new byte[0];
        }
        return this;
    }

    public Frames dontFragment() {
        dontFragment = true;
        return this;
    }

    /** No-operation options: 0 to 40 octets, a multiple of 4. */
    public Frames ipOptions(int length) {
        ipOptionsLength = length;
        return this;
    }

    /** No-operation options: 0 to 40 octets, a multiple of 4. */
    public Frames tcpOptions(int length) {
        var options = new byte[length];
        Arrays.fill(options, (byte) 1);
        return tcpOptions(options);
    }

    /** @param options 0 to 40 octets, a multiple of 4 */
    public Frames tcpOptions(byte[] options) {
        tcpOptions = options;
        l4[12] = (byte) ((20 + options.length) / 4 << 4);
        return this;
    }

    /** UDP with a checksum of 0: there is none. */
    public Frames withoutChecksum() {
        checksummed = false;
        return this;
    }

    /** That many destination options headers of 8 octets behind the IPv6 header. */
    public Frames extensions(int count) {
        extensions = count;
        return this;
    }

    /** Parsed; fails on a malformed frame. */
    public Packet packet() {
        var packet = wrapped(bytes());
        int code = PacketParser.parse(packet);
        if (code != Malformed.OK) {
            throw new AssertionError("frame is " + Malformed.of(code).label());
        }
        return packet;
    }

    /** Not parsed. */
    public static Packet wrapped(byte[] frame) {
        var packet = new Packet();
        packet.wrap(MemorySegment.ofArray(frame), 0, frame.length);
        return packet;
    }

    public byte[] bytes() {
        byte[] l3 = etherType == 0x0806 ? arpBytes() : protocol < 0 ? payload : ipBytes();
        var frame = ByteBuffer.allocate(14 + (vlanTci < 0 ? 0 : 4) + l3.length);
        putMac(frame, dstMac);
        putMac(frame, srcMac);
        if (vlanTci >= 0) {
            frame.putShort((short) 0x8100).putShort((short) vlanTci);
        }
        return frame.putShort((short) etherType).put(l3).array();
    }

    private byte[] arpBytes() {
        var arp = ByteBuffer.allocate(28)
                .putInt(0x0001_0800)
                .putShort((short) 0x0604)
                .putShort((short) id);
        putMac(arp, srcMac);
        arp.put(src.octets());
        putMac(arp, id == 1 ? 0 : dstMac);
        return arp.put(dst.octets()).array();
    }

    /** The IP packet alone: what an ICMP error quotes. */
    public byte[] ipBytes() {
        return src.isV4() ? v4Bytes(l4Bytes()) : v6Bytes(l4Bytes());
    }

    private byte[] v4Bytes(byte[] data) {
        int headerLength = 20 + ipOptionsLength;
        int field = (dontFragment ? 0x4000 : 0) | (moreFragments ? 0x2000 : 0) | fragmentOffset / 8;
        var packet = ByteBuffer.allocate(headerLength + data.length)
                .put((byte) (0x40 | headerLength / 4))
                .put((byte) trafficClass)
                .putShort((short) (headerLength + data.length))
                .putShort((short) id)
                .putShort((short) field)
                .put((byte) ttl)
                .put((byte) protocol)
                .putShort((short) 0)
                .put(src.octets())
                .put(dst.octets());
        for (int i = 0; i < ipOptionsLength; i++) {
            packet.put((byte) 1);
        }
        packet.putShort(10, (short) naiveChecksum(Arrays.copyOf(packet.array(), headerLength)));
        return packet.put(data).array();
    }

    private byte[] v6Bytes(byte[] data) {
        int length = extensions * 8 + (fragmented ? 8 : 0) + data.length;
        var packet = ByteBuffer.allocate(40 + length)
                .putInt(6 << 28 | trafficClass << 20)
                .putShort((short) length)
                .put((byte) (extensions > 0 ? 60 : fragmented ? 44 : protocol))
                .put((byte) ttl)
                .put(src.octets())
                .put(dst.octets());
        for (int i = 1; i <= extensions; i++) {
            int next = i < extensions ? 60 : fragmented ? 44 : protocol;
            // Next header, length 0, then one PadN option over the other six octets.
            packet.put((byte) next).put((byte) 0).put((byte) 1).put((byte) 4).putInt(0);
        }
        if (fragmented) {
            packet.put((byte) protocol)
                    .put((byte) 0)
                    .putShort((short) (fragmentOffset | (moreFragments ? 1 : 0)))
                    .putInt(id);
        }
        return packet.put(data).array();
    }

    private byte[] l4Bytes() {
        var data = ByteBuffer.allocate(l4.length + tcpOptions.length + payload.length + (linkOption == 0 ? 0 : 8));
        data.put(l4);
        data.put(tcpOptions).put(payload);
        if (linkOption != 0) {
            data.put((byte) linkOption).put((byte) 1);
            putMac(data, srcMac);
        }
        int field = l4.length == 0 || !checksummed ? -1 : checksumField();
        if (protocol == 17 && l4.length > 0) {
            data.putShort(4, (short) data.capacity());
        }
        if (field >= 0) {
            int sum = naiveChecksum(withPseudoHeader(data.array()));
            data.putShort(field, (short) (sum == 0 && protocol == 17 ? 0xffff : sum));
        }
        return data.array();
    }

    private int checksumField() {
        return switch (protocol) {
            case 6 -> 16;
            case 17 -> 6;
            case 1, 58 -> 2;
            default -> -1;
        };
    }

    private byte[] withPseudoHeader(byte[] data) {
        if (protocol == 1) {
            return data;
        }
        return ByteBuffer.allocate(2 * src.octets().length + 8 + data.length)
                .put(src.octets())
                .put(dst.octets())
                .putInt(data.length)
                .putInt(protocol)
                .put(data)
                .array();
    }

    /** RFC 1071 the slow way: word by word, the carry brought round each time. */
    public static int naiveChecksum(byte[] octets) {
        int sum = 0;
        for (int i = 0; i < octets.length; i += 2) {
            int low = i + 1 < octets.length ? octets[i + 1] & 0xff : 0;
            sum += (octets[i] & 0xff) << 8 | low;
            if (sum > 0xffff) {
                sum -= 0xffff;
            }
        }
        return ~sum & 0xffff;
    }

    private static void putMac(ByteBuffer buffer, long mac) {
        buffer.putShort((short) (mac >>> 32)).putInt((int) mac);
    }

    private static String host(String endpoint) {
        int colon = endpoint.lastIndexOf(':');
        return endpoint.startsWith("[") ? endpoint.substring(1, colon - 1) : endpoint.substring(0, colon);
    }

    private static int port(String endpoint) {
        return Integer.parseInt(endpoint.substring(endpoint.lastIndexOf(':') + 1));
    }
}
