package dev.weft.sim;

import dev.weft.sim.match.Test;
import dev.weft.topology.schema.Chain;
import dev.weft.topology.schema.Conditions;
import dev.weft.topology.schema.Rule;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** The rules of one chain, each by itself turned into tests. Immutable; kept from compile to compile. */
final class ChainRules {
    final Chain message;
    final List<List<Test>> tests;
    /** The members of all groups the rules look at, as they were. */
    private final Map<String, Object> members;

    private ChainRules(Chain message, List<List<Test>> tests, Map<String, Object> members) {
        this.message = message;
        this.tests = tests;
        this.members = members;
    }

    static ChainRules compile(Chain message, Groups groups, ConditionCompiler conditions) {
        List<List<Test>> tests = new ArrayList<>(message.getRulesCount());
        var members = new LinkedHashMap<String, Object>();
        for (Rule rule : message.getRulesList()) {
            tests.add(conditions.compile(rule));
            note(rule.getMatch(), groups, members);
            note(rule.getNot(), groups, members);
        }
        return new ChainRules(message, tests, members);
    }

    private static void note(Conditions conditions, Groups groups, Map<String, Object> members) {
        conditions.getSourceGroupIdsList().forEach(id -> members.put(id, groups.addresses(id)));
        conditions.getDestinationGroupIdsList().forEach(id -> members.put(id, groups.addresses(id)));
        conditions.getInGroupIdsList().forEach(id -> members.put(id, groups.ports(id)));
        conditions.getOutGroupIdsList().forEach(id -> members.put(id, groups.ports(id)));
    }

    boolean isFrom(Chain chain, Groups groups) {
        return message.equals(chain)
                && members.entrySet().stream().allMatch(entry -> entry.getValue() == groups.membersOf(entry.getKey()));
    }
}
