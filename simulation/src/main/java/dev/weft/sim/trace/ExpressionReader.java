package dev.weft.sim.trace;

import dev.weft.base.IpAddress;
import dev.weft.base.MacAddress;
import dev.weft.base.ServiceId;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.List;
import java.util.Set;
import java.util.regex.Pattern;
import java.util.stream.Collectors;

/** Words to {@link PacketSpec}. Used once per text. */
final class ExpressionReader {
    private static final Pattern WORD = Pattern.compile("\\S+");
    /** Quotes are about packets; a quote about a quote about ... is no packet anybody sends. */
    private static final int MAX_NESTING = 3;

    private record Word(String text, int column) {}

    private final List<Word> words = new ArrayList<>();
    private int at;

    ExpressionReader(String text) {
        var matcher = WORD.matcher(text);
        while (matcher.find()) {
            words.add(new Word(matcher.group(), matcher.start() + 1));
        }
    }

    PacketSpec read() {
        return packet(0);
    }

    private PacketSpec packet(int nesting) {
        var first = next(kindWords());
        var kind = Arrays.stream(Kind.values())
                .filter(k -> k.word.equals(first))
                .findFirst()
                .orElseThrow(() -> wrong(kindWords()));
        var spec = new PacketSpec(kind);
        head(spec);
        while (at < words.size()) {
            option(spec, nesting);
        }
        SpecRules.check(spec, nesting > 0);
        return spec;
    }

    private static String kindWords() {
        return "a protocol: " + Arrays.stream(Kind.values()).map(k -> k.word).collect(Collectors.joining(", "));
    }

    private void head(PacketSpec spec) {
        switch (spec.kind) {
            case UDP, TCP -> {
                spec.srcPort = endpoint(spec, true);
                arrow();
                spec.dstPort = endpoint(spec, false);
            }
            case SAL -> {
                spec.srcPort = flow(spec, true);
                arrow();
                spec.dstPort = flow(spec, false);
            }
            case ICMP, ICMP6 -> {
                spec.type = icmpType(spec.kind == Kind.ICMP);
                addresses(spec);
            }
            case ARP -> {
                spec.type = choice("request", 1, "reply", 2);
                addresses(spec);
            }
            case ND -> {
                spec.type = choice("solicit", 135, "advertise", 136);
                addresses(spec);
            }
            case IP -> addresses(spec);
            case ETH -> {}
        }
    }

    private int icmpType(boolean v4) {
        String allowed = "an ICMP type: " + String.join(", ", IcmpTypes.of(v4).keySet()) + ", or type and a number";
        String word = next(allowed);
        if (word.equals("type")) {
            return (int) number("an ICMP type, 0..255", 255);
        }
        Integer type = IcmpTypes.of(v4).get(word);
        if (type == null) {
            throw wrong(allowed);
        }
        return type;
    }

    private int choice(String one, int oneValue, String other, int otherValue) {
        String allowed = one + " or " + other;
        String word = next(allowed);
        if (word.equals(one)) {
            return oneValue;
        }
        if (word.equals(other)) {
            return otherValue;
        }
        throw wrong(allowed);
    }

    private void addresses(PacketSpec spec) {
        spec.src = address(family(spec.kind));
        arrow();
        spec.dst = address(spec.src.isV4() ? 4 : 6);
    }

    /** 0 = either. */
    private static int family(Kind kind) {
        return switch (kind) {
            case ICMP, ARP -> 4;
            case ICMP6, ND -> 6;
            default -> 0;
        };
    }

    private IpAddress address(int family) {
        String allowed = family == 4
                ? "an IPv4 address like 10.0.1.5"
                : family == 6 ? "an IPv6 address like fd00:1::5" : "an IP address like 10.0.1.5 or fd00:1::5";
        String word = next(allowed);
        var address = IpAddress.tryParse(word);
        boolean fits = address.isPresent()
                && (family == 0 || address.get().isV4() == (family == 4))
                && (word.indexOf(':') < 0 || !address.get().isV4());
        if (!fits) {
            throw wrong(allowed);
        }
        return address.get();
    }

    private int endpoint(PacketSpec spec, boolean source) {
        boolean known = !source;
        String allowed = !known
                ? "an address and a port like 10.0.1.5:1000 or [fd00:1::5]:1000"
                : spec.src.isV4()
                        ? "an IPv4 address and a port like 10.0.2.9:53"
                        : "an IPv6 address and a port like [fd00:2::9]:53";
        String word = next(allowed);
        int colon = word.lastIndexOf(':');
        boolean bracketed = word.startsWith("[") && colon > 1 && word.charAt(colon - 1) == ']';
        if (colon < 0 || !word.substring(colon + 1).matches("[0-9]{1,5}")) {
            throw wrong(allowed);
        }
        String host = bracketed ? word.substring(1, colon - 1) : word.substring(0, colon);
        var address = IpAddress.tryParse(host);
        int port = Integer.parseInt(word.substring(colon + 1));
        if (address.isEmpty() || port > 0xffff || address.get().isV4() == bracketed) {
            throw wrong(allowed);
        }
        if (known && address.get().isV4() != spec.src.isV4()) {
            throw wrong(allowed);
        }
        if (source) {
            spec.src = address.get();
        } else {
            spec.dst = address.get();
        }
        return port;
    }

