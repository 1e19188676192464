package dev.weft.sim;

import dev.weft.base.IpPrefix;
import dev.weft.sim.match.Fields;
import dev.weft.sim.match.Test;
import dev.weft.sim.match.Test.Range;
import dev.weft.topology.MatchText;
import dev.weft.topology.schema.Conditions;
import dev.weft.topology.schema.Rule;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.stream.IntStream;
import java.util.stream.Stream;

/**
 * Turns a rule's conditions into tests. Addresses come first, since they tell most packets apart; what says whether a
 * field is there comes before the field, unless another test implies it.
 */
final class ConditionCompiler {
    private static final int ALL_KINDS = Fields.IP | Fields.ARP | Fields.OTHER;

    // Words for Fields.crossed.
    static final int CROSSED_BRIDGE = 0;
    static final int CROSSED_ROUTER = 1;
    static final int CROSSED_PORT = 2;

    private final Groups groups;
    private final Indices indices;

    /** Where objects of the topology lie in the compiled network. */
    interface Indices {
        int port(String id);

        int bridge(String id);

        int router(String id);
    }

    ConditionCompiler(Groups groups, Indices indices) {
        this.groups = groups;
        this.indices = indices;
    }

    List<Test> compile(Rule rule) {
        Conditions match = rule.getMatch();
        Conditions not = rule.getNot();
        var tests = new ArrayList<Test>();
        addresses(tests, match, false);
        addresses(tests, not, true);
        tests.addAll(prerequisites(match, not, tests));
        tests.addAll(tests(match, false));
        tests.addAll(tests(not, true));
        boolean implied = match.getFragments() == Conditions.Fragments.BY_FIELDS && !rule.getInvert();
        List<Test> fragments = implied ? new ArrayList<>() : fragments(match, not);
        if (rule.getInvert()) {
            fragments.add(new Test.Not(tests));
        } else {
            fragments.addAll(tests);
        }
        return fragments;
    }

    /** The only ones outside of an inversion; by fields, they are what ports and ICMP imply. */
    private static List<Test> fragments(Conditions match, Conditions not) {
        int kinds =
                switch (match.getFragments()) {
                    case BY_FIELDS ->
                        readsBehindIp(match) || readsBehindIp(not)
                                ? Fields.UNFRAGMENTED | Fields.FIRST_FRAGMENT
                                : Fields.UNFRAGMENTED | Fields.FIRST_FRAGMENT | Fields.LATER_FRAGMENT;
                    case HEADER -> Fields.UNFRAGMENTED | Fields.FIRST_FRAGMENT;
                    case LATER -> Fields.LATER_FRAGMENT;
                    case UNFRAGMENTED -> Fields.UNFRAGMENTED;
                    case ANY, UNRECOGNIZED -> Fields.UNFRAGMENTED | Fields.FIRST_FRAGMENT | Fields.LATER_FRAGMENT;
                };
        var tests = new ArrayList<Test>();
        if (kinds != (Fields.UNFRAGMENTED | Fields.FIRST_FRAGMENT | Fields.LATER_FRAGMENT)) {
            tests.add(new Test.Kind(Fields.IP));
            tests.add(new Test.Fragment(kinds));
        }
        return tests;
    }

    private static boolean readsBehindIp(Conditions conditions) {
        return hasPorts(conditions) || hasIcmp(conditions);
    }

    private static boolean hasPorts(Conditions conditions) {
        return conditions.getSourcePortCount() + conditions.getDestinationPortCount() > 0;
    }

    private static boolean hasQuote(Conditions conditions) {
        return conditions.getQuotedSourceCount() + conditions.getQuotedDestinationCount() > 0;
    }

    private static boolean hasIcmp(Conditions conditions) {
        return conditions.getIcmpCount() > 0 || hasQuote(conditions);
    }

