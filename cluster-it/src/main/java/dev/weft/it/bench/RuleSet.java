package dev.weft.it.bench;

import dev.weft.base.IpAddress;
import dev.weft.base.IpPrefix;
import dev.weft.topology.MatchText;
import dev.weft.topology.schema.AddressGroup;
import dev.weft.topology.schema.Chain;
import dev.weft.topology.schema.Conditions;
import dev.weft.topology.schema.Rule;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.SplittableRandom;

/**
 * Rules as ClassBench (Taylor and Turner, 2007) draws them from real access lists: prefixes of skewed lengths that nest
 * and overlap, well-known ports, arbitrary ranges and none, mostly TCP; besides, groups of addresses and inverted
 * conditions. Specific rules come before general ones. Seeded: the same number of rules is the same rules.
 *
 * <p>All rules accept, so that every packet does the rest of its way as well. They stand in chains that a root chain jumps
 * to, since no stored object may be larger than about 1 MB.
 */
final class RuleSet {
    static final String ROOT = RoutedNetwork.id("root chain").toString();

    private static final int RULES_PER_CHAIN = 2000;
    private static final int GROUPS = 50;
    /** Prefix lengths, each with its share in thousands: few are short. */
    private static final int[][] LENGTHS = {
        {8, 2}, {12, 3}, {16, 25}, {18, 10}, {20, 20}, {21, 30}, {22, 40}, {23, 60}, {24, 300}, {26, 40}, {27, 40},
        {28, 60}, {29, 30}, {30, 40}, {32, 300}
    };

    private static final int[] WELL_KNOWN = {
        20, 21, 22, 23, 25, 53, 67, 69, 80, 110, 119, 123, 135, 137, 139, 143, 161, 179, 389, 443, 445, 465, 514, 554,
        993, 995, 1433, 1521, 3306, 8080
    };

    final List<Rule> rules = new ArrayList<>();
    final List<AddressGroup> groups = new ArrayList<>();
    private final SplittableRandom random;

    RuleSet(int count, long seed) {
        random = new SplittableRandom(seed);
        for (int i = 0; i < GROUPS; i++) {
            groups.add(group(i));
        }
        var distinct = new LinkedHashSet<Rule>(); // the store refuses a rule that the same one before it hides
        while (distinct.size() < count) {
            Rule rule = rule();
            if (rule.getMatch().getSerializedSize() > 0) { // one for all packets would hide the rest
                distinct.add(rule);
            }
        }
        rules.addAll(distinct);
        var order = new HashMap<Rule, Integer>();
        rules.forEach(rule -> order.put(rule, generality(rule)));
        rules.sort(Comparator.comparing(order::get));
    }

    /** Root first. */
    List<Chain> chains() {
        var chains = new ArrayList<Chain>();
        var root = chain("root", ROOT);
        for (int from = 0; from < rules.size(); from += RULES_PER_CHAIN) {
            String name = "part-" + from / RULES_PER_CHAIN;
            String id = RoutedNetwork.id(name).toString();
            int to = Math.min(from + RULES_PER_CHAIN, rules.size());
            chains.add(chain(name, id).addAllRules(rules.subList(from, to)).build());
            root.addRules(Rule.newBuilder().setJumpId(id));
        }
        chains.addFirst(root.build());
        return chains;
    }

    private static Chain.Builder chain(String name, String id) {
        return Chain.newBuilder().setId(id).setName(name).setTenantId(RoutedNetwork.TENANT);
    }

    private AddressGroup group(int number) {
        var group = AddressGroup.newBuilder()
                .setId(RoutedNetwork.id("group " + number).toString())
                .setName("group-" + number)
                .setTenantId(RoutedNetwork.TENANT);
        for (int i = random.nextInt(5, 500); i > 0; i--) {
            group.addAddresses(random.nextInt(4) == 0 ? text(network(28)) : text(network(32)));
        }
        return group.build();
    }

    private Rule rule() {
        var match = Conditions.newBuilder();
        var not = Conditions.newBuilder();
        if (random.nextInt(100) < 3) {
            match.addDestinationGroupIds(groups.get(random.nextInt(GROUPS)).getId());
        } else if (random.nextInt(100) < 98) {
            match.addDestination(text(network(length())));
        }
        int source = random.nextInt(100);
        if (source < 4) {
            match.addSourceGroupIds(groups.get(random.nextInt(GROUPS)).getId());
        } else if (source < 80) {
            (random.nextInt(100) < 5 ? not : match).addSource(text(network(length())));
        }
        int protocol = random.nextInt(100);
        if (protocol < 93) {
            match.addProtocol(protocol < 65 ? "tcp" : "udp");
            ports(match, not);
        }
        return Rule.newBuilder()
                .setMatch(match)
                .setNot(not)
                .setAction(Rule.Action.ACCEPT)
                .build();
    }

