package dev.weft.it;

import dev.weft.sim.packet.Frames;
import java.util.Arrays;
import java.util.List;
import java.util.random.RandomGenerator;

/** Packets that lie: valid frames cut short, with lengths, counts and offsets changed, or bits flipped. */
final class Mutations {
    private static final byte[] BOUNDARIES = {0, 1, 4, 5, 7, 8, 0x0f, 0x10, 0x3f, 0x40, 0x7f, (byte) 0x80, (byte) 0xff};
    private static final int LONGEST_TAIL = 64;

    private final RandomGenerator random;
    private final List<byte[]> valid;

    /** @param from MAC, @param to MAC of a router port, so that the frames get as far as they can */
    Mutations(RandomGenerator random, String from, String to) {
        this.random = random;
        valid = List.of(
                frame(Frames.udp("10.0.1.5:1000", "10.0.2.9:53").payload(20), from, to),
                frame(Frames.udp("[fd00:1::5]:1000", "[fd00:2::9]:53").payload(20), from, to),
                frame(Frames.tcp("10.0.1.5:1000", "10.0.2.9:80").tcpOptions(12).payload(5), from, to),
                frame(Frames.tcp("[fd00:1::5]:1000", "[fd00:2::9]:80"), from, to),
                frame(Frames.udp("10.0.1.5:1000", "10.0.2.9:53").ipOptions(8), from, to),
                frame(Frames.udp("[fd00:1::5]:1000", "[fd00:2::9]:53").extensions(2), from, to),
                frame(Frames.udp("10.0.1.5:1000", "10.0.2.9:53").payload(64).fragment(7, 0, true), from, to),
                frame(Frames.udp("10.0.1.5:1000", "10.0.2.9:53").payload(64).fragment(7, 64, false), from, to),
                frame(Frames.udp("10.0.1.5:1000", "10.0.1.8:53").vlan(5), from, to),
                frame(Frames.udp("10.0.1.5:1000", "10.0.2.9:53").ttl(1), from, to),
                frame(Frames.echoRequest("10.0.1.5", "10.0.1.1", 1, 1), from, to),
                frame(Frames.echoRequest("fd00:1::5", "fd00:1::1", 1, 1), from, to),
                frame(
                        Frames.icmp("10.0.1.5", "10.0.2.9", 3, 1, 0)
                                .payload(ipOf(Frames.udp("10.0.2.9:53", "10.0.1.5:1000"))),
                        from,
                        to),
                Frames.arpRequest("10.0.1.5", "10.0.1.1").from(from).bytes(),
                Frames.arpReply("10.0.1.5", "10.0.1.1").from(from).to(to).bytes(),
                Frames.neighbourSolicitation("fd00:1::5", "fd00:1::1")
                        .from(from)
                        .bytes(),
                Frames.neighbourAdvertisement("fd00:1::5", "fd00:1::1")
                        .from(from)
                        .to(to)
                        .bytes(),
                Frames.ethernet(0x88b5).from(from).to(to).payload(40).bytes());
    }

    private static byte[] frame(Frames frames, String from, String to) {
        return frames.from(from).to(to).bytes();
    }

    private static byte[] ipOf(Frames frames) {
        byte[] frame = frames.bytes();
        return Arrays.copyOfRange(frame, 14, frame.length);
    }

    byte[] next() {
        return next(valid.get(random.nextInt(valid.size())));
    }

    byte[] next(byte[] from) {
        byte[] frame = from.clone();
        for (int i = random.nextInt(1, 4); i > 0; i--) {
            frame = mutated(frame);
        }
        return frame;
    }

    private byte[] mutated(byte[] frame) {
        if (frame.length == 0) {
            return frame;
        }
        int at = random.nextInt(frame.length);
        switch (random.nextInt(5)) {
            case 0 -> {
                return Arrays.copyOf(frame, at);
            }
            case 1 -> {
                return Arrays.copyOf(frame, frame.length + random.nextInt(LONGEST_TAIL));
            }
            case 2 -> frame[at] ^= (byte) (1 << random.nextInt(8));
            // Most lengths and offsets stand in the first octets of a header.
            case 3 -> frame[Math.min(frame.length - 1, 12 + random.nextInt(40))] = boundary();
            default -> frame[at] = boundary();
        }
        return frame;
    }

    private byte boundary() {
        return BOUNDARIES[random.nextInt(BOUNDARIES.length)];
    }
}
