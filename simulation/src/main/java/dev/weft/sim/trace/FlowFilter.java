package dev.weft.sim.trace;

import dev.weft.base.IpPrefix;
import dev.weft.base.MacAddress;
import dev.weft.sim.flow.FlowKey;
import dev.weft.sim.flow.FlowMask;
import dev.weft.sim.packet.Ethernet;
import dev.weft.sim.packet.Ipv4;
import dev.weft.sim.packet.Ipv6;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import java.util.Locale;

/**
 * Says which flows or packets a person wants to see, in the words of {@link PacketExpression}. All of them must hold.
 *
 * <pre>
 * filter = word*
 * word   = udp | tcp | icmp | icmp6 | arp | ip | ip6 | eth type N
 *        | src PREFIX | dst PREFIX | host PREFIX (either)        10.0.1.0/24, 10.0.1.5, fd00:1::/64
 *        | src-port N | dst-port N | port N (either)
 *        | src-mac MAC | dst-mac MAC | mac MAC (either)
 *        | proto N | dscp N | vlan N | id N (of an ICMP echo) | fragment
 *        | flags syn,fin,rst (all of these)
 *        | not word
 * </pre>
 *
 * A flow is shown when some packet that it covers would be; behind {@code not}, when no packet of it is excluded.
 */
public final class FlowFilter {
    private static final String WORDS = "udp, tcp, icmp, icmp6, arp, ip, ip6, eth, src, dst, host, src-port, dst-port,"
            + " port, src-mac, dst-mac, mac, proto, dscp, vlan, id, fragment, flags, not";
    private static final FlowMask EXACT = exact();

    private final List<Condition> conditions;

    /** One of these fits, or none. */
    private record Condition(List<Pattern> either, boolean negated) {
        boolean holds(FlowKey key, FlowMask mask) {
            return either.stream().anyMatch(pattern -> pattern.meets(key, mask)) != negated;
        }
    }

    /** Bits that count, and what they are. */
    private record Pattern(FlowKey value, FlowMask bits) {
        boolean meets(FlowKey key, FlowMask mask) {
            for (int i = 0; i < FlowKey.WORDS; i++) {
                if (((key.word(i) ^ value.word(i)) & bits.word(i) & mask.word(i)) != 0) {
                    return false;
                }
            }
            return true;
        }
    }

    private FlowFilter(List<Condition> conditions) {
        this.conditions = conditions;
    }

    private static FlowMask exact() {
        var mask = new FlowMask();
        mask.exact();
        return mask;
    }

    /** @throws PacketExpressionException naming the word and what is allowed there; an empty text holds for all */
    public static FlowFilter parse(String text) {
        var conditions = new ArrayList<Condition>();
        Iterator<String> words = List.of(text.strip().split("\\s+")).iterator();
        while (words.hasNext()) {
            String word = words.next();
            if (word.isEmpty()) {
                continue;
            }
            boolean negated = word.equals("not");
            conditions.add(new Condition(patterns(negated ? value("not", words) : word, words), negated));
        }
        return new FlowFilter(conditions);
    }

    /** Whether a flow may concern such packets. */
    public boolean matches(FlowKey key, FlowMask mask) {
        return conditions.stream().allMatch(condition -> condition.holds(key, mask));
    }

    /** Whether it is such a packet. */
    public boolean matches(FlowKey packet) {
        return matches(packet, EXACT);
    }

