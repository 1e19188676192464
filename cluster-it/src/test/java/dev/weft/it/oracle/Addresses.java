package dev.weft.it.oracle;

import dev.weft.base.IpAddress;

/** Addresses as numbers, to step beside an edge: IPv4's own; in IPv6 the last 32 bits behind {@code fd00::}. */
final class Addresses {
    static final long V6_HIGH = 0xfd00L << 48;

    private Addresses() {}

    static int of(String v4Text) {
        return (int) IpAddress.parse(v4Text).low();
    }

    static String text(int address, boolean v6) {
        return v6
                ? new IpAddress(V6_HIGH, address & 0xffff_ffffL).toString()
                : IpAddress.ofV4(address).toString();
    }

    /** @param prefix {@code 10.0.1.0/24} */
    static String prefix(String prefix, boolean v6) {
        String[] parts = prefix.split("/");
        int bits = parts.length == 1 ? 32 : Integer.parseInt(parts[1]);
        String address = text(of(parts[0]), v6);
        return parts.length == 1 ? address : address + "/" + (v6 ? bits + 96 : bits);
    }

    /** {@code 10.0.1.5:80} or {@code [fd00::a00:105]:80}. */
    static String end(int address, int port, boolean v6) {
        return v6 ? "[" + text(address, true) + "]:" + port : text(address, false) + ":" + port;
    }
}
