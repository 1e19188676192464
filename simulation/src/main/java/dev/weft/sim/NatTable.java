package dev.weft.sim;

import dev.weft.base.HotPath;
import dev.weft.base.IpPrefix;
import dev.weft.sim.match.Lpm;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.function.Function;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * A router's translation, compiled: rules found by the destination before routing and by the source after it, the most
 * specific network first. Immutable.
 *
 * <p>Lookups say how many bits prove them, so that traffic a router does not translate shares flows as it would without
 * any rule.
 */
@HotPath
final class NatTable {
    static final NatTable EMPTY = new NatTable(List.of(), List.of());

    private static final int[] NO_RULES = {};
    private static final int ADDRESS = 128;

    final List<NatRule> rules;
    final List<NatRule> hairpins;
    /** Networks that packets from outside are sent to. */
    private final Index toward;
    /** Networks whose sources are translated. */
    private final Index from;
    /** Addresses that destinations become: what comes from there may be an answer. */
    private final Lpm targets;
    /** Addresses that sources become: what goes there may be an answer. */
    private final Lpm publics;

    private record Index(Lpm lpm, int[][] rules) {}

    /**
     * @param rules in order of name
     * @param hairpins source rules, one for each port and family, for connections that a balancer sends back out of the
     *     port they came in by, and for health checks: their answers must come back through the router
     */
    NatTable(List<NatRule> rules, List<NatRule> hairpins) {
        this.rules = List.copyOf(rules);
        this.hairpins = List.copyOf(hairpins);
        List<NatRule> inward = rules.stream()
                .filter(rule -> rule.kind() != NatRule.Kind.SOURCE)
                .toList();
        toward = index(
                this.rules,
                inward,
                rule -> rule.kind() == NatRule.Kind.STATIC ? rule.addresses().getFirst() : rule.destination());
        List<NatRule> outward = rules.stream()
                .filter(rule -> rule.kind() == NatRule.Kind.SOURCE || rule.kind() == NatRule.Kind.STATIC)
                .toList();
        from = index(this.rules, outward, NatRule::source);
        targets = Lpm.of(Stream.concat(
                        addresses(rules, NatRule.Kind.DESTINATION),
                        rules.stream().flatMap(NatTable::membersOf))
                .distinct()
                .toList());
        publics = Lpm.of(Stream.concat(
                        addresses(rules, NatRule.Kind.SOURCE),
                        hairpins.stream().flatMap(rule -> rule.addresses().stream()))
                .distinct()
                .toList());
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

    private static Stream<IpPrefix> addresses(List<NatRule> rules, NatRule.Kind kind) {
        return rules.stream().filter(rule -> rule.kind() == kind).flatMap(rule -> rule.addresses().stream());
    }

    private static Stream<IpPrefix> membersOf(NatRule rule) {
        if (rule.service() != null) {
            return rule.service().places().stream();
        }
        MemberPool members = rule.members();
        return members == null
                ? Stream.empty()
                : IntStream.range(0, members.size())
                        .mapToObj(i -> new IpPrefix(members.high(i), members.low(i), ADDRESS));
    }

    private static int compare(IpPrefix a, IpPrefix b) {
        int high = Long.compareUnsigned(a.high(), b.high());
        int low = high != 0 ? high : Long.compareUnsigned(a.low(), b.low());
        return low != 0 ? low : Integer.compare(a.bits(), b.bits());
    }

    /** Whether no packet could tell the difference. */
    boolean isSame(NatTable other) {
        if (rules.size() != other.rules.size() || !hairpins.equals(other.hairpins)) {
            return false;
        }
        for (int i = 0; i < rules.size(); i++) {
            if (!rules.get(i).isSame(other.rules.get(i))) {
                return false;
            }
        }
        return true;
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

    /** As {@link #useFrom}, of who would answer the packet. */
    int useFromTarget(Simulation sim) {
        long found = from.lpm.lookup(sim.dstHigh(), sim.dstLow());
        sim.useDstHigh(Lpm.proven(found));
        return Lpm.value(found);
    }

    int outerFrom(int group) {
        return from.lpm.outer(group);
    }

    int[] rulesFrom(int group) {
        return group == Lpm.NONE ? NO_RULES : from.rules[group];
    }

    /** The rule for what goes back out of a port with the port's own address; null when it has none of the family. */
    @Nullable
    NatRule hairpin(int port, boolean v4) {
        for (int i = 0; i < hairpins.size(); i++) {
            NatRule rule = hairpins.get(i);
            if (rule.port() == port && rule.addresses().getFirst().isV4() == v4) {
                return rule;
            }
        }
        return null;
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
