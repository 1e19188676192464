package dev.weft.topology;

import dev.weft.base.IpPrefix;
import dev.weft.topology.schema.Chain;
import dev.weft.topology.schema.Conditions;
import dev.weft.topology.schema.Rule;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.UUID;

/**
 * What the rules of a chain must say so that they mean something. Formats and references were checked before.
 *
 * <p>Refused: a rule that says not what to do, or two things; conditions that no packet meets; a rule that none reaches,
 * since one before it takes all packets or has the very same conditions; jumps in a circle, or more than 32 deep.
 */
final class ChainRules {
    /** Chains one inside the other. */
    private static final int MAX_DEPTH = 32;

    private final Draft draft;
    private final NatRules.Reporter reporter;

    ChainRules(Draft draft, NatRules.Reporter reporter) {
        this.draft = draft;
        this.reporter = reporter;
    }

    void check(Chain chain) {
        for (int i = 0; i < chain.getRulesCount(); i++) {
            Rule rule = chain.getRules(i);
            String field = "rules[" + i + "]";
            checkAction(field, rule);
            checkFragments(field, rule);
            checkBehindIp(field, rule);
            checkFamilies(field, rule);
            checkContradictions(field, rule);
        }
        checkReached(chain);
        checkJumps(chain);
    }

    private void checkAction(String field, Rule rule) {
        int said = (rule.getAction() == Rule.Action.CONTINUE ? 0 : 1)
                + (rule.getJumpId().isEmpty() ? 0 : 1)
                + (rule.getGotoId().isEmpty() ? 0 : 1)
                + (rule.hasRedirect() ? 1 : 0);
        if (said > 1) {
            reporter.report(field, "", "says several things (expected one of action, jump, goto and redirect)");
        } else if (said == 0 && !rule.getLog()) {
            reporter.report(
                    field,
                    "",
                    "does nothing (expected one of action, jump, goto and redirect, like action: accept, or log: true)");
        }
    }

    private void checkFragments(String field, Rule rule) {
        if (rule.getNot().getFragments() != Conditions.Fragments.BY_FIELDS) {
            reporter.report(
                    field + ".not.fragments",
                    lower(rule.getNot().getFragments()),
                    "cannot be inverted; say the other kind under match");
        }
        Conditions.Fragments fragments = rule.getMatch().getFragments();
        boolean later = fragments == Conditions.Fragments.ANY || fragments == Conditions.Fragments.LATER;
        if (later && (readsBehindIp(rule.getMatch()) || readsBehindIp(rule.getNot()))) {
            reporter.report(
                    field + ".match.fragments",
                    lower(fragments),
                    "later fragments have no ports and no ICMP type (expected header or unfragmented, or no such"
                            + " condition)");
        }
    }

    private static String lower(Conditions.Fragments fragments) {
        return fragments.name().toLowerCase(java.util.Locale.ROOT);
    }

    private static boolean readsBehindIp(Conditions conditions) {
        return hasPorts(conditions) || hasIcmp(conditions);
    }

    private static boolean hasPorts(Conditions conditions) {
        return conditions.getSourcePortCount() + conditions.getDestinationPortCount() > 0;
    }

    private static boolean hasIcmp(Conditions conditions) {
        return conditions.getIcmpCount() + conditions.getQuotedSourceCount() + conditions.getQuotedDestinationCount()
                > 0;
    }

    /** Ports are those of TCP and UDP; ICMP kinds those of ICMP. */
    private void checkBehindIp(String field, Rule rule) {
        boolean ports = hasPorts(rule.getMatch()) || hasPorts(rule.getNot());
        boolean icmp = hasIcmp(rule.getMatch()) || hasIcmp(rule.getNot());
        if (ports && icmp) {
            reporter.report(
                    field, "", "no packet has both ports and an ICMP type (expected conditions on one of them)");
            return;
        }
        List<String> protocols = rule.getMatch().getProtocolList();
        Set<String> fitting = ports ? Set.of("tcp", "udp") : Set.of("icmp", "icmpv6");
        if ((ports || icmp) && !protocols.isEmpty() && protocols.stream().noneMatch(fitting::contains)) {
            reporter.report(
                    field + ".match.protocol",
                    String.join(", ", protocols),
                    "has no " + (ports ? "ports (expected tcp or udp)" : "ICMP type (expected icmp or icmpv6)"));
        }
    }

    /** A network says the family of the packet, also where it is inverted. */
    private void checkFamilies(String field, Rule rule) {
        String first = "";
        boolean four = true;
        boolean six = true;
        for (Conditions conditions : List.of(rule.getMatch(), rule.getNot())) {
            for (List<String> networks : List.of(
                    conditions.getSourceList(),
                    conditions.getDestinationList(),
                    conditions.getQuotedSourceList(),
                    conditions.getQuotedDestinationList())) {
                if (networks.isEmpty()) {
                    continue;
                }
                four &= networks.stream()
                        .anyMatch(network -> MatchText.network(network).isV4());
                six &= networks.stream()
                        .anyMatch(network -> !MatchText.network(network).isV4());
                if (!four && !six) {
                    reporter.report(
                            field,
                            networks.getFirst(),
                            "is of another family than " + first + ": no packet has both (expected networks of one"
                                    + " family in a rule)");
                    return;
                }
                first = first.isEmpty() ? networks.getFirst() : first;
            }
        }
    }

