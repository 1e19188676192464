package dev.weft.topology;

import dev.weft.base.IpAddress;
import dev.weft.base.IpPrefix;
import dev.weft.base.MacAddress;
import java.util.Map;
import java.util.Optional;
import java.util.function.IntFunction;
import java.util.regex.Pattern;

/** The values that conditions of rules are written with: networks, ports, protocols. Each is parsed and printed here. */
public final class MatchText {
    /** {@link #vlans}: frames without a tag. */
    public static final Range NO_VLAN = new Range(-1, -1);

    private static final Map<String, Integer> PROTOCOLS = Map.of("icmp", 1, "tcp", 6, "udp", 17, "icmpv6", 58);
    private static final Map<String, Integer> ETHERTYPES = Map.of("ipv4", 0x0800, "arp", 0x0806, "ipv6", 0x86dd);
    private static final Pattern NUMBER = Pattern.compile("0|[1-9][0-9]{0,4}");
    private static final Pattern HEXADECIMAL = Pattern.compile("0x[0-9a-fA-F]{1,4}");
    /** Below it the field is a length (IEEE 802.3). */
    private static final int LEAST_ETHERTYPE = 0x600;

    private static final String NONE = "none";

    private MatchText() {}

    /** Whole numbers, both ends included. */
    public record Range(int low, int high) {
        public boolean contains(int value) {
            return low <= value && value <= high;
        }

        @Override
        public String toString() {
            return low == high ? Integer.toString(low) : low + "-" + high;
        }
    }

    /** An ICMP type, and a code or {@link #ANY_CODE}. */
    public record IcmpKind(int type, int code) {
        public static final int ANY_CODE = -1;

        @Override
        public String toString() {
            return code == ANY_CODE ? Integer.toString(type) : type + "/" + code;
        }
    }

    /** MAC addresses that agree with one on the bits of a mask. */
    public record MacMatch(long bits, long mask) {
        public static final long ALL = 0xffff_ffff_ffffL;

        public MacMatch {
            bits &= mask;
        }

        @Override
        public String toString() {
            return MacAddress.toString(bits) + (mask == ALL ? "" : "/" + MacAddress.toString(mask));
        }
    }

    /** An address is the network of itself. Host bits are an error. */
    public static IpPrefix network(String text) {
        return parsed(tryNetwork(text), text, "network");
    }

    static Optional<IpPrefix> tryNetwork(String text) {
        int slash = text.indexOf('/');
        if (slash < 0) {
            return IpAddress.tryParse(text).map(address -> IpPrefix.of(address, address.width()));
        }
        return IpPrefix.tryParse(text)
                .filter(prefix -> prefix.network().equals(IpAddress.parse(text.substring(0, slash))));
    }

    static String print(IpPrefix network) {
        return network.bits() == 128 ? network.network().toString() : network.toString();
    }

    public static int protocol(String text) {
        return parsed(tryProtocol(text), text, "protocol");
    }

    static Optional<Integer> tryProtocol(String text) {
        return named(PROTOCOLS, text).or(() -> number(text, 0xff));
    }

    static String printProtocol(int protocol) {
        return nameOf(PROTOCOLS, protocol, Integer::toString);
    }

    public static int etherType(String text) {
        return parsed(tryEtherType(text), text, "ethertype");
    }

    static Optional<Integer> tryEtherType(String text) {
        Optional<Integer> number = HEXADECIMAL.matcher(text).matches()
                ? Optional.of(Integer.parseInt(text.substring(2), 16))
                : Optional.empty();
        return named(ETHERTYPES, text).or(() -> number.filter(type -> type >= LEAST_ETHERTYPE));
    }

    static String printEtherType(int type) {
        return nameOf(ETHERTYPES, type, "0x%04x"::formatted);
    }

    public static Range ports(String text) {
        return parsed(tryRange(text, 0xffff), text, "ports");
    }

    public static Range dscp(String text) {
        return parsed(tryRange(text, 0x3f), text, "DSCP");
    }

    /** {@link #NO_VLAN} for "none". */
    public static Range vlans(String text) {
        return parsed(tryVlans(text), text, "VLAN");
    }

    static Optional<Range> tryVlans(String text) {
        return text.equals(NONE) ? Optional.of(NO_VLAN) : tryRange(text, 0xfff);
    }

    static String printVlans(Range range) {
        return range.equals(NO_VLAN) ? NONE : range.toString();
    }

    /** {@code "80"}, {@code "8000-8080"}; of 0 to {@code most}. */
    static Optional<Range> tryRange(String text, int most) {
        int dash = text.indexOf('-');
        Optional<Integer> low = number(dash < 0 ? text : text.substring(0, dash), most);
        Optional<Integer> high = dash < 0 ? low : number(text.substring(dash + 1), most);
        return low.isPresent() && high.isPresent() && low.get() <= high.get()
                ? Optional.of(new Range(low.get(), high.get()))
                : Optional.empty();
    }

    public static IcmpKind icmp(String text) {
        return parsed(tryIcmp(text), text, "ICMP kind");
    }

    static Optional<IcmpKind> tryIcmp(String text) {
        int slash = text.indexOf('/');
        Optional<Integer> type = number(slash < 0 ? text : text.substring(0, slash), 0xff);
        Optional<Integer> code = slash < 0 ? Optional.of(IcmpKind.ANY_CODE) : number(text.substring(slash + 1), 0xff);
        return type.isPresent() && code.isPresent()
                ? Optional.of(new IcmpKind(type.get(), code.get()))
                : Optional.empty();
    }

    public static MacMatch mac(String text) {
        return parsed(tryMac(text), text, "MAC match");
    }

    static Optional<MacMatch> tryMac(String text) {
        int slash = text.indexOf('/');
        if (slash < 0) {
            return MacAddress.tryParse(text).map(mac -> new MacMatch(mac.bits(), MacMatch.ALL));
        }
        Optional<MacAddress> bits = MacAddress.tryParse(text.substring(0, slash));
        Optional<MacAddress> mask = MacAddress.tryParse(text.substring(slash + 1));
        return bits.isPresent()
                        && mask.isPresent()
                        && (bits.get().bits() & ~mask.get().bits()) == 0
                ? Optional.of(new MacMatch(bits.get().bits(), mask.get().bits()))
                : Optional.empty();
    }

    private static Optional<Integer> named(Map<String, Integer> names, String text) {
        return Optional.ofNullable(names.get(text));
    }

    private static String nameOf(Map<String, Integer> names, int value, IntFunction<String> otherwise) {
        return names.entrySet().stream()
                .filter(entry -> entry.getValue() == value)
                .map(Map.Entry::getKey)
                .findFirst()
                .orElseGet(() -> otherwise.apply(value));
    }

    private static Optional<Integer> number(String text, int most) {
        return NUMBER.matcher(text).matches()
                ? Optional.of(Integer.parseInt(text)).filter(number -> number <= most)
                : Optional.empty();
    }

    private static <T> T parsed(Optional<T> value, String text, String what) {
        return value.orElseThrow(() -> new IllegalArgumentException(what + " '" + text + "' (expected it canonical)"));
    }
}
