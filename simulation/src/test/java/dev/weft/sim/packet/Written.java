package dev.weft.sim.packet;

import dev.weft.base.IpAddress;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/** Frames of every kind that {@link PacketWriter} writes, at an odd offset, with ones around them. */
final class Written {
    static final long OURS = 0x0200_0000_0001L;
    static final long THEIRS = 0x0200_0000_0005L;
    private static final int AT = 3;

    /** How a frame is written: the writer's call, given memory and offset. */
    interface Call {
        int write(MemorySegment out, long at);
    }

    private Written() {}

    static byte[] by(Call call) {
        var memory = new byte[70_000];
        Arrays.fill(memory, (byte) 0xff);
        int length = call.write(MemorySegment.ofArray(memory), AT);
        return Arrays.copyOfRange(memory, AT, AT + length);
    }

    static byte[] error(Packet cause, IcmpError error, int mtu, String from) {
        var address = IpAddress.parse(from);
        return by((out, at) ->
                PacketWriter.icmpError(out, at, cause, error, mtu, OURS, THEIRS, address.high(), address.low()));
    }

    static byte[] echoReply(Packet request) {
        return by((out, at) -> PacketWriter.echoReply(out, at, request, OURS, THEIRS));
    }

    static byte[] arpRequest() {
        return by((out, at) -> PacketWriter.arpRequest(out, at, OURS, 0x0a000101, 0x0a000105));
    }

    static byte[] arpReply() {
        return by((out, at) -> PacketWriter.arpReply(out, at, OURS, 0x0a000101, THEIRS, 0x0a000105));
    }

    static byte[] solicitation(String from, String target) {
        var source = IpAddress.parse(from);
        var wanted = IpAddress.parse(target);
        return by((out, at) -> PacketWriter.neighbourSolicitation(
                out, at, OURS, source.high(), source.low(), wanted.high(), wanted.low()));
    }

    static byte[] advertisement(String target, String to, int flags) {
        var source = IpAddress.parse(target);
        var asker = IpAddress.parse(to);
        return by((out, at) -> PacketWriter.neighbourAdvertisement(
                out, at, OURS, source.high(), source.low(), THEIRS, asker.high(), asker.low(), flags));
    }

    static byte[] tagged(byte[] frame, int tci) {
        return by((out, at) -> {
            MemorySegment.copy(MemorySegment.ofArray(frame), 0, out, at, frame.length);
            return PacketWriter.tag(out, at, frame.length, tci);
        });
    }

    static List<byte[]> all() {
        var frames = new ArrayList<byte[]>();
        frames.add(arpRequest());
        frames.add(arpReply());
        frames.add(solicitation("fd00:1::1", "fd00:1::5"));
        frames.add(advertisement("fd00:1::1", "fd00:1::5", Ndp.ROUTER | Ndp.SOLICITED | Ndp.OVERRIDE));
        frames.add(tagged(arpRequest(), 100));
        for (int length : new int[] {0, 1, 56, 1472, 9000}) {
            frames.add(echoReply(Frames.echoRequest("10.0.1.5", "10.0.1.1", 7, 1)
                    .payload(length)
                    .packet()));
            frames.add(echoReply(Frames.echoRequest("fd00:1::5", "fd00:1::1", 7, 1)
                    .payload(length)
                    .packet()));
        }
        for (var error : IcmpError.values()) {
            int mtu = error == IcmpError.TOO_BIG ? 1400 : 0;
            for (int length : new int[] {0, 1, 3000}) {
                var v4 = Frames.udp("10.0.1.5:1000", "10.0.2.9:53")
                        .payload(length)
                        .packet();
                var v6 = Frames.tcp("[fd00:1::5]:1000", "[fd00:2::9]:80")
                        .payload(length)
                        .packet();
                frames.add(error(v4, error, mtu, "10.0.1.1"));
                frames.add(error(v6, error, mtu, "fd00:1::1"));
            }
        }
        return frames;
    }
}
