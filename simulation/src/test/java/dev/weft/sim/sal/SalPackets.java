package dev.weft.sim.sal;

import dev.weft.base.IpAddress;
import dev.weft.sim.packet.Frames;
import dev.weft.sim.packet.Malformed;
import dev.weft.sim.packet.Packet;
import dev.weft.sim.packet.PacketParser;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Objects;

/** SAL packets for tests: the captured ones, and hand-made ones. Shares no code with what it is there to test. */
public final class SalPackets {
    public static final int ETHERNET = 14;
    public static final int SAL = ETHERNET + 20;
    public static final String SERVICE = "0000400100000000000000000000000000000000000000000000000000000000";

    private SalPackets() {}

    /** Name to IPv4 packet. */
    public static Map<String, byte[]> captured() {
        Map<String, byte[]> packets = new LinkedHashMap<>();
        for (String line : resource("/golden/serval-packets.txt").lines().toList()) {
            if (!line.startsWith("#")) {
                String[] words = line.split(" ", 3);
                packets.put(words[0], HexFormat.of().parseHex(words[1]));
            }
        }
        return packets;
    }

    static String resource(String name) {
        try (var in = Objects.requireNonNull(SalPackets.class.getResourceAsStream(name), name)) {
            return new String(in.readAllBytes(), StandardCharsets.UTF_8);
        } catch (IOException failed) {
            throw new UncheckedIOException(failed);
        }
    }

    /** In an Ethernet frame. */
    public static byte[] framed(byte[] ipPacket) {
        return Frames.ethernet(0x0800).payload(ipPacket).bytes();
    }

    public static byte[] unframed(byte[] frame) {
        return Arrays.copyOfRange(frame, ETHERNET, frame.length);
    }

    /** A frame with this SAL header and its extensions, in hexadecimal, checksum and length filled in; UDP behind it. */
    public static byte[] frame(int srcFlow, int dstFlow, String... extensions) {
        byte[] behind = HexFormat.of().parseHex(String.join("", extensions));
        byte[] sal = ByteBuffer.allocate(12 + behind.length)
                .putInt(srcFlow)
                .putInt(dstFlow)
                .put((byte) ((12 + behind.length) / 4))
                .put((byte) 17)
                .putShort((short) 0)
                .put(behind)
                .array();
        ByteBuffer.wrap(sal).putShort(10, (short) Frames.naiveChecksum(sal));
        byte[] udp = ByteBuffer.allocate(8).putInt(0).putShort((short) 8).array();
        var pseudo = ByteBuffer.allocate(24)
                .put(IpAddress.parse("10.9.0.1").octets())
                .put(IpAddress.parse("10.9.0.3").octets())
                .putInt(17)
                .putInt(8)
                .putInt(0)
                .putInt(8 << 16);
        ByteBuffer.wrap(udp).putShort(6, (short) Frames.naiveChecksum(pseudo.array()));
        return Frames.ip("10.9.0.1", "10.9.0.3", 144).payload(joined(sal, udp)).bytes();
    }

    /** What a native host sends to its service router when a program binds a service, or unbinds it; checksums right. */
    public static byte[] registration(String from, String to, int type, int bits, String service) {
        byte[] said = ByteBuffer.allocate(48)
                .put((byte) type)
                .put((byte) 0)
                .putShort((short) 48)
                .putInt(0x2a000000)
                .put((byte) 0)
                .put((byte) 0)
                .put((byte) bits)
                .put((byte) 0)
                .putInt(0)
                .put(HexFormat.of().parseHex(service))
                .array();
        return registration(from, to, said);
    }

    /** As {@link #registration(String, String, int, int, String)}, with this in its datagram. */
    public static byte[] registration(String from, String to, byte[] said) {
        byte[] sal = HexFormat.of()
                .parseHex("00000007" + "00000000" + "15" + "11" + "0000"
                        + "20240000" + "00015b38" + "0".repeat(56)
                        + "20240000" + "0000d903" + "0".repeat(56));
        ByteBuffer.wrap(sal).putShort(10, (short) Frames.naiveChecksum(sal));
        byte[] udp = Arrays.copyOfRange(
                Frames.udp(from + ":0", to + ":0").payload(said).bytes(), SAL, SAL + 8 + said.length);
        return Frames.ip(from, to, 144).payload(joined(sal, udp)).bytes();
    }

    /** CONTROL with these flags. */
    public static String control(int flags) {
        return "1014%02x00".formatted(flags) + "13203599" + "00000000" + "f5fe678fd57770fe";
    }

    public static String service() {
        return "20240000" + SERVICE;
    }

    public static byte[] joined(byte[]... parts) {
        var all = ByteBuffer.allocate(
                Arrays.stream(parts).mapToInt(part -> part.length).sum());
        for (byte[] part : parts) {
            all.put(part);
        }
        return all.array();
    }

    /** The same SAL octets and all behind them, in UDP between these ports, the checksum right. */
    public static byte[] encapsulated(byte[] frame, int srcPort, int dstPort) {
        String src = address(frame, 12) + ":" + srcPort;
        String dst = address(frame, 16) + ":" + dstPort;
        return Frames.udp(src, dst)
                .payload(Arrays.copyOfRange(frame, SAL, frame.length))
                .bytes();
    }

    private static String address(byte[] frame, int at) {
        return IpAddress.ofOctets(Arrays.copyOfRange(frame, ETHERNET + at, ETHERNET + at + 4))
                .toString();
    }

    /** Computes IPv4 and SAL checksums anew, so that another lie gets further in. */
    public static byte[] mended(byte[] frame) {
        byte[] copy = frame.clone();
        int end = Math.min(copy.length, SAL + (copy[SAL + 8] & 0xff) * 4);
        var octets = ByteBuffer.wrap(copy);
        if (end >= SAL + 12) {
            octets.putShort(SAL + 10, (short) 0);
            octets.putShort(SAL + 10, (short) Frames.naiveChecksum(Arrays.copyOfRange(copy, SAL, end)));
        }
        octets.putShort(ETHERNET + 10, (short) 0);
        octets.putShort(ETHERNET + 10, (short) Frames.naiveChecksum(Arrays.copyOfRange(copy, ETHERNET, SAL)));
        return copy;
    }

    /** Parsed; fails on a malformed frame. */
    public static Packet parsed(byte[] frame) {
        var packet = Frames.wrapped(frame);
        int code = PacketParser.parse(packet);
        if (code != Malformed.OK) {
            throw new AssertionError("frame is " + Malformed.of(code).label());
        }
        return packet;
    }

    /** {@code ok}, or the reason. */
    public static String verdict(byte[] frame) {
        int code = PacketParser.parse(Frames.wrapped(frame));
        return code == Malformed.OK ? "ok" : Malformed.of(code).label();
    }
}
