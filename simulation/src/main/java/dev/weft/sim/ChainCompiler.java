package dev.weft.sim;

import dev.weft.sim.CompiledChain.Label;
import dev.weft.sim.match.Classifier;
import dev.weft.sim.match.Test;
import dev.weft.topology.TopologySnapshot;
import dev.weft.topology.schema.Bridge;
import dev.weft.topology.schema.Chain;
import dev.weft.topology.schema.Port;
import dev.weft.topology.schema.Redirect;
import dev.weft.topology.schema.Router;
import dev.weft.topology.schema.Rule;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.BitSet;
import java.util.Collection;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.UUID;
import org.jspecify.annotations.Nullable;

/**
 * Compiles the chains of a topology. A chain that one jump alone leads to becomes part of the chain that jumps, so that
 * one search serves both; one that several lead to is compiled once, and entered at run time.
 */
final class ChainCompiler {
    private final TopologySnapshot snapshot;
    private final Collection<Chain> all;
    private final Groups groups;
    private final Chains previous;
    private final Map<UUID, Integer> indices;
    private final ConditionCompiler conditions;
    private final ConditionCompiler.Indices places;
    private final Map<String, ChainRules> rules = new HashMap<>();
    private final Set<String> inlined = new HashSet<>();

    /** @param all those of the topology, and those that security groups are made into */
    ChainCompiler(
            TopologySnapshot snapshot,
            Collection<Chain> all,
            Groups groups,
            Chains previous,
            Map<UUID, Integer> indices,
            ConditionCompiler.Indices places) {
        this.snapshot = snapshot;
        this.all = all;
        this.groups = groups;
        this.previous = previous;
        this.indices = indices;
        this.places = places;
        conditions = new ConditionCompiler(groups, places);
    }

    Chains compile() {
        for (Chain chain : all) {
            ChainRules before = previous.rules.get(chain.getId());
            rules.put(
                    chain.getId(),
                    before != null && before.isFrom(chain, groups)
                            ? before
                            : ChainRules.compile(chain, groups, conditions));
        }
        findInlined();
        var compiled = new @Nullable CompiledChain[indices.size()];
        rules.forEach((id, chain) -> {
            if (!inlined.contains(id)) {
                int index = NetworkCompiler.indexOf(indices, id);
                compiled[index] = compile(chain, previous.chain(index));
            }
        });
        return new Chains(indices, groups, rules, compiled);
    }

    private void findInlined() {
        var ways = new HashMap<String, Integer>();
        var jumps = new HashSet<String>();
        for (ChainRules chain : rules.values()) {
            for (Rule rule : chain.message.getRulesList()) {
                count(ways, rule.getGotoId());
                count(ways, rule.getJumpId());
                // A jump that is noted must be a rule of its own.
                if (!rule.getJumpId().isEmpty() && !rule.getLog()) {
                    jumps.add(rule.getJumpId());
                }
            }
        }
        for (Port port : snapshot.ports()) {
            count(ways, port.getInboundChainId());
            count(ways, port.getOutboundChainId());
        }
        for (Bridge bridge : snapshot.bridges()) {
            count(ways, bridge.getInboundChainId());
            count(ways, bridge.getOutboundChainId());
        }
        for (Router router : snapshot.routers()) {
            count(ways, router.getInboundChainId());
            count(ways, router.getOutboundChainId());
            count(ways, router.getLocalRedirectChainId());
            count(ways, router.getForwardChainId());
        }
        jumps.stream().filter(id -> ways.get(id) == 1).forEach(inlined::add);
    }

    private static void count(Map<String, Integer> ways, String chain) {
        if (!chain.isEmpty()) {
            ways.merge(chain, 1, Integer::sum);
        }
    }

    private CompiledChain compile(ChainRules chain, @Nullable CompiledChain before) {
        var list = new FlatList();
        list.add(chain, List.of());
        ChainRules[] parts = list.parts.toArray(new ChainRules[0]);
        if (before != null && Arrays.equals(before.parts, parts)) {
            return before; // parts compare by identity
        }
        return list.finish(chain.message, parts);
    }

