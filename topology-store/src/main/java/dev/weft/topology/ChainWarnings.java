package dev.weft.topology;

import dev.weft.base.IpPrefix;
import dev.weft.topology.schema.AddressGroup;
import dev.weft.topology.schema.Chain;
import dev.weft.topology.schema.Conditions;
import dev.weft.topology.schema.Rule;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.UUID;

/** Rules of a chain that no packet meets: by what they ask for, or since an earlier one takes their packets. */
final class ChainWarnings {
    /** Of one chain: who finds so many wants to look at the file, not at more lines. */
    private static final int MOST = 20;

    /** Of the shortest IPv4 network, in the 128-bit form. */
    private static final int V4_BITS = 96;

    private final TopologySnapshot snapshot;
    private final NatRules.Reporter reporter;
    private int said;
    private long compared;

    ChainWarnings(TopologySnapshot snapshot, NatRules.Reporter reporter) {
        this.snapshot = snapshot;
        this.reporter = reporter;
    }

    void check(Chain chain) {
        var earlier = new Earlier();
        for (int i = 0; i < chain.getRulesCount() && said < MOST; i++) {
            Rule rule = chain.getRules(i);
            String field = "rules[" + i + "]";
            var shape = new RuleShape(rule);
            int cover = earlier.firstThatCovers(shape);
            if (shape.isEmpty()) {
                say(field, "contradicts itself: no packet meets all its conditions; change one of them or remove it");
            } else if (cover >= 0) {
                say(field, "is never reached: rules[" + cover + "] takes all its packets; move it up or remove it");
            } else if (isWithoutMembers(rule)) {
                say(
                        field,
                        "is met by no packet now: the groups that it asks for have no addresses; add some, or remove it");
            }
            if (isFinal(rule)) {
                earlier.add(i, shape);
            }
        }
    }

    /** How many pairs of rules were held against each other: what the time goes into. */
    long compared() {
        return compared;
    }

    private void say(String field, String what) {
        said++;
        reporter.report(field, "", what);
    }

    private static boolean isFinal(Rule rule) {
        return rule.getAction() != Rule.Action.CONTINUE || !rule.getGotoId().isEmpty() || rule.hasRedirect();
    }

    private boolean isWithoutMembers(Rule rule) {
        Conditions match = rule.getMatch();
        return !rule.getInvert()
                && (match.getSourceCount() == 0 && areEmpty(match.getSourceGroupIdsList())
                        || match.getDestinationCount() == 0 && areEmpty(match.getDestinationGroupIdsList()));
    }

    private boolean areEmpty(List<String> groups) {
        return !groups.isEmpty()
                && groups.stream()
                        .allMatch(id -> snapshot.find(Schema.kindOf(AddressGroup.class), UUID.fromString(id))
                                .map(AddressGroup.class::cast)
                                .filter(group -> group.getAddressesCount() == 0)
                                .isPresent());
    }

    /** Rules that end the search, by where they let packets go: most have one network, and few of them lie around it. */
    private final class Earlier {
        private final Map<IpPrefix, List<Integer>> byDestination = new HashMap<>();
        private final List<Integer> others = new ArrayList<>();
        private final Map<Integer, RuleShape> shapes = new HashMap<>();

        void add(int index, RuleShape shape) {
            shapes.put(index, shape);
            IpPrefix destination = shape.onlyDestination();
            (destination == null ? others : byDestination.computeIfAbsent(destination, key -> new ArrayList<>()))
                    .add(index);
        }

        /** -1: none. */
        int firstThatCovers(RuleShape shape) {
            int first = firstOf(others, shape, Integer.MAX_VALUE);
            IpPrefix some = shape.someDestination();
            if (some != null) {
                for (int bits = some.bits(); bits >= (some.isV4() ? V4_BITS : 0); bits--) {
                    var around = new IpPrefix(some.high(), some.low(), bits);
                    first = firstOf(byDestination.getOrDefault(around, List.of()), shape, first);
                }
            }
            return first == Integer.MAX_VALUE ? -1 : first;
        }

        private int firstOf(List<Integer> candidates, RuleShape shape, int before) {
            for (int index : candidates) {
                if (index >= before) {
                    return before;
                }
                compared++;
                if (shapes.get(index).covers(shape)) {
                    return index;
                }
            }
            return before;
        }
    }
}
