package dev.weft.it.oracle;

import dev.weft.base.IpAddress;

/** IPv4 addresses as numbers, to step beside an edge. */
final class Addresses {
    private Addresses() {}

    static int of(String text) {
        return (int) IpAddress.parse(text).low();
    }

    static String text(int address) {
        return IpAddress.ofV4(address).toString();
    }
}