    /** The rules of a chain and of those that are part of it, in order. */
    private final class FlatList {
        private final List<ChainRules> parts = new ArrayList<>();
        private final List<List<Test>> tests = new ArrayList<>();
        private final List<Rule> flat = new ArrayList<>();
        private final List<Label> labels = new ArrayList<>();
        private final BitSet logged = new BitSet();
        private final List<int[]> blocks = new ArrayList<>(); // from, to; inner ones come before outer ones

        void add(ChainRules chain, List<Test> under) {
            parts.add(chain);
            int from = tests.size();
            String name = chain.message.getName();
            for (int i = 0; i < chain.tests.size(); i++) {
                Rule rule = chain.message.getRules(i);
                List<Test> all = chain.tests.get(i);
                if (!under.isEmpty()) {
                    all = new ArrayList<>(under);
                    all.addAll(chain.tests.get(i));
                }
                if (inlined.contains(rule.getJumpId())) {
                    add(part(rule.getJumpId()), all);
                    continue;
                }
                tests.add(all);
                logged.set(flat.size(), isLogged(chain.message.getLog(), rule));
                flat.add(rule);
                String label = Integer.toString(i + 1) + (rule.getName().isEmpty() ? "" : " (" + rule.getName() + ")");
                labels.add(new Label(name, label));
            }
            blocks.add(new int[] {from, tests.size()});
        }

        private ChainRules part(String id) {
            ChainRules part = rules.get(id);
            if (part == null) {
                throw new IllegalArgumentException("chain " + id + " (expected one of the topology)");
            }
            return part;
        }

        CompiledChain finish(Chain message, ChainRules[] parts) {
            int size = tests.size();
            byte[] verdicts = new byte[size];
            int[] targets = new int[size];
            int[] ends = new int[size];
            for (int i = 0; i < size; i++) {
                verdicts[i] = (byte) verdict(flat.get(i));
                targets[i] = target(flat.get(i), verdicts[i]);
            }
            for (int i = blocks.size() - 1; i >= 0; i--) {
                Arrays.fill(ends, blocks.get(i)[0], blocks.get(i)[1], blocks.get(i)[1]);
            }
            return new CompiledChain(
                    UUID.fromString(message.getId()),
                    message.getName(),
                    parts,
                    Classifier.of(tests),
                    verdicts,
                    targets,
                    ends,
                    labels.toArray(new Label[0]),
                    logged);
        }
    }

    private static boolean isLogged(Chain.Log log, Rule rule) {
        boolean asked =
                switch (log) {
                    case ACCEPTED -> isAccept(rule);
                    case DROPPED -> isDrop(rule);
                    case ALL -> isAccept(rule) || isDrop(rule);
                    case NOTHING, UNRECOGNIZED -> false;
                };
        return asked || rule.getLog();
    }

    private static boolean isAccept(Rule rule) {
        return rule.getAction() == Rule.Action.ACCEPT;
    }

    private static boolean isDrop(Rule rule) {
        return rule.getAction() == Rule.Action.DROP || rule.getAction() == Rule.Action.REJECT;
    }

    private static int verdict(Rule rule) {
        if (!rule.getJumpId().isEmpty()) {
            return CompiledChain.JUMP;
        }
        if (!rule.getGotoId().isEmpty()) {
            return CompiledChain.GOTO;
        }
        if (rule.hasRedirect()) {
            return rule.getRedirect().getDirection() == Redirect.Direction.IN
                    ? CompiledChain.REDIRECT_IN
                    : CompiledChain.REDIRECT_OUT;
        }
        return switch (rule.getAction()) {
            case ACCEPT -> CompiledChain.ACCEPT;
            case DROP -> CompiledChain.DROP;
            case REJECT -> CompiledChain.REJECT;
            case RETURN -> CompiledChain.RETURN;
            case CONTINUE, UNRECOGNIZED -> CompiledChain.CONTINUE;
        };
    }

    private int target(Rule rule, int verdict) {
        return switch (verdict) {
            case CompiledChain.JUMP -> NetworkCompiler.indexOf(indices, rule.getJumpId());
            case CompiledChain.GOTO -> NetworkCompiler.indexOf(indices, rule.getGotoId());
            case CompiledChain.REDIRECT_IN, CompiledChain.REDIRECT_OUT ->
                places.port(rule.getRedirect().getPortId());
            default -> CompiledChain.NONE;
        };
    }
}
