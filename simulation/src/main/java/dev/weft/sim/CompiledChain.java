package dev.weft.sim;

import dev.weft.base.HotPath;
import dev.weft.base.Tag;
import dev.weft.sim.match.Classifier;
import dev.weft.topology.schema.Chain;
import dev.weft.topology.schema.Conditions;
import dev.weft.topology.schema.Rule;
import java.util.Arrays;
import java.util.BitSet;
import java.util.UUID;
import java.util.stream.IntStream;

/**
 * A chain, compiled, together with the chains that only it jumps to: their rules stand in its list where the jump was,
 * each under the conditions of the jump. Immutable, shared by all workers.
 */
@HotPath
final class CompiledChain {
    /** No chain; no port. */
    static final int NONE = -1;

    // What becomes of a packet that meets a rule.
    static final int CONTINUE = 0;
    static final int ACCEPT = 1;
    static final int DROP = 2;
    static final int REJECT = 3;
    static final int RETURN = 4;
    static final int JUMP = 5;
    static final int GOTO = 6;
    static final int REDIRECT_OUT = 7;
    static final int REDIRECT_IN = 8;

    final UUID id;
    final String name;
    final long tag;
    /** What all of this was compiled from, to see whether it must be again. */
    final ChainRules[] parts;

    /** Of every decision that rests on whether the chain, or one that it jumps to, asks for connections. */
    final long askingTag;
    /** Whether one of its own rules asks for the connection that a packet belongs to. */
    final boolean asks;
    /** Whether one of its own rules asks how far a TCP connection is. */
    final boolean asksForPhase;
    /** Indices of the chains that it jumps to. */
    final int[] jumps;

    final Classifier classifier;
    // By position.
    private final byte[] verdicts;
    private final int[] targets;
    private final int[] ends;
    private final Label[] labels;
    private final BitSet logged;
    private final boolean logsAny;
    /** Whether it is noted when a packet is accepted at the end of the chain. */
    final boolean logsEnd;

    /** A rule for people. */
    record Label(String chain, String rule) {
        @Override
        public String toString() {
            return "chain " + chain + ", rule " + rule;
        }
    }

    CompiledChain(
            UUID id,
            String name,
            ChainRules[] parts,
            Classifier classifier,
            byte[] verdicts,
            int[] targets,
            int[] ends,
            Label[] labels,
            BitSet logged) {
        this.id = id;
        this.name = name;
        this.parts = parts;
        this.classifier = classifier;
        this.verdicts = verdicts;
        this.targets = targets;
        this.ends = ends;
        this.labels = labels;
        this.logged = logged;
        logsAny = !logged.isEmpty();
        Chain.Log log = parts[0].message.getLog();
        logsEnd = log == Chain.Log.ACCEPTED || log == Chain.Log.ALL;
        tag = Tag.chain(id);
        askingTag = Tag.chain(new UUID(~id.getMostSignificantBits(), ~id.getLeastSignificantBits()));
        jumps = jumps(verdicts, targets);
        asks = Arrays.stream(parts)
                .flatMap(part -> part.message.getRulesList().stream())
                .anyMatch(CompiledChain::asks);
        asksForPhase = Arrays.stream(parts)
                .flatMap(part -> part.message.getRulesList().stream())
                .anyMatch(rule -> rule.getMatch().getTcpCount() + rule.getNot().getTcpCount() > 0);
    }

    private static int[] jumps(byte[] verdicts, int[] targets) {
        return IntStream.range(0, verdicts.length)
                .filter(position -> verdicts[position] == JUMP || verdicts[position] == GOTO)
                .map(position -> targets[position])
                .distinct()
                .toArray();
    }

    private static boolean asks(Rule rule) {
        return asks(rule.getMatch()) || asks(rule.getNot());
    }

    private static boolean asks(Conditions conditions) {
        return conditions.getConnectionCount() + conditions.getTcpCount() > 0;
    }

    int verdict(int position) {
        return verdicts[position];
    }

    /** Of a jump: the chain's index; of a redirect: the port's. */
    int target(int position) {
        return targets[position];
    }

    /** Where to go on after the chain that the rule was written in: behind the jump to it, or the end of all. */
    int end(int position) {
        return ends[position];
    }

    Label label(int position) {
        return labels[position];
    }

    /** Whether hosts note it when a flow begins that meets the rule. */
    boolean isLogged(int position) {
        return logsAny && logged.get(position);
    }

    /** Of the chain and those that are part of it. */
    String tenantId() {
        return parts[0].message.getTenantId();
    }

    /** As the schema calls it. */
    String action(int position) {
        return switch (verdicts[position]) {
            case ACCEPT -> "accept";
            case DROP -> "drop";
            case REJECT -> "reject";
            case RETURN -> "return";
            case JUMP -> "jump";
            case GOTO -> "goto";
            case REDIRECT_OUT, REDIRECT_IN -> "redirect";
            default -> "log";
        };
    }

    int size() {
        return verdicts.length;
    }
}