    private void ports(Conditions.Builder match, Conditions.Builder not) {
        int kind = random.nextInt(100);
        if (kind < 60) {
            match.addDestinationPort(Integer.toString(WELL_KNOWN[random.nextInt(WELL_KNOWN.length)]));
        } else if (kind < 70) {
            match.addDestinationPort("1024-65535");
        } else if (kind < 88) {
            int low = random.nextInt(65_000);
            match.addDestinationPort(low + "-" + (low + 1 + random.nextInt(500)));
        }
        int source = random.nextInt(100);
        if (source < 8) {
            match.addSourcePort("1024-65535");
        } else if (source < 12) {
            (source == 11 ? not : match).addSourcePort(Integer.toString(random.nextInt(1, 65_535)));
        }
    }

    private int length() {
        int point = random.nextInt(1000);
        for (int[] length : LENGTHS) {
            point -= length[1];
            if (point < 0) {
                return length[0];
            }
        }
        throw new AssertionError("shares do not add up to 1,000");
    }

    /** Few sites, more subnets in each, skewed towards the first ones: networks nest and overlap. */
    private IpPrefix network(int length) {
        int site = 11 + random.nextInt(6);
        int second = random.nextInt(1 + random.nextInt(64));
        int third = random.nextInt(256);
        int address = site << 24 | second << 16 | third << 8 | random.nextInt(256);
        return IpPrefix.of(IpAddress.ofV4(address), length);
    }

    private static String text(IpPrefix network) {
        return network.bits() == 128 ? network.network().toString() : network.toString();
    }

    /** Bits left open; a group is as a network of 4 addresses. */
    private static int generality(Rule rule) {
        Conditions match = rule.getMatch();
        int open = 0;
        open += open(match.getDestinationList(), match.getDestinationGroupIdsCount());
        open += open(match.getSourceList(), match.getSourceGroupIdsCount());
        open += match.getDestinationPortCount() > 0 ? 0 : 8;
        return open;
    }

    private static int open(List<String> networks, int groups) {
        return groups > 0
                ? 2
                : networks.isEmpty()
                        ? 32
                        : 128 - MatchText.network(networks.getFirst()).bits();
    }

    /** A packet that some rule is about, at its edge, just beside it or anywhere inside. */
    String packet() {
        Rule rule = rules.get(random.nextInt(rules.size()));
        Conditions match = rule.getMatch();
        String protocol = match.getProtocolCount() == 0 ? "udp" : match.getProtocol(0);
        return protocol + " " + address(match.getSourceList(), match.getSourceGroupIdsList()) + ":"
                + port(match.getSourcePortList()) + " > "
                + address(match.getDestinationList(), match.getDestinationGroupIdsList()) + ":"
                + port(match.getDestinationPortList());
    }

    private String address(List<String> networks, List<String> groupIds) {
        IpPrefix inside;
        if (!networks.isEmpty()) {
            inside = MatchText.network(networks.getFirst());
        } else if (!groupIds.isEmpty()) {
            List<String> members = groups.stream()
                    .filter(group -> group.getId().equals(groupIds.getFirst()))
                    .findFirst()
                    .orElseThrow()
                    .getAddressesList();
            inside = MatchText.network(members.get(random.nextInt(members.size())));
        } else {
            inside = network(32);
        }
        int size = 1 << 128 - inside.bits();
        int offset =
                switch (random.nextInt(8)) {
                    case 0 -> 0;
                    case 1 -> size - 1;
                    case 2 -> size;
                    case 3 -> -1;
                    default -> random.nextInt(size);
                };
        return IpAddress.ofV4((int) inside.low() + offset).toString();
    }

    private int port(List<String> ports) {
        if (ports.isEmpty()) {
            return random.nextInt(1, 65_535);
        }
        MatchText.Range range = MatchText.ports(ports.getFirst());
        int port =
                switch (random.nextInt(8)) {
                    case 0 -> range.low();
                    case 1 -> range.high();
                    case 2 -> range.high() + 1;
                    case 3 -> range.low() - 1;
                    default -> random.nextInt(range.low(), range.high() + 1);
                };
        return Math.clamp(port, 1, 65_535);
    }
}
