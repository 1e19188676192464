package dev.weft.sim;

import dev.weft.base.HotPath;
import dev.weft.base.IpPrefix;
import dev.weft.sim.match.Lpm;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.function.Function;

/**
 * A router's translation, compiled: rules found by the destination before routing and by the source after it, the most
 * specific network first. Immutable.
 *
 * <p>Lookups say how many bits prove them, so that traffic a router does not translate shares flows as it would without
 * any rule.
 */
@HotPath
final class NatTable {
    static final NatTable EMPTY = new NatTable(List.of());

    private static final int[] NO_RULES = {};

    final List<NatRule> rules;
    /** Networks that packets from outside are sent to. */
    private final Index toward;
    /** Networks whose sources are translated. */
    private final Index from;
    /** Addresses that destinations become: what comes from there may be an answer. */
    private final Lpm targets;
    /** Addresses that sources become: what goes there may be an answer. */
    private final Lpm publics;

    private record Index(Lpm lpm, int[][] rules) {}

    /** @param rules in order of name */
    NatTable(List<NatRule> rules) {
        this.rules = List.copyOf(rules);
        List<NatRule> inward = rules.stream()
                .filter(rule -> rule.kind() != NatRule.Kind.SOURCE)
                .toList();
        toward = index(
                this.rules,
                inward,
                rule -> rule.kind() == NatRule.Kind.STATIC ? rule.addresses().getFirst() : rule.destination());
        List<NatRule> outward = rules.stream()
                .filter(rule -> rule.kind() != NatRule.Kind.DESTINATION)
                .toList();
        from = index(this.rules, outward, NatRule::source);
        targets = union(rules, NatRule.Kind.DESTINATION);
        publics = union(rules, NatRule.Kind.SOURCE);
    }

    private static Index index(List<NatRule> all, List<NatRule> some, Function<NatRule, IpPrefix> key) {
        Map<IpPrefix, List<Integer>> byPrefix = new TreeMap<>(NatTable::compare);
        for (NatRule rule : some) {
            byPrefix.computeIfAbsent(key.apply(rule), prefix -> new ArrayList<>())
                    .add(all.indexOf(rule));
        }
        int[][] rules = byPrefix.values().stream()
                .map(list -> list.stream().mapToInt(Integer::intValue).toArray())
                .toArray(int[][]::new);
        return new Index(Lpm.of(List.copyOf(byPrefix.keySet())), rules);
    }

    private static Lpm union(List<NatRule> rules, NatRule.Kind kind) {
        return Lpm.of(rules.stream()
                .filter(rule -> rule.kind() == kind)
                .flatMap(rule -> rule.addresses().stream())
                .distinct()
                .toList());
    }

    private static int compare(IpPrefix a, IpPrefix b) {
        int high = Long.compareUnsigned(a.high(), b.high());
        int low = high != 0 ? high : Long.compareUnsigned(a.low(), b.low());
        return low != 0 ? low : Integer.compare(a.bits(), b.bits());
    }

    boolean isEmpty() {
        return rules.isEmpty();
    }

    NatRule rule(int index) {
        return rules.get(index);
    }

    /** The group of the most specific network that the packet is sent to; {@link Lpm#NONE}. */
    int useToward(Simulation sim) {
        long found = toward.lpm.lookup(sim.dstHigh(), sim.dstLow());
        sim.useDstHigh(Lpm.proven(found));
        return Lpm.value(found);
    }

    int outerToward(int group) {
        return toward.lpm.outer(group);
    }

    int[] rulesToward(int group) {
        return group == Lpm.NONE ? NO_RULES : toward.rules[group];
    }

    int useFrom(Simulation sim) {
        long found = from.lpm.lookup(sim.srcHigh(), sim.srcLow());
        sim.useSrcHigh(Lpm.proven(found));
        return Lpm.value(found);
    }

    int outerFrom(int group) {
        return from.lpm.outer(group);
    }

    int[] rulesFrom(int group) {
        return group == Lpm.NONE ? NO_RULES : from.rules[group];
    }

    /** Whether the packet may be an answer to one whose source or destination was translated here. */
    boolean useMayBeAnswer(Simulation sim) {
        long to = publics.lookup(sim.dstHigh(), sim.dstLow());
        sim.useDstHigh(Lpm.proven(to));
        long by = targets.lookup(sim.srcHigh(), sim.srcLow());
        sim.useSrcHigh(Lpm.proven(by));
        return Lpm.value(to) != Lpm.NONE || Lpm.value(by) != Lpm.NONE;
    }

    /** Whether the router answers for the address: it is one that packets from outside are sent to. */
    boolean claims(long high, long low) {
        return Lpm.value(publics.lookup(high, low)) != Lpm.NONE || isTranslated(high, low);
    }

    private boolean isTranslated(long high, long low) {
        int group = Lpm.value(toward.lpm.lookup(high, low));
        return group != Lpm.NONE;
    }
}
