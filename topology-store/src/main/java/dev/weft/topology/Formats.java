package dev.weft.topology;

import dev.weft.base.IpAddress;
import dev.weft.base.IpPrefix;
import dev.weft.base.MacAddress;
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
