package dev.weft.sim;

import dev.weft.base.HotPath;
import dev.weft.base.IpAddress;
import dev.weft.base.IpPrefix;
import dev.weft.base.MacAddress;
import dev.weft.sim.match.Lpm;
import dev.weft.topology.InterfaceAddress;
import dev.weft.topology.MatchText;
import dev.weft.topology.schema.AllowedPair;
import dev.weft.topology.schema.Port;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/** Who is behind an exterior bridge port, as far as the topology says, and what that VM may claim to be. Immutable. */
@HotPath
final class Station {
    private static final long LINK_LOCAL_HIGH = 0xfe80_0000_0000_0000L;
    private static final long UNIVERSAL_BIT = 0x0200_0000_0000_0000L;

    /** What it was made from. */
    private final List<Object> inputs;

    final long mac;
    final List<InterfaceAddress> addresses;
    /** Whether what it sends is held against {@link #sources}. */
    final boolean secured;

    private final long[] macs;
    /** By the number of the MAC: what it may send from. */
    private final Lpm[] sources;

    private Station(Port port) {
        inputs = List.of(port.getMac(), port.getAddressesList(), port.getSecurity(), port.getAllowedPairsList());
        mac = MacAddress.parse(port.getMac()).bits();
        addresses =
                port.getAddressesList().stream().map(InterfaceAddress::parse).toList();
        secured = port.getSecurity();
        Map<Long, Set<IpPrefix>> allowed = allowed(port, mac);
        macs = allowed.keySet().stream().mapToLong(Long::longValue).toArray();
        sources = allowed.values().stream()
                .map(prefixes -> Lpm.of(new ArrayList<>(prefixes)))
                .toArray(Lpm[]::new);
    }

    /** Null when the topology says nothing. */
    static @Nullable Station of(Port port) {
        boolean exterior = !port.getBridgeId().isEmpty() && !port.getHostId().isEmpty();
        return exterior && !port.getMac().isEmpty() ? new Station(port) : null;
    }

    private static Map<Long, Set<IpPrefix>> allowed(Port port, long mac) {
        Map<Long, Set<IpPrefix>> allowed = new LinkedHashMap<>();
        Set<IpPrefix> own = allowed.computeIfAbsent(mac, Station::ofMac);
        for (String text : port.getAddressesList()) {
            IpAddress address = InterfaceAddress.parse(text).address();
            own.add(IpPrefix.of(address, address.width()));
        }
        for (AllowedPair pair : port.getAllowedPairsList()) {
            long with = pair.getMac().isEmpty()
                    ? mac
                    : MacAddress.parse(pair.getMac()).bits();
            allowed.computeIfAbsent(with, Station::ofMac).add(MatchText.network(pair.getAddress()));
        }
        return allowed;
    }

    /** Its link-local address by RFC 4291 appendix A goes without saying. */
    private static Set<IpPrefix> ofMac(long mac) {
        long low = (mac >>> 24) << 40 | 0xff_fe00_0000L | mac & 0xff_ffffL;
        var address = new IpAddress(LINK_LOCAL_HIGH, low ^ UNIVERSAL_BIT);
        return new LinkedHashSet<>(Set.of(IpPrefix.of(address, address.width())));
    }

    /** The number of a MAC that it may send with, or -1. */
    int macNumber(long of) {
        for (int i = 0; i < macs.length; i++) {
            if (macs[i] == of) {
                return i;
            }
        }
        return -1;
    }

    /** Packed, see {@link Lpm}: whether an address is one of those that go with the MAC, and the bits that prove it. */
    long source(int macNumber, long high, long low) {
        return sources[macNumber].lookup(high, low);
    }

    /** Other MACs than its own that it may send with. */
    long[] otherMacs() {
        return Arrays.copyOfRange(macs, 1, macs.length);
    }

    @Override
    public boolean equals(Object other) {
        return other instanceof Station station && inputs.equals(station.inputs);
    }

    @Override
    public int hashCode() {
        return inputs.hashCode();
    }
}
