package dev.weft.topology;

import dev.weft.base.IpPrefix;
import dev.weft.topology.schema.Conditions;
import dev.weft.topology.schema.Rule;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.Set;
import java.util.function.ToLongFunction;
import org.jspecify.annotations.Nullable;

/**
 * Which packets a rule is about, in a form in which two rules can be compared. It answers only what is certain: {@link
 * #covers} and {@link #isEmpty} are never true where some packet says otherwise, and may be false where none does.
 * Groups are known by their ids, not by their members. Rules that are inverted as a whole are not compared.
 */
final class RuleShape {
    private static final int IPV4 = 1;
    private static final int IPV6 = 2;
    private static final int ARP = 4;
    private static final int ALL_KINDS = 15;
    private static final int HEADER = 3; // unfragmented and first
    private static final int UNFRAGMENTED = 1;
    private static final int LATER = 4;
    private static final int ALL_FRAGMENTS = 7;

    private static final long MAC_BITS = MatchText.MacMatch.ALL;

    private final boolean inverted;
    private final int kinds;
    private final int fragments;
    private final boolean ports;
    private final boolean icmp;
    private final boolean quote;
    private final Side match;
    private final Side not;

    RuleShape(Rule rule) {
        Conditions wanted = rule.getMatch();
        Conditions unwanted = rule.getNot();
        inverted = rule.getInvert();
        match = new Side(wanted);
        not = new Side(unwanted);
        ports = hasPorts(wanted) || hasPorts(unwanted);
        quote = hasQuote(wanted) || hasQuote(unwanted);
        icmp = quote || wanted.getIcmpCount() + unwanted.getIcmpCount() > 0;
        fragments = switch (wanted.getFragments()) {
            case BY_FIELDS -> ports || icmp ? HEADER : ALL_FRAGMENTS;
            case HEADER -> HEADER;
            case LATER -> LATER;
            case UNFRAGMENTED -> UNFRAGMENTED;
            case ANY, UNRECOGNIZED -> ALL_FRAGMENTS;
        };
        int all = kindsOf(wanted, unwanted);
        kinds = fragments == ALL_FRAGMENTS ? all : all & (IPV4 | IPV6);
    }

    /** The network that a packet's destination lies in if the rule says just one; null when it says more or nothing. */
    @Nullable
    IpPrefix onlyDestination() {
        Networks destination = match.networks[1];
        return destination.written.size() == 1 && destination.groups.isEmpty() ? destination.written.getFirst() : null;
    }

    /** Some network that a packet's destination may lie in; null when the rule does not say one. */
    @Nullable
    IpPrefix someDestination() {
        List<IpPrefix> written = match.networks[1].written;
        return written.isEmpty() ? null : written.getFirst();
    }

    /** Whether certainly every packet that meets the other rule meets this one. */
    boolean covers(RuleShape other) {
        boolean prerequisites = !inverted
                && !other.inverted
                && (other.kinds & ~kinds) == 0
                && (other.fragments & ~fragments) == 0
                && (!ports || other.ports)
                && (!icmp || other.icmp)
                && (!quote || other.quote);
        return prerequisites && match.isImpliedBy(other.match) && not.isAvoidedBy(other.match, other.not);
    }

    /** Whether certainly no packet meets the rule. */
    boolean isEmpty() {
        return !inverted && (kinds == 0 || match.isWithin(not));
    }

    private static int kindsOf(Conditions match, Conditions not) {
        int kinds = kinds(match) & kinds(not);
        if (kinds != ALL_KINDS && !match.getEthertypeList().contains("arp")) {
            kinds &= ~ARP;
        }
        if (match.getEthertypeCount() > 0) {
            kinds &= match.getEthertypeList().stream()
                    .mapToInt(RuleShape::kindOf)
                    .reduce(0, (a, b) -> a | b);
        }
        return kinds;
    }

    private static int kindOf(String etherType) {
        return switch (etherType) {
            case "ipv4" -> IPV4;
            case "ipv6" -> IPV6;
            case "arp" -> ARP;
            default -> ALL_KINDS & ~(IPV4 | IPV6 | ARP);
        };
    }

    /** The kinds of packet that have all the fields asked for. */
    private static int kinds(Conditions all) {
        int kinds = families(all.getSourceList(), all.getSourceGroupIdsList())
                & families(all.getDestinationList(), all.getDestinationGroupIdsList())
                & families(all.getQuotedSourceList(), List.of())
                & families(all.getQuotedDestinationList(), List.of());
        if (all.getSourceGroupIdsCount() + all.getDestinationGroupIdsCount() > 0) {
            kinds &= IPV4 | IPV6 | ARP;
        }
        if (all.getProtocolCount() + all.getDscpCount() + all.getIcmpCount() > 0
                || hasPorts(all)
                || hasQuote(all)
                || all.getConnectionCount() + all.getTcpCount() > 0) {
            kinds &= IPV4 | IPV6;
        }
        return kinds;
    }

