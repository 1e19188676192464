package dev.weft.datapath.link;

import dev.weft.base.MacAddress;
import dev.weft.datapath.kernel.Libc;
import java.util.Optional;
import java.util.OptionalInt;

/**
 * One interface of one namespace, as the kernel told it: struct ifinfomsg {@code family(8) pad(8) type(16) index(32)
 * flags(32) change(32)} with IFLA_ attributes.
 *
 * @param name as this namespace knows it, up to 15 bytes
 * @param ifindex unique within the namespace
 * @param mac empty for links without six octets of address
 * @param mtu of layer 3, in bytes
 * @param up set up by an administrator (IFF_UP)
 * @param running up and its carrier is there (IFF_RUNNING): a veth whose peer is up
 * @param kind {@code veth}, {@code bridge}, {@code vxlan} and so on; empty for hardware and loopback
 * @param peerIfindex of the link below or at the other end, in the namespace {@code peerNamespaceId} says
 * @param peerNamespaceId this namespace's own number for the one of the peer; empty when it is the same
 */
public record Link(
        String name,
        int ifindex,
        Optional<MacAddress> mac,
        int mtu,
        boolean up,
        boolean running,
        String kind,
        OptionalInt peerIfindex,
        OptionalInt peerNamespaceId) {

    static final int NEW = 16;
    static final int DELETE = 17;
    static final int GET = 18;
    static final int SET = 19;
    static final int HEADER_LENGTH = 16;
    static final int FLAG_UP = 0x1;
    static final int ADDRESS = 1;
    static final int NAME = 3;
    static final int MTU = 4;
    static final int INFO = 18;
    static final int INFO_KIND = 1;
    static final int INFO_DATA = 2;
    static final int NAMESPACE_FD = 28;
    private static final int FLAG_RUNNING = 0x40;
    private static final int LOWER = 5;
    private static final int WIRELESS = 11;
    private static final int LOWER_NAMESPACE = 37;

    /** Whether it is one end of a veth whose other end is in another namespace: a packet can be handed right there. */
    public boolean leadsToAnotherNamespace() {
        return kind.equals("veth") && peerIfindex.isPresent() && peerNamespaceId.isPresent();
    }

    /** Empty for messages that do not describe a whole link: bridge ports (another family), wireless events. */
    static Optional<Link> decode(Message message) {
        if ((message.type() != NEW && message.type() != DELETE) || message.byteAt(0) != Libc.AF_UNSPEC) {
            return Optional.empty();
        }
        var attributes = message.attributesAfter(HEADER_LENGTH);
        if (attributes.has(WIRELESS)) {
            return Optional.empty();
        }
        int ifindex = message.intAt(4);
        int flags = message.intAt(8);
        int peer = attributes.number(LOWER).orElse(0); // 0 while the other end of a veth is still being made
        return Optional.of(new Link(
                attributes
                        .string(NAME)
                        .orElseThrow(() -> new LinkException("netlink link " + ifindex + " (expected a name with it)")),
                ifindex,
                attributes.mac(ADDRESS),
                attributes.number(MTU).orElse(0),
                (flags & FLAG_UP) != 0,
                (flags & FLAG_RUNNING) != 0,
                attributes.nested(INFO).string(INFO_KIND).orElse(""),
                peer == 0 ? OptionalInt.empty() : OptionalInt.of(peer),
                attributes.number(LOWER_NAMESPACE)));
    }
}
