package dev.weft.topology;

import dev.weft.base.IpAddress;
import dev.weft.base.IpPrefix;
import java.util.Optional;

/** An address with the length of the network it stands on, host bits kept: {@code 10.0.1.1/24}. */
public record InterfaceAddress(IpAddress address, int length) {
    public InterfaceAddress {
        if (length < 0 || length > address.width()) {
            throw new IllegalArgumentException(
                    "length " + length + " of " + address + " (expected 0.." + address.width() + ")");
        }
        if (IpAddress.isGroup(address.high(), address.low())) {
            throw new IllegalArgumentException(address + " is a group address (expected unicast)");
        }
    }

    public static InterfaceAddress parse(String text) {
        return tryParse(text)
                .orElseThrow(() -> new IllegalArgumentException(
                        "interface address '" + text + "' (expected address and length, like 10.0.1.1/24)"));
    }

    public static Optional<InterfaceAddress> tryParse(String text) {
        int slash = text.indexOf('/');
        if (slash < 0 || IpPrefix.tryParse(text).isEmpty()) {
            return Optional.empty();
        }
        int length = Integer.parseInt(text.substring(slash + 1));
        return IpAddress.tryParse(text.substring(0, slash))
                .filter(address -> !IpAddress.isGroup(address.high(), address.low()))
                .map(address -> new InterfaceAddress(address, length));
    }

    /** The network the address stands on. */
    public IpPrefix network() {
        return IpPrefix.of(address, length);
    }

    @Override
    public String toString() {
        return address + "/" + length;
    }
}