    private static int families(List<String> networks, List<String> groups) {
        if (networks.isEmpty() || !groups.isEmpty()) {
            return ALL_KINDS;
        }
        int kinds = 0;
        for (String network : networks) {
            kinds |= MatchText.network(network).isV4() ? IPV4 | ARP : IPV6;
        }
        return kinds;
    }

    private static boolean hasPorts(Conditions all) {
        return all.getSourcePortCount() + all.getDestinationPortCount() > 0;
    }

    private static boolean hasQuote(Conditions all) {
        return all.getQuotedSourceCount() + all.getQuotedDestinationCount() > 0;
    }

    /** The conditions under {@code match}, or those under {@code not}. */
    private static final class Side {
        final Networks[] networks;
        final Ranges[] numbers;
        final Macs[] macs;
        final Names[] places;
        final Names[] crossed;

        Side(Conditions all) {
            networks = new Networks[] {
                new Networks(all.getSourceList(), all.getSourceGroupIdsList()),
                new Networks(all.getDestinationList(), all.getDestinationGroupIdsList()),
                new Networks(all.getQuotedSourceList(), List.of()),
                new Networks(all.getQuotedDestinationList(), List.of())
            };
            numbers = new Ranges[] {
                new Ranges(all.getProtocolList().stream()
                        .map(text -> single(MatchText.protocol(text)))
                        .toList()),
                ranges(all.getSourcePortList(), MatchText::ports),
                ranges(all.getDestinationPortList(), MatchText::ports),
                new Ranges(all.getIcmpList().stream().map(RuleShape::icmp).toList()),
                new Ranges(all.getEthertypeList().stream()
                        .map(text -> single(MatchText.etherType(text)))
                        .toList()),
                ranges(all.getVlanList(), MatchText::vlans),
                ranges(all.getDscpList(), MatchText::dscp),
                new Ranges(all.getConnectionValueList().stream()
                        .map(RuleShape::single)
                        .toList()),
                new Ranges(all.getTcpValueList().stream().map(RuleShape::single).toList())
            };
            macs = new Macs[] {new Macs(all.getSourceMacList()), new Macs(all.getDestinationMacList())};
            places = new Names[] {
                new Names(all.getInPortIdsList(), all.getInGroupIdsList()),
                new Names(all.getOutPortIdsList(), all.getOutGroupIdsList())
            };
            crossed = new Names[] {
                new Names(all.getCrossedBridgeIdsList(), List.of()),
                new Names(all.getCrossedRouterIdsList(), List.of()),
                new Names(all.getCrossedPortIdsList(), List.of())
            };
        }

        /** As what must hold: whether it does wherever the other side holds. */
        boolean isImpliedBy(Side other) {
            return within(other.networks, networks)
                    && within(other.numbers, numbers)
                    && within(other.macs, macs)
                    && within(other.places, places)
                    && within(other.crossed, crossed);
        }

        private static <T extends Values<T>> boolean within(T[] narrow, T[] wide) {
            for (int i = 0; i < wide.length; i++) {
                if (!wide[i].isUnsaid() && (narrow[i].isUnsaid() || !narrow[i].isWithin(wide[i]))) {
                    return false;
                }
            }
            return true;
        }

        /** As what must not hold: whether it does not wherever these hold. */
        boolean isAvoidedBy(Side match, Side not) {
            return avoided(networks, match.networks, not.networks)
                    && avoided(numbers, match.numbers, not.numbers)
                    && avoided(macs, match.macs, not.macs)
                    && avoided(places, match.places, not.places)
                    && avoided(crossed, match.crossed, not.crossed);
        }

        private static <T extends Values<T>> boolean avoided(T[] unwanted, T[] match, T[] not) {
            for (int i = 0; i < unwanted.length; i++) {
                boolean excluded = !not[i].isUnsaid() && unwanted[i].isWithin(not[i]);
                boolean elsewhere = !match[i].isUnsaid() && match[i].isApartFrom(unwanted[i]);
                if (!unwanted[i].isUnsaid() && !excluded && !elsewhere) {
                    return false;
                }
            }
            return true;
        }

        /** Whether some field may only be what another side takes away. */
        boolean isWithin(Side unwanted) {
            return anyWithin(networks, unwanted.networks)
                    || anyWithin(numbers, unwanted.numbers)
                    || anyWithin(macs, unwanted.macs)
                    || anyWithin(places, unwanted.places)
                    || anyWithin(crossed, unwanted.crossed);
        }

        private static <T extends Values<T>> boolean anyWithin(T[] wanted, T[] unwanted) {
            for (int i = 0; i < wanted.length; i++) {
                if (!wanted[i].isUnsaid() && !unwanted[i].isUnsaid() && wanted[i].isWithin(unwanted[i])) {
                    return true;
                }
            }
            return false;
        }
    }

    /** What a field may be. */
    private interface Values<T> {
        boolean isUnsaid();

        boolean isWithin(T wide);

        /** No packet has both. */
        boolean isApartFrom(T other);
    }

    private static final class Networks implements Values<Networks> {
        final List<IpPrefix> written;
        final Set<String> groups;

