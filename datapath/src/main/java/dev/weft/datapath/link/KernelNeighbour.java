package dev.weft.datapath.link;

import dev.weft.base.IpAddress;
import dev.weft.base.MacAddress;
import dev.weft.datapath.kernel.Libc;
import java.util.Optional;

/**
 * An entry of the kernel's ARP or ND table: struct ndmsg {@code family(8) pad(24) index(32) state(16) flags(8) type(8)}
 * with NDA_ attributes.
 *
 * @param mac empty while it is being asked for, or after that failed
 * @param state NUD_ bits of linux/neighbour.h
 */
public record KernelNeighbour(int ifindex, IpAddress address, Optional<MacAddress> mac, int state) {
    static final int NEW = 28;
    static final int DELETE = 29;
    static final int GET = 30;
    private static final int HEADER_LENGTH = 12;
    private static final int DESTINATION = 1;
    private static final int LINK_ADDRESS = 2;
    private static final int FLAG_USE = 1; // NTF_USE: as if a packet had just been sent to it
    // NUD_REACHABLE | STALE | DELAY | PROBE | NOARP | PERMANENT: the kernel's own NUD_VALID.
    private static final int VALID = 0x02 | 0x04 | 0x08 | 0x10 | 0x40 | 0x80;

    /** The kernel would send to this MAC without asking first. */
    public boolean usable() {
        return (state & VALID) != 0 && mac.isPresent();
    }

    static MessageWriter list() {
        return new MessageWriter(GET, MessageWriter.DUMP)
                .putByte(Libc.AF_UNSPEC)
                .putByte(0)
                .putShort(0)
                .putInt(0)
                .putInt(0);
    }

    static MessageWriter use(int ifindex, IpAddress address) {
        return new MessageWriter(NEW, MessageWriter.ACK | MessageWriter.CREATE)
                .putByte(address.isV4() ? Libc.AF_INET : Libc.AF_INET6)
                .putByte(0)
                .putShort(0)
                .putInt(ifindex)
                .putShort(0)
                .putByte(FLAG_USE)
                .putByte(0)
                .attribute(DESTINATION, address.octets());
    }

    /** Empty for what is neither IPv4 nor IPv6 (forwarding entries of bridges). */
    static Optional<KernelNeighbour> decode(Message message) {
        int family = message.byteAt(0);
        if ((message.type() != NEW && message.type() != DELETE)
                || (family != Libc.AF_INET && family != Libc.AF_INET6)) {
            return Optional.empty();
        }
        var attributes = message.attributesAfter(HEADER_LENGTH);
        return attributes
                .address(DESTINATION)
                .map(address -> new KernelNeighbour(
                        message.intAt(4), address, attributes.mac(LINK_ADDRESS), message.shortAt(8)));
    }
}