    private static List<Test> prerequisites(Conditions match, Conditions not, List<Test> addresses) {
        var tests = new ArrayList<Test>();
        int kinds = kinds(match) & kinds(not);
        if (kinds != ALL_KINDS && !match.getEthertypeList().contains("arp")) {
            kinds &= ~Fields.ARP;
        }
        int implied = readsBehindIp(match) || readsBehindIp(not) ? Fields.IP : ALL_KINDS;
        boolean v4 = addresses.stream().anyMatch(ConditionCompiler::isV4Only);
        if (((v4 ? implied & (Fields.IPV4 | Fields.ARP) : implied) & ~kinds) != 0) {
            tests.add(new Test.Kind(kinds));
        }
        if (hasPorts(match) || hasPorts(not)) {
            tests.add(new Test.Ports());
        }
        if (hasIcmp(match) || hasIcmp(not)) {
            tests.add(new Test.Icmp());
        }
        if (hasQuote(match) || hasQuote(not)) {
            tests.add(new Test.Quote());
        }
        return tests;
    }

    /** The kinds of packet that have all the fields asked for; a single network says which family, inverted or not. */
    private static int kinds(Conditions conditions) {
        int kinds = ALL_KINDS;
        kinds &= families(conditions.getSourceList(), conditions.getSourceGroupIdsList());
        kinds &= families(conditions.getDestinationList(), conditions.getDestinationGroupIdsList());
        kinds &= families(conditions.getQuotedSourceList(), List.of());
        kinds &= families(conditions.getQuotedDestinationList(), List.of());
        if (conditions.getSourceGroupIdsCount() + conditions.getDestinationGroupIdsCount() > 0) {
            kinds &= Fields.IP | Fields.ARP;
        }
        if (conditions.getProtocolCount() + conditions.getDscpCount() > 0
                || hasPorts(conditions)
                || hasIcmp(conditions)
                || conditions.getConnectionCount() + conditions.getTcpCount() > 0) {
            kinds &= Fields.IP;
        }
        return kinds;
    }

    /** A group may have members of either family. */
    private static int families(List<String> networks, List<String> groups) {
        if (networks.isEmpty() || !groups.isEmpty()) {
            return ALL_KINDS;
        }
        int kinds = 0;
        for (String network : networks) {
            kinds |= MatchText.network(network).isV4() ? Fields.IPV4 | Fields.ARP : Fields.IPV6;
        }
        return kinds;
    }

    private static boolean isV4Only(Test test) {
        return test instanceof Test.Networks networks
                && !networks.inverted()
                && networks.set().networks().stream().allMatch(IpPrefix::isV4);
    }

    private void addresses(List<Test> tests, Conditions all, boolean inverted) {
        networks(tests, Fields.DST, all.getDestinationList(), all.getDestinationGroupIdsList(), inverted);
        networks(tests, Fields.SRC, all.getSourceList(), all.getSourceGroupIdsList(), inverted);
    }

    private List<Test> tests(Conditions all, boolean inverted) {
        var tests = new ArrayList<Test>();
        ranges(
                tests,
                Fields.ETHERTYPE,
                all.getEthertypeList().stream().map(t -> single(MatchText.etherType(t))),
                inverted);
        ranges(
                tests,
                Fields.PROTOCOL,
                all.getProtocolList().stream().map(t -> single(MatchText.protocol(t))),
                inverted);
        ranges(
                tests,
                Fields.L4_DST,
                all.getDestinationPortList().stream().map(t -> range(MatchText.ports(t))),
                inverted);
        ranges(tests, Fields.L4_SRC, all.getSourcePortList().stream().map(t -> range(MatchText.ports(t))), inverted);
        ranges(tests, Fields.ICMP, all.getIcmpList().stream().map(ConditionCompiler::icmp), inverted);
        ranges(tests, Fields.VLAN, all.getVlanList().stream().map(ConditionCompiler::vlans), inverted);
        ranges(tests, Fields.DSCP, all.getDscpList().stream().map(t -> range(MatchText.dscp(t))), inverted);
        macs(tests, Fields.DST_MAC, all.getDestinationMacList(), inverted);
        macs(tests, Fields.SRC_MAC, all.getSourceMacList(), inverted);
        places(tests, Fields.IN_PORT, all.getInPortIdsList(), all.getInGroupIdsList(), inverted);
        places(tests, Fields.OUT_PORT, all.getOutPortIdsList(), all.getOutGroupIdsList(), inverted);
        crossed(tests, CROSSED_BRIDGE, all.getCrossedBridgeIdsList().stream().mapToInt(indices::bridge), inverted);
        crossed(tests, CROSSED_ROUTER, all.getCrossedRouterIdsList().stream().mapToInt(indices::router), inverted);
        crossed(tests, CROSSED_PORT, all.getCrossedPortIdsList().stream().mapToInt(indices::port), inverted);
        connections(tests, all.getConnectionList(), inverted);
        ranges(tests, Fields.TCP_PHASE, all.getTcpValueList().stream().map(ConditionCompiler::single), inverted);
        networks(tests, Fields.QUOTED_DST, all.getQuotedDestinationList(), List.of(), inverted);
        networks(tests, Fields.QUOTED_SRC, all.getQuotedSourceList(), List.of(), inverted);
        return tests;
    }