        Networks(List<String> written, List<String> groups) {
            this.written = written.stream().map(MatchText::network).toList();
            this.groups = Set.copyOf(groups);
        }

        @Override
        public boolean isUnsaid() {
            return written.isEmpty() && groups.isEmpty();
        }

        @Override
        public boolean isWithin(Networks wide) {
            for (IpPrefix network : written) {
                if (!wide.containsWhole(network)) {
                    return false;
                }
            }
            return groups.isEmpty() || wide.groups.containsAll(groups);
        }

        private boolean containsWhole(IpPrefix network) {
            for (IpPrefix around : written) {
                if (around.bits() <= network.bits() && around.overlaps(network) && around.isV4() == network.isV4()) {
                    return true;
                }
            }
            return false;
        }

        @Override
        public boolean isApartFrom(Networks other) {
            return groups.isEmpty()
                    && other.groups.isEmpty()
                    && written.stream()
                            .noneMatch(network -> other.written.stream().anyMatch(network::overlaps));
        }
    }

    private record Range(long low, long high) {}

    /** Ranges that neither touch nor overlap, ascending. */
    private static final class Ranges implements Values<Ranges> {
        private final long[] lows;
        private final long[] highs;

        Ranges(List<Range> ranges) {
            var merged = new ArrayList<Range>();
            ranges.stream().sorted(Comparator.comparingLong(Range::low)).forEach(range -> {
                Range last = merged.isEmpty() ? null : merged.getLast();
                if (last != null && range.low <= last.high + 1) {
                    merged.set(merged.size() - 1, new Range(last.low, Math.max(last.high, range.high)));
                } else {
                    merged.add(range);
                }
            });
            lows = ends(merged, Range::low);
            highs = ends(merged, Range::high);
        }

        private static long[] ends(List<Range> ranges, ToLongFunction<Range> end) {
            return ranges.stream().mapToLong(end).toArray();
        }

        @Override
        public boolean isUnsaid() {
            return lows.length == 0;
        }

        @Override
        public boolean isWithin(Ranges wide) {
            for (int i = 0; i < lows.length; i++) {
                int at = wide.lastNotAbove(lows[i]);
                if (at < 0 || wide.highs[at] < highs[i]) {
                    return false;
                }
            }
            return true;
        }

        @Override
        public boolean isApartFrom(Ranges other) {
            for (int i = 0; i < lows.length; i++) {
                int at = other.lastNotAbove(highs[i]);
                if (at >= 0 && other.highs[at] >= lows[i]) {
                    return false;
                }
            }
            return true;
        }

        private int lastNotAbove(long value) {
            int at = Arrays.binarySearch(lows, value);
            return at >= 0 ? at : -at - 2;
        }
    }

    private interface RangeReader {
        MatchText.Range read(String text);
    }

    private static Ranges ranges(List<String> texts, RangeReader reader) {
        return new Ranges(texts.stream()
                .map(reader::read)
                .map(range -> new Range(range.low(), range.high()))
                .toList());
    }

    private static Range single(int value) {
        return new Range(value, value);
    }

    private static Range icmp(String text) {
        MatchText.IcmpKind kind = MatchText.icmp(text);
        long type = (long) kind.type() << 16;
        return kind.code() == MatchText.IcmpKind.ANY_CODE
                ? new Range(type, type | 0xffff)
                : new Range(type | kind.code(), type | kind.code());
    }

    private static final class Macs implements Values<Macs> {
        private final List<MatchText.MacMatch> patterns;

        Macs(List<String> texts) {
            patterns = texts.stream().map(MatchText::mac).toList();
        }

        @Override
        public boolean isUnsaid() {
            return patterns.isEmpty();
        }

        @Override
        public boolean isWithin(Macs wide) {
            return patterns.stream().allMatch(each -> wide.patterns.stream().anyMatch(around -> around(around, each)));
        }

        private static boolean around(MatchText.MacMatch wide, MatchText.MacMatch narrow) {
            return (wide.mask() & ~narrow.mask() & MAC_BITS) == 0 && ((wide.bits() ^ narrow.bits()) & wide.mask()) == 0;
        }

        @Override
        public boolean isApartFrom(Macs other) {
            return patterns.stream()
                    .allMatch(mine -> other.patterns.stream()
                            .allMatch(theirs ->
                                    ((mine.bits() ^ theirs.bits()) & mine.mask() & theirs.mask() & MAC_BITS) != 0));
        }
    }

    /** Ports and devices, by id. A packet may have several of them, and groups may have any. */
    private static final class Names implements Values<Names> {
        private final Set<String> ids;
        private final Set<String> groups;

        Names(List<String> ids, List<String> groups) {
            this.ids = Set.copyOf(ids);
            this.groups = Set.copyOf(groups);
        }

        @Override
        public boolean isUnsaid() {
            return ids.isEmpty() && groups.isEmpty();
        }

        @Override
        public boolean isWithin(Names wide) {
            return wide.ids.containsAll(ids) && wide.groups.containsAll(groups);
        }

        @Override
        public boolean isApartFrom(Names other) {
            return false;
        }
    }
}
