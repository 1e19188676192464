package dev.weft.sim.sal;

import dev.weft.base.IpAddress;
import dev.weft.base.ServiceId;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.List;

/**
 * A SAL header as values, for traces, tests and whoever writes a packet now and then: what {@link #decode} reads, {@link
 * #encode} writes, reserved bits as zeros. Immutable.
 *
 * @param protocol of the transport header behind it
 * @param extensions in their order
 */
public record SalMessage(int srcFlow, int dstFlow, int protocol, List<Extension> extensions) {
    /** One extension. */
    public sealed interface Extension {
        int length();

        void write(MemorySegment segment, long at);
    }

    /** One octet of padding. */
    public record Pad() implements Extension {
        @Override
        public int length() {
            return 1;
        }

        @Override
        public void write(MemorySegment segment, long at) {
            SalExtension.writePad(segment, at);
        }
    }

    /** @param flags of {@link SalControl} */
    public record Control(int flags, int verno, int ackno, long nonce) implements Extension {
        @Override
        public int length() {
            return SalControl.LENGTH;
        }

        @Override
        public void write(MemorySegment segment, long at) {
            SalControl.write(segment, at, flags, verno, ackno, nonce);
        }
    }

    public record Service(ServiceId id) implements Extension {
        @Override
        public int length() {
            return SalService.LENGTH;
        }

        @Override
        public void write(MemorySegment segment, long at) {
            SalService.write(segment, at, id.word0(), id.word1(), id.word2(), id.word3());
        }
    }

    /** @param addresses IPv4 */
    public record Address(int verno, int ackno, List<IpAddress> addresses) implements Extension {
        public Address {
            addresses = List.copyOf(addresses);
        }

        @Override
        public int length() {
            return SalAddress.MIN_LENGTH + 4 * addresses.size();
        }

        @Override
        public void write(MemorySegment segment, long at) {
            SalAddress.write(segment, at, verno, ackno, addresses.size());
            for (int i = 0; i < addresses.size(); i++) {
                SalAddress.setAddress(segment, at, i, addresses.get(i).v4Bits());
            }
        }
    }

    /** @param addresses IPv4: the client, then the service routers */
    public record Source(List<IpAddress> addresses) implements Extension {
        public Source {
            addresses = List.copyOf(addresses);
        }

        @Override
        public int length() {
            return SalSource.length(addresses.size());
        }

        @Override
        public void write(MemorySegment segment, long at) {
            SalSource.write(segment, at, addresses.size());
            for (int i = 0; i < addresses.size(); i++) {
                SalSource.setAddress(segment, at, i, addresses.get(i).v4Bits());
            }
        }
    }

    public SalMessage {
        extensions = List.copyOf(extensions);
        int length = length(extensions);
        if (length % 4 != 0 || length > SalHeader.MAX_LENGTH) {
            throw new IllegalArgumentException("SAL header of " + length + " octets (expected a multiple of 4 up to "
                    + SalHeader.MAX_LENGTH + "); pad it or leave extensions out");
        }
    }

    /** @param at of a header that {@link SalParser} has found well formed */
    public static SalMessage decode(MemorySegment segment, long at) {
        List<Extension> extensions = new ArrayList<>();
        long end = at + SalHeader.length(segment, at);
        for (long here = at + SalHeader.LENGTH;
                here < end;
                here += extensions.getLast().length()) {
            extensions.add(extension(segment, here));
        }
        return new SalMessage(
                SalHeader.srcFlow(segment, at),
                SalHeader.dstFlow(segment, at),
                SalHeader.protocol(segment, at),
                extensions);
    }

    private static Extension extension(MemorySegment segment, long at) {
        return switch (SalExtension.type(segment, at)) {
            case SalExtension.CONTROL ->
                new Control(
                        SalControl.flags(segment, at),
                        SalControl.verno(segment, at),
                        SalControl.ackno(segment, at),
                        SalControl.nonce(segment, at));
            case SalExtension.SERVICE ->
                new Service(new ServiceId(
                        SalService.word(segment, at, 0),
                        SalService.word(segment, at, 1),
                        SalService.word(segment, at, 2),
                        SalService.word(segment, at, 3)));
            case SalExtension.ADDRESS -> {
                List<IpAddress> addresses = new ArrayList<>();
                for (int i = 0; i < SalAddress.count(segment, at); i++) {
                    addresses.add(IpAddress.ofV4(SalAddress.address(segment, at, i)));
                }
                yield new Address(SalAddress.verno(segment, at), SalAddress.ackno(segment, at), addresses);
            }
            case SalExtension.SOURCE -> {
                List<IpAddress> addresses = new ArrayList<>();
                for (int i = 0; i < SalSource.count(segment, at); i++) {
                    addresses.add(IpAddress.ofV4(SalSource.address(segment, at, i)));
                }
                yield new Source(addresses);
            }
            default -> new Pad();
        };
    }

    /** In octets. */
    public int length() {
        return length(extensions);
    }

    private static int length(List<Extension> extensions) {
        return SalHeader.LENGTH
                + extensions.stream().mapToInt(Extension::length).sum();
    }

    /** Header and extensions, the checksum right. */
    public byte[] encode() {
        var octets = new byte[length()];
        var segment = MemorySegment.ofArray(octets);
        SalHeader.write(segment, 0, srcFlow, dstFlow, octets.length, protocol);
        int at = SalHeader.LENGTH;
        for (var extension : extensions) {
            extension.write(segment, at);
            at += extension.length();
        }
        SalHeader.fillChecksum(segment, 0);
        return octets;
    }
}