    /** Where it makes no difference whether a connection is known yet, its first packet is not told from the others. */
    private static void connections(List<Test> tests, List<Conditions.Connection> parts, boolean inverted) {
        boolean tellsFirst = parts.contains(Conditions.Connection.NEW) != parts.contains(Conditions.Connection.FORWARD);
        int field = tellsFirst ? Fields.CONNECTION : Fields.CONNECTION_PART;
        ranges(tests, field, parts.stream().map(part -> single(part.getNumber())), inverted);
    }

    private static void ranges(List<Test> tests, int field, Stream<Range> ranges, boolean inverted) {
        List<Range> all = ranges.toList();
        if (!all.isEmpty()) {
            tests.add(new Test.Values(field, all, inverted));
        }
    }

    private static Range single(int value) {
        return new Range(value, value);
    }

    private static Range range(MatchText.Range range) {
        return new Range(range.low(), range.high());
    }

    private static Range vlans(String text) {
        MatchText.Range ids = MatchText.vlans(text);
        int present = 1 << 12;
        return ids.equals(MatchText.NO_VLAN)
                ? new Range(0, present - 1)
                : new Range(present | ids.low(), present | ids.high());
    }

    private static Range icmp(String text) {
        MatchText.IcmpKind kind = MatchText.icmp(text);
        long type = (long) kind.type() << 16;
        return kind.code() == MatchText.IcmpKind.ANY_CODE
                ? new Range(type, type | 0xffff)
                : new Range(type | kind.code(), type | kind.code());
    }

    private void networks(List<Test> tests, int field, List<String> written, List<String> groupIds, boolean inverted) {
        if (written.isEmpty() && groupIds.isEmpty()) {
            return;
        }
        if (written.isEmpty() && groupIds.size() == 1) {
            tests.add(new Test.Networks(field, groups.addresses(groupIds.getFirst()), inverted));
            return;
        }
        List<IpPrefix> networks = Stream.concat(
                        written.stream().map(MatchText::network),
                        groupIds.stream().flatMap(id -> groups.addresses(id).networks().stream()))
                .toList();
        tests.add(new Test.Networks(field, new Test.AddressSet(networks), inverted));
    }

    private static void macs(List<Test> tests, int field, List<String> written, boolean inverted) {
        if (!written.isEmpty()) {
            List<Test.MacPattern> patterns = written.stream()
                    .map(MatchText::mac)
                    .map(mac -> new Test.MacPattern(mac.bits(), mac.mask()))
                    .toList();
            tests.add(new Test.Macs(field, patterns, inverted));
        }
    }

    private void places(List<Test> tests, int field, List<String> ids, List<String> groupIds, boolean inverted) {
        if (!ids.isEmpty() || !groupIds.isEmpty()) {
            IntStream named = ids.stream().mapToInt(indices::port);
            IntStream members = groupIds.stream().flatMapToInt(id -> Arrays.stream(groups.ports(id)));
            int[] all = IntStream.concat(named, members).sorted().distinct().toArray();
            tests.add(new Test.Place(field, all, inverted));
        }
    }

    private static void crossed(List<Test> tests, int place, IntStream places, boolean inverted) {
        int[] all = places.sorted().toArray();
        if (all.length > 0) {
            tests.add(new Test.Crossed(place, all, inverted));
        }
    }
}