    private int flow(PacketSpec spec, boolean source) {
        String allowed = "an IPv4 address and a flow id like 10.0.1.5:2";
        String word = next(allowed);
        int colon = word.lastIndexOf(':');
        var address = IpAddress.tryParse(word.substring(0, Math.max(colon, 0)));
        long flowId = tryNumber(word.substring(colon + 1));
        if (colon < 0 || address.isEmpty() || !address.get().isV4() || flowId < 0 || flowId > 0xffff_ffffL) {
            throw wrong(allowed);
        }
        if (source) {
            spec.src = address.get();
        } else {
            spec.dst = address.get();
        }
        return (int) flowId;
    }

    private void arrow() {
        if (!next("'>' between source and destination").equals(">")) {
            throw wrong("'>' between source and destination");
        }
    }

    private void option(PacketSpec spec, int nesting) {
        Set<Option> allowed = spec.kind.options();
        String allowedWords = "an option of " + spec.kind.word + ": "
                + allowed.stream().map(o -> o.word).collect(Collectors.joining(", "));
        var option =
                Option.tryParse(next(allowedWords)).filter(allowed::contains).orElseThrow(() -> wrong(allowedWords));
        if (spec.has(option)) {
            throw wrong("each option once");
        }
        switch (option.value) {
            case NONE -> spec.numbers.put(option, 1L);
            case NUMBER -> spec.numbers.put(option, number(option.word + ", 0.." + option.max, option.max));
            case MAC -> spec.numbers.put(option, mac());
            case MAC_OR_NONE -> spec.numbers.put(option, macOrNone());
            case ADDRESS -> spec.addresses.put(option, address(spec.isV4() ? 4 : 6));
            case OCTETS -> spec.octets.put(option, hex((int) option.max));
            case FLAGS -> spec.numbers.put(option, flags(spec.flags(option)));
            case ADDRESSES -> spec.sources = addresses((int) option.max);
            case SERVICE -> spec.services.put(option, service());
            case FRAGMENT -> spec.numbers.put(option, fragment());
            case PACKET -> {
                if (nesting == MAX_NESTING) {
                    throw wrong("at most " + MAX_NESTING + " packets about one another");
                }
                spec.about = packet(nesting + 1);
            }
        }
    }

    private long number(String allowed, long max) {
        long value = tryNumber(next(allowed));
        if (value < 0 || value > max) {
            throw wrong(allowed);
        }
        return value;
    }

    /** Negative when it is none. */
    private static long tryNumber(String word) {
        return word.matches("0x[0-9a-fA-F]{1,8}")
                ? Long.parseLong(word.substring(2), 16)
                : word.matches("[0-9]{1,10}") ? Long.parseLong(word) : -1;
    }

    private List<IpAddress> addresses(int most) {
        String allowed = "1.." + most + " IPv4 addresses with commas like 10.0.1.5,10.0.1.1";
        List<IpAddress> addresses = new ArrayList<>();
        for (String text : next(allowed).split(",", -1)) {
            addresses.add(IpAddress.tryParse(text)
                    .filter(IpAddress::isV4)
                    .filter(address -> addresses.size() < most)
                    .orElseThrow(() -> wrong(allowed)));
        }
        return addresses;
    }

    private ServiceId service() {
        String allowed = "a service like 0x00004001 or 16385";
        return ServiceId.tryParse(next(allowed)).orElseThrow(() -> wrong(allowed));
    }

    private long mac() {
        String allowed = "a MAC address like 02:00:00:00:00:01";
        return MacAddress.tryParse(next(allowed))
                .orElseThrow(() -> wrong(allowed))
                .bits();
    }

    private long macOrNone() {
        String allowed = "a MAC address like 02:00:00:00:00:01, or none";
        String word = next(allowed);
        return word.equals("none")
                ? PacketSpec.NO_LINK_MAC
                : MacAddress.tryParse(word).orElseThrow(() -> wrong(allowed)).bits();
    }

    private byte[] hex(int most) {
        String allowed = "1.." + most + " octets in hexadecimal like 0a1b2c";
        String word = next(allowed);
        if (word.length() % 2 != 0 || word.length() / 2 > most || !word.matches("[0-9a-fA-F]+")) {
            throw wrong(allowed);
        }
        return HexFormat.of().parseHex(word);
    }

    private long flags(Flags flags) {
        String allowed = "none, or with commas: " + String.join(", ", flags.names());
        var value = flags.tryParse(next(allowed));
        if (value.isEmpty()) {
            throw wrong(allowed);
        }
        return value.getAsInt();
    }

    private long fragment() {
        String allowed =
                "the fragment's offset in octets, a multiple of 8 up to 65528, and + if more follow: 0+ or 1480";
        String word = next(allowed);
        if (!word.matches("[0-9]{1,5}[+]?")) {
            throw wrong(allowed);
        }
        boolean more = word.endsWith("+");
        int offset = Integer.parseInt(more ? word.substring(0, word.length() - 1) : word);
        if (offset % 8 != 0 || offset > 65528 || offset == 0 && !more) {
            throw wrong(allowed);
        }
        return offset | (more ? PacketSpec.MORE : 0);
    }

    private String next(String allowed) {
        if (at == words.size()) {
            throw new PacketExpressionException(
                    "packet expression ends after word " + at + " (expected " + allowed + ")");
        }
        return words.get(at++).text;
    }

    /** About the word read last. */
    private PacketExpressionException wrong(String allowed) {
        var word = words.get(at - 1);
        return new PacketExpressionException("packet expression, word " + at + " at column " + word.column + ": '"
                + word.text + "' (expected " + allowed + ")");
    }
}
