package dev.weft.sim.packet;

import dev.weft.base.IpAddress;
import java.io.ByteArrayOutputStream;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/** DNS messages for tests: queries to send, and an answer as a client reads it from its frame. */
public final class Dns {
    private final byte[] frame;
    private final Packet packet = new Packet();
    private final ByteBuffer message;
    private final StringBuilder name = new StringBuilder();
    private final List<String> addresses = new ArrayList<>();
    private int code;

    public Dns(byte[] frame) {
        this.frame = frame;
        packet.wrap(MemorySegment.ofArray(frame), 0, frame.length);
        if (PacketParser.parse(packet) != Malformed.OK) {
            throw new AssertionError("the answer is malformed");
        }
        int at = packet.l4Offset + Udp.LENGTH;
        message = ByteBuffer.wrap(frame, at, packet.l3End - at).slice();
        read();
    }

    private void read() {
        code = message.getShort(2) & 0xf;
        message.position(12);
        for (int i = message.getShort(4); i > 0; i--) {
            for (int label = message.get(); label != 0; label = message.get()) {
                var octets = new byte[label];
                message.get(octets);
                name.append(name.isEmpty() ? "" : ".").append(new String(octets, StandardCharsets.US_ASCII));
            }
            message.getInt();
        }
        for (int i = message.getShort(6); i > 0; i--) {
            if (message.getShort() != (short) 0xc00c) {
                throw new AssertionError("an answer about another name");
            }
            message.getLong();
            var octets = new byte[message.getShort()];
            message.get(octets);
            addresses.add(
                    octets.length == 4
                            ? IpAddress.ofV4(ByteBuffer.wrap(octets).getInt()).toString()
                            : new IpAddress(
                                            ByteBuffer.wrap(octets).getLong(0),
                                            ByteBuffer.wrap(octets).getLong(8))
                                    .toString());
        }
        if (message.getShort(10) == 1) {
            message.position(message.position() + 5);
            code |= (message.get() & 0xff) << 4;
            message.position(message.position() + 5);
        }
        if (message.hasRemaining()) {
            throw new AssertionError(message.remaining() + " octets behind the answer");
        }
    }

    public int id() {
        return message.getShort(0) & 0xffff;
    }

    public int length() {
        return message.limit();
    }

    public boolean isTruncated() {
        return (message.getShort(2) & 0x0200) != 0;
    }

    public int additional() {
        return message.getShort(10);
    }

    public String name() {
        return name.toString();
    }

    /** {@code 10.0.1.1:53 > 10.0.1.5:4000}. */
    public String ends() {
        return new IpEnd(packet.key.srcHigh(), packet.key.srcLow(), packet.key.l4Src()) + " > "
                + new IpEnd(packet.key.dstHigh(), packet.key.dstLow(), packet.key.l4Dst());
    }

    private record IpEnd(long high, long low, int port) {
        @Override
        public String toString() {
            String text = IpAddress.toString(high, low);
            return (text.contains(":") ? "[" + text + "]" : text) + ":" + port;
        }
    }

    public boolean isSound() {
        return Checksum.isTransportValid(
                MemorySegment.ofArray(frame), packet.l3Offset, packet.l4Offset, packet.l3End, Ipv4.UDP);
    }

    /** Code and addresses. */
    @Override
    public String toString() {
        return code + " " + String.join(",", addresses);
    }

    /** A question for a name, labels parted by dots. */
    public static byte[] query(int id, String name, int type) {
        var out = new ByteArrayOutputStream();
        out.writeBytes(new byte[] {(byte) (id >> 8), (byte) id, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0});
        for (String label : name.isEmpty() ? new String[0] : name.split("\\.")) {
            out.write(label.length());
            out.writeBytes(label.getBytes(StandardCharsets.US_ASCII));
        }
        out.writeBytes(new byte[] {0, (byte) (type >> 8), (byte) type, 0, 1});
        return out.toByteArray();
    }

    /** The query with an OPT record more. */
    public static byte[] extended(byte[] query, int size, int version) {
        byte[] longer = Arrays.copyOf(query, query.length + 11);
        longer[11]++;
        ByteBuffer.wrap(longer, query.length + 1, 10)
                .putShort((short) 41)
                .putShort((short) size)
                .put(new byte[] {0, (byte) version, 0, 0});
        return longer;
    }
}