    private static List<Pattern> patterns(String word, Iterator<String> words) {
        return switch (word) {
            case "udp" -> List.of(protocol(Ipv4.UDP));
            case "tcp" -> List.of(protocol(Ipv4.TCP));
            case "icmp" -> List.of(of(Ethernet.IPV4, Ipv4.ICMP));
            case "icmp6" -> List.of(of(Ethernet.IPV6, Ipv6.ICMPV6));
            case "arp" -> List.of(etherType(Ethernet.ARP));
            case "ip" -> List.of(etherType(Ethernet.IPV4));
            case "ip6" -> List.of(etherType(Ethernet.IPV6));
            case "eth" -> {
                if (!value("eth", words).equals("type")) {
                    throw new PacketExpressionException("'eth' is followed by: type N");
                }
                yield List.of(etherType(number("type", words, 0xffff)));
            }
            case "src" -> List.of(address(prefix(word, words), true));
            case "dst" -> List.of(address(prefix(word, words), false));
            case "host" -> {
                IpPrefix prefix = prefix(word, words);
                yield List.of(address(prefix, true), address(prefix, false));
            }
            case "src-port" -> List.of(word7(number(word, words, 0xffff) << 16, 0xffff_0000L));
            case "dst-port" -> List.of(word7(number(word, words, 0xffff), 0xffffL));
            case "port" -> {
                long port = number(word, words, 0xffff);
                yield List.of(word7(port << 16, 0xffff_0000L), word7(port, 0xffffL));
            }
            case "src-mac" -> List.of(mac(macOf(word, words), 2));
            case "dst-mac" -> List.of(mac(macOf(word, words), 1));
            case "mac" -> {
                long mac = macOf(word, words);
                yield List.of(mac(mac, 2), mac(mac, 1));
            }
            case "proto" -> List.of(protocol((int) number(word, words, 0xff)));
            case "dscp" -> List.of(word7(number(word, words, 63) << 48, 0xffL << 48));
            case "vlan" -> List.of(word(2, FlowKey.VLAN_PRESENT | number(word, words, 0xfff), 0x1fffL));
            case "id" -> List.of(word(8, number(word, words, 0xffff) << 48, 0xffffL << 48));
            case "fragment" ->
                List.of(
                        word7((long) FlowKey.FIRST_FRAGMENT << 40, 0xffL << 40),
                        word7((long) FlowKey.LATER_FRAGMENT << 40, 0xffL << 40));
            case "flags" -> List.of(flags(value(word, words)));
            default -> throw new PacketExpressionException("'" + word + "' is no word of a filter (" + WORDS + ")");
        };
    }

    private static Pattern of(int etherType, int protocol) {
        Pattern pattern = protocol(protocol);
        pattern.value.setEtherType(etherType);
        pattern.bits.addEtherType();
        return pattern;
    }

    private static Pattern protocol(int protocol) {
        return word7((long) protocol << 56, 0xffL << 56);
    }

    private static Pattern etherType(long type) {
        return word(1, type, 0xffffL);
    }

    private static Pattern mac(long mac, int index) {
        return word(index, mac << 16, ~0xffffL);
    }

    private static Pattern flags(String text) {
        int flags = 0;
        for (String flag : text.toLowerCase(Locale.ROOT).split(",")) {
            flags |= switch (flag) {
                case "syn" -> FlowKey.TCP_SYN;
                case "fin" -> FlowKey.TCP_FIN;
                case "rst" -> FlowKey.TCP_RST;
                default -> throw new PacketExpressionException("'" + flag + "' (expected syn, fin or rst)");
            };
        }
        return word7((long) flags << 32, (long) flags << 32);
    }

    private static Pattern address(IpPrefix prefix, boolean source) {
        var pattern = word(0, 0, 0);
        if (source) {
            pattern.value.setSrc(prefix.high(), prefix.low());
            pattern.bits.addSrc(prefix.bits());
        } else {
            pattern.value.setDst(prefix.high(), prefix.low());
            pattern.bits.addDst(prefix.bits());
        }
        return pattern;
    }

    private static Pattern word7(long value, long bits) {
        return word(7, value, bits);
    }

    private static Pattern word(int index, long value, long bits) {
        var key = new FlowKey();
        key.setWord(index, value);
        var mask = new FlowMask();
        mask.setWord(index, bits);
        return new Pattern(key, mask);
    }

    private static String value(String of, Iterator<String> words) {
        if (!words.hasNext()) {
            throw new PacketExpressionException("'" + of + "' is the last word (expected what it is to be after it)");
        }
        return words.next();
    }

    private static long number(String of, Iterator<String> words, long most) {
        String text = value(of, words);
        long number;
        try {
            number = Long.decode(text);
        } catch (NumberFormatException notOne) {
            number = -1;
        }
        if (number < 0 || number > most) {
            throw new PacketExpressionException(of + " '" + text + "' (expected 0.." + most + ")");
        }
        return number;
    }

    private static IpPrefix prefix(String of, Iterator<String> words) {
        String text = value(of, words);
        String whole = text.contains("/") ? text : text + (text.contains(":") ? "/128" : "/32");
        return IpPrefix.tryParse(whole)
                .orElseThrow(
                        () -> new PacketExpressionException(of + " '" + text + "' (expected an address or a prefix)"));
    }

    private static long macOf(String of, Iterator<String> words) {
        String text = value(of, words);
        return MacAddress.tryParse(text)
                .orElseThrow(() -> new PacketExpressionException(of + " '" + text + "' (expected a MAC address)"))
                .bits();
    }
}
