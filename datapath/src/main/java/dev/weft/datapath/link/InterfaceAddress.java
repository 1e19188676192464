package dev.weft.datapath.link;

import dev.weft.base.IpAddress;
import dev.weft.base.IpPrefix;
import dev.weft.datapath.kernel.Libc;
import java.util.Optional;

/**
 * An address on an interface: struct ifaddrmsg {@code family(8) prefixLength(8) flags(8) scope(8) index(32)} with IFA_
 * attributes.
 *
 * @param prefixLength in the address's own family: 0..32 or 0..128
 * @param flags IFA_F_ bits of linux/if_addr.h
 */
public record InterfaceAddress(IpAddress address, int prefixLength, int flags) {
    static final int NEW = 20;
    static final int DELETE = 21;
    static final int GET = 22;
    private static final int HEADER_LENGTH = 8;
    private static final int ADDRESS = 1;
    private static final int LOCAL = 2;
    private static final int FLAGS = 8;
    private static final int FLAG_NO_DAD = 0x02;
    private static final int FLAG_TENTATIVE = 0x40;

    public InterfaceAddress {
        if (prefixLength < 0 || prefixLength > address.width()) {
            throw new IllegalArgumentException(
                    "prefix length " + prefixLength + " of " + address + " (expected 0.." + address.width() + ")");
        }
    }

    /** {@code 10.0.1.1/24}: host bits are kept. */
    public static InterfaceAddress parse(String text) {
        int slash = text.indexOf('/');
        var prefix = IpPrefix.parse(text);
        return new InterfaceAddress(IpAddress.parse(text.substring(0, slash)), prefix.length(), 0);
    }

    /** Usable at once: no duplicate address detection (RFC 4862 §5.4) for IPv6; no change for IPv4. */
    public InterfaceAddress withoutDuplicateDetection() {
        return address.isV4() ? this : new InterfaceAddress(address, prefixLength, flags | FLAG_NO_DAD);
    }

    /** Not usable yet: duplicate address detection is under way. */
    public boolean tentative() {
        return (flags & FLAG_TENTATIVE) != 0;
    }

    public IpPrefix prefix() {
        return IpPrefix.of(address, prefixLength);
    }

    /** Text that {@link #parse} reads; without the flags. */
    @Override
    public String toString() {
        return address + "/" + prefixLength;
    }

    boolean sameAs(InterfaceAddress other) {
        return address.equals(other.address) && prefixLength == other.prefixLength;
    }

    MessageWriter encode(MessageWriter message, int ifindex) {
        message.putByte(address.isV4() ? Libc.AF_INET : Libc.AF_INET6)
                .putByte(prefixLength)
                .putByte(0)
                .putByte(0)
                .putInt(ifindex);
        return message.attribute(LOCAL, address.octets())
                .attribute(ADDRESS, address.octets())
                .attribute(FLAGS, flags);
    }

    /** An address and the interface it is on. */
    record OnLink(int ifindex, InterfaceAddress value) {}

    static Optional<OnLink> decode(Message message) {
        int family = message.byteAt(0);
        if ((message.type() != NEW && message.type() != DELETE)
                || (family != Libc.AF_INET && family != Libc.AF_INET6)) {
            return Optional.empty();
        }
        var attributes = message.attributesAfter(HEADER_LENGTH);
        // On a point-to-point link ADDRESS is the peer's and LOCAL is ours.
        return attributes
                .address(LOCAL)
                .or(() -> attributes.address(ADDRESS))
                .filter(address -> message.byteAt(1) <= address.width())
                .map(address -> new OnLink(
                        message.intAt(4),
                        new InterfaceAddress(
                                address,
                                message.byteAt(1),
                                attributes.number(FLAGS).orElse(message.byteAt(2)))));
    }

    static MessageWriter list(int ifindex) {
        return new MessageWriter(GET, MessageWriter.DUMP)
                .putByte(Libc.AF_UNSPEC)
                .putByte(0)
                .putByte(0)
                .putByte(0)
                .putInt(ifindex);
    }
}
