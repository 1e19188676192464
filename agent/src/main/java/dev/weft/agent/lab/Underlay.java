package dev.weft.agent.lab;

/** What the fabric's IP is. Hosts are numbered from 1, the store's place in the fabric is 254. */
public enum Underlay {
    IPV4("172.16.0.", 24),
    IPV6("fd16::", 64);

    /** A VM's 1500 bytes, 14 of inner Ethernet, 56 of VXLAN over IPv6, and some to spare. */
    static final int MTU = 1600;

    private static final int STORE = 254;

    private final String network;
    private final int prefixLength;

    Underlay(String network, int prefixLength) {
        this.network = network;
        this.prefixLength = prefixLength;
    }

    String host(int number) {
        return network + number;
    }

    String store() {
        return network + STORE;
    }

    /** As ip(8) wants an address that is usable at once. */
    String assigned(String address) {
        return address + "/" + prefixLength + (this == IPV6 ? " nodad" : "");
    }
}
