package dev.weft.topology;

import dev.weft.base.IpAddress;
import dev.weft.base.IpPrefix;
import dev.weft.base.MacAddress;
import dev.weft.base.ServicePrefix;
import dev.weft.topology.schema.Format;
import java.nio.charset.StandardCharsets;
import java.util.Locale;
import java.util.Optional;
import java.util.UUID;
import java.util.regex.Pattern;

/** What a text field may hold, and its canonical spelling. */
final class Formats {
    private static final Pattern NAME = Pattern.compile("[a-z0-9][a-z0-9._-]{0,62}");
    private static final Pattern ID = Pattern.compile("[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}");
    private static final int INTERFACE_BYTES = 15;

    private Formats() {}

    /** The canonical spelling, or empty when the text is not of this format. */
    static Optional<String> canonical(Format format, String text) {
        return switch (format) {
            case FORMAT_UNSPECIFIED, UNRECOGNIZED -> Optional.of(text);
            case FORMAT_ADDRESS -> IpAddress.tryParse(text).map(IpAddress::toString);
            case FORMAT_PREFIX ->
                IpPrefix.tryParse(text)
                        .filter(prefix -> hasNoHostBits(prefix, text))
                        .map(IpPrefix::toString);
            case FORMAT_INTERFACE_ADDRESS -> InterfaceAddress.tryParse(text).map(InterfaceAddress::toString);
            case FORMAT_MAC ->
                MacAddress.tryParse(text)
                        .filter(mac -> mac.bits() != 0 && !MacAddress.isGroup(mac.bits()))
                        .map(MacAddress::toString);
            case FORMAT_NAME -> NAME.matcher(text).matches() ? Optional.of(text) : Optional.empty();
            case FORMAT_INTERFACE -> isInterface(text) ? Optional.of(text) : Optional.empty();
            case FORMAT_ID -> isId(text) ? Optional.of(text.toLowerCase(Locale.ROOT)) : Optional.empty();
            case FORMAT_NETWORK -> MatchText.tryNetwork(text).map(MatchText::print);
            case FORMAT_PROTOCOL -> MatchText.tryProtocol(text).map(MatchText::printProtocol);
            case FORMAT_PORTS -> MatchText.tryRange(text, 0xffff).map(MatchText.Range::toString);
            case FORMAT_ICMP -> MatchText.tryIcmp(text).map(MatchText.IcmpKind::toString);
            case FORMAT_ETHERTYPE -> MatchText.tryEtherType(text).map(MatchText::printEtherType);
            case FORMAT_MAC_MATCH -> MatchText.tryMac(text).map(MatchText.MacMatch::toString);
            case FORMAT_VLANS -> MatchText.tryVlans(text).map(MatchText::printVlans);
            case FORMAT_DSCP -> MatchText.tryRange(text, 0x3f).map(MatchText.Range::toString);
            case FORMAT_TRUNK_VLANS -> VlanRange.tryParse(text).map(VlanRange::toString);
            case FORMAT_SERVICE_PREFIX -> ServicePrefix.tryParse(text).map(ServicePrefix::toString);
        };
    }

    /** What is allowed, for an error. */
    static String expected(Format format, String text) {
        return switch (format) {
            case FORMAT_UNSPECIFIED, UNRECOGNIZED -> "expected text";
            case FORMAT_ADDRESS -> "expected an address like 10.0.1.5 or fd00:1::5";
            case FORMAT_PREFIX ->
                "expected a prefix without host bits, like "
                        + IpPrefix.tryParse(text).map(IpPrefix::toString).orElse("10.0.1.0/24 or fd00:1::/64");
            case FORMAT_INTERFACE_ADDRESS ->
                "expected a unicast address and the length of its network, like 10.0.1.1/24 or fd00:1::1/64";
            case FORMAT_MAC -> "expected a unicast MAC address like 02:00:00:00:00:01";
            case FORMAT_NAME -> "expected 1 to 63 of a-z 0-9 . _ -, the first a letter or digit";
            case FORMAT_INTERFACE -> "expected a network interface name: 1 to 15 bytes, no '/', no white space";
            case FORMAT_ID -> "expected a UUID like 3b1f2c4e-8d7a-4c55-9a43-0f6f0c0a7d11";
            case FORMAT_NETWORK ->
                "expected an address, or a prefix without host bits, like "
                        + IpPrefix.tryParse(text).map(IpPrefix::toString).orElse("10.0.1.5 or 10.0.1.0/24");
            case FORMAT_PROTOCOL -> "expected tcp, udp, icmp, icmpv6 or a number of 0..255";
            case FORMAT_PORTS -> "expected a port of 0..65535 or a range like 8000-8080";
            case FORMAT_ICMP -> "expected an ICMP type, or type and code, like 8 or 3/13";
            case FORMAT_ETHERTYPE -> "expected arp, ipv4, ipv6 or a hexadecimal number of 0x600..0xffff";
            case FORMAT_MAC_MATCH ->
                "expected a MAC address, or one and a mask that holds its bits, like"
                        + " 02:00:00:00:00:00/ff:ff:ff:00:00:00";
            case FORMAT_VLANS -> "expected a VLAN id of 0..4095, a range like 10-19, or none";
            case FORMAT_DSCP -> "expected a DSCP of 0..63 or a range like 10-14";
            case FORMAT_TRUNK_VLANS -> "expected a VLAN id 1..4094 or a range of them, like 100-199";
            case FORMAT_SERVICE_PREFIX ->
                "expected a service like 0x00004001 (whole words of 8 digits) or 16385, with a length or none, like"
                        + " 0x00004001/32, or *";
        };
    }

    static boolean isId(String text) {
        return ID.matcher(text).matches();
    }

    /** A name that fits {@link Format#FORMAT_NAME} made of free parts; long ones end in a hash of the whole. */
    static String nameOf(String raw) {
        String name = raw.toLowerCase(Locale.ROOT).replaceAll("[^a-z0-9._-]", "-");
        if (name.length() <= 63) {
            return name;
        }
        UUID hash = UUID.nameUUIDFromBytes(raw.getBytes(StandardCharsets.UTF_8));
        return name.substring(0, 46) + "-" + Long.toHexString(hash.getMostSignificantBits() | 1L << 63);
    }

    private static boolean hasNoHostBits(IpPrefix prefix, String text) {
        return prefix.network().equals(IpAddress.parse(text.substring(0, text.indexOf('/'))));
    }

    private static boolean isInterface(String text) {
        int bytes = text.getBytes(StandardCharsets.UTF_8).length;
        return bytes >= 1
                && bytes <= INTERFACE_BYTES
                && !text.equals(".")
                && !text.equals("..")
                && text.chars().noneMatch(c -> c == '/' || c == ':' || c <= ' ' || Character.isWhitespace(c));
    }
}
