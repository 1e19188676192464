package dev.weft.datapath.link;

import dev.weft.datapath.kernel.Libc;

/** The requests that make links: RTM_NEWLINK with what each kind asks for (linux/if_link.h, veth.h). */
final class NewLink {
    private static final int CREATE = MessageWriter.ACK | MessageWriter.CREATE | MessageWriter.EXCLUSIVE;
    private static final int VETH_PEER = 1;
    private static final int VXLAN_LEARNING = 7;
    private static final int VXLAN_PORT = 15;
    private static final int VXLAN_ZERO_CHECKSUM6_SEND = 19;
    private static final int VXLAN_ZERO_CHECKSUM6_RECEIVE = 20;
    private static final int VXLAN_COLLECT_METADATA = 25;
    private static final int FAMILY_SETTINGS = 26; // IFLA_AF_SPEC
    private static final int INET6_ADDRESS_GENERATION = 8; // IFLA_INET6_ADDR_GEN_MODE
    private static final byte[] NO_GENERATION = {1}; // IN6_ADDR_GEN_MODE_NONE
    private static final byte[] OFF = {0};
    private static final byte[] ON = {1};

    private NewLink() {}

    static MessageWriter veth(String name, String peer, int peerNamespaceFd) {
        var request = new MessageWriter(Link.NEW, CREATE).putLinkHeader(0, 0, 0).attribute(Link.NAME, name);
        int info = request.open(Link.INFO | MessageWriter.NESTED);
        request.attribute(Link.INFO_KIND, "veth");
        int data = request.open(Link.INFO_DATA | MessageWriter.NESTED);
        int other = request.open(VETH_PEER | MessageWriter.NESTED);
        return request.putLinkHeader(0, 0, 0)
                .attribute(Link.NAME, peer)
                .attribute(Link.NAMESPACE_FD, peerNamespaceFd)
                .close(other)
                .close(data)
                .close(info);
    }

    static MessageWriter vxlan(String name, int port, int mtu) {
        var request = new MessageWriter(Link.NEW, CREATE)
                .putLinkHeader(0, 0, 0)
                .attribute(Link.NAME, name)
                .attribute(Link.MTU, mtu);
        int info = request.open(Link.INFO | MessageWriter.NESTED);
        request.attribute(Link.INFO_KIND, "vxlan");
        int data = request.open(Link.INFO_DATA | MessageWriter.NESTED);
        return request.attribute(VXLAN_COLLECT_METADATA, ON)
                .attribute(VXLAN_LEARNING, OFF)
                .attribute(VXLAN_PORT, new byte[] {(byte) (port >>> 8), (byte) port})
                .attribute(VXLAN_ZERO_CHECKSUM6_SEND, ON)
                .attribute(VXLAN_ZERO_CHECKSUM6_RECEIVE, ON)
                .close(data)
                .close(info);
    }

    static MessageWriter withoutIpv6Address(MessageWriter setting) {
        int families = setting.open(FAMILY_SETTINGS | MessageWriter.NESTED);
        int inet6 = setting.open(Libc.AF_INET6 | MessageWriter.NESTED);
        return setting.attribute(INET6_ADDRESS_GENERATION, NO_GENERATION)
                .close(inet6)
                .close(families);
    }
}