    /** What is under match lies wholly in what is under not. */
    private void checkContradictions(String field, Rule rule) {
        checkCovered(
                field + ".not.source",
                rule.getMatch().getSourceList(),
                rule.getNot().getSourceList());
        checkCovered(
                field + ".not.destination",
                rule.getMatch().getDestinationList(),
                rule.getNot().getDestinationList());
        checkSame(
                field + ".not.protocol",
                rule.getMatch().getProtocolList(),
                rule.getNot().getProtocolList());
        checkSame(
                field + ".not.destination_port",
                rule.getMatch().getDestinationPortList(),
                rule.getNot().getDestinationPortList());
        checkSame(
                field + ".not.source_port",
                rule.getMatch().getSourcePortList(),
                rule.getNot().getSourcePortList());
    }

    private void checkCovered(String field, List<String> wanted, List<String> unwanted) {
        boolean covered = !wanted.isEmpty()
                && wanted.stream()
                        .map(MatchText::network)
                        .allMatch(network ->
                                unwanted.stream().map(MatchText::network).anyMatch(other -> contains(other, network)));
        if (covered) {
            contradicts(field, String.join(", ", wanted));
        }
    }

    private static boolean contains(IpPrefix around, IpPrefix network) {
        return around.isV4() == network.isV4() && around.bits() <= network.bits() && around.overlaps(network);
    }

    private void checkSame(String field, List<String> wanted, List<String> unwanted) {
        if (!wanted.isEmpty() && unwanted.containsAll(wanted)) {
            contradicts(field, String.join(", ", wanted));
        }
    }

    private void contradicts(String field, String value) {
        reporter.report(field, value, "is all that match asks for: no packet meets this rule; change one of the two");
    }

    private void checkReached(Chain chain) {
        Map<Rule, Integer> before = new HashMap<>();
        for (int i = 0; i < chain.getRulesCount(); i++) {
            Rule rule = chain.getRules(i);
            Rule conditions = conditionsOf(rule);
            Integer same = before.get(conditions);
            Integer all = before.get(Rule.getDefaultInstance());
            if (all != null || same != null) {
                int taker = all != null ? all : same;
                reporter.report(
                        "rules[" + i + "]",
                        "",
                        "is never reached: rules[" + taker + "] takes "
                                + (all != null ? "every packet" : "the very same packets")
                                + "; remove it or move it up");
                return;
            }
            if (isFinal(rule)) {
                before.put(conditions, i);
            }
        }
    }

    private static Rule conditionsOf(Rule rule) {
        var conditions = Rule.newBuilder().setInvert(rule.getInvert());
        if (!rule.getMatch().equals(Conditions.getDefaultInstance())) {
            conditions.setMatch(rule.getMatch());
        }
        if (!rule.getNot().equals(Conditions.getDefaultInstance())) {
            conditions.setNot(rule.getNot());
        }
        return conditions.build();
    }

    private static boolean isFinal(Rule rule) {
        return rule.getAction() != Rule.Action.CONTINUE || !rule.getGotoId().isEmpty() || rule.hasRedirect();
    }

    private void checkJumps(Chain chain) {
        var path = new HashSet<String>();
        path.add(chain.getId());
        for (int i = 0; i < chain.getRulesCount(); i++) {
            Rule rule = chain.getRules(i);
            for (String target : List.of(rule.getJumpId(), rule.getGotoId())) {
                int depth = target.isEmpty() ? 0 : depth(target, path, new HashMap<>());
                if (depth > MAX_DEPTH) {
                    String field = "rules[" + i + "]." + (target.equals(rule.getJumpId()) ? "jump" : "goto");
                    reporter.report(
                            field,
                            nameOf(target),
                            "leads in a circle or more than " + MAX_DEPTH + " chains deep (expected chains that end)");
                    return;
                }
            }
        }
    }

    /** How many chains deep it goes from here; more than allowed when it comes back to one on the path. */
    private int depth(String id, Set<String> path, Map<String, Integer> known) {
        if (path.contains(id) || path.size() > MAX_DEPTH) {
            return MAX_DEPTH + 1;
        }
        Integer before = known.get(id);
        if (before != null) {
            return before;
        }
        path.add(id);
        int deepest = 0;
        for (String next : jumpsOf(id)) {
            deepest = Math.max(deepest, depth(next, path, known));
        }
        path.remove(id);
        known.put(id, deepest + 1);
        return deepest + 1;
    }

    private Set<String> jumpsOf(String id) {
        var jumps = new HashSet<String>();
        chain(id).getRulesList().forEach(rule -> {
            jumps.add(rule.getJumpId());
            jumps.add(rule.getGotoId());
        });
        jumps.remove("");
        return jumps;
    }

    private Chain chain(String id) {
        return draft.get(new ObjectRef(Schema.kindOf(Chain.class), UUID.fromString(id)))
                .map(Chain.class::cast)
                .orElse(Chain.getDefaultInstance());
    }

    private String nameOf(String id) {
        return chain(id).getName();
    }
}
