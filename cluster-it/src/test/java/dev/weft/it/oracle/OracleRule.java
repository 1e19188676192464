package dev.weft.it.oracle;

import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.random.RandomGenerator;

/**
 * A rule of a chain, in the words of both.
 *
 * @param weft as the topology fixture's rules are written
 * @param nft statements of nftables, one a line
 */
record OracleRule(String weft, String nft) {
    /** What rules are about, and so what packets should come near to. Filled while a plan is made. */
    record Edges(List<Integer> addresses, List<Integer> ports) {}

    /**
     * Where a chain hangs decides what its rules can say in nftables: on this kernel bridges know neither connections nor
     * refusals.
     */
    enum Layer {
        BRIDGE,
        ROUTER
    }

    /** A condition or a verdict that both know. */
    private record Words(String weft, String nft) {}

    private static final List<Words> CONNECTIONS = List.of(
            new Words("connection new,forward", "ct direction original ct state { new, established }"),
            new Words("connection answer", "ct direction reply ct state established"),
            new Words("connection related", "ct state related"),
            new Words("connection none", "ct state invalid"),
            new Words("!connection none", "ct state != invalid"));

    private static final List<String> REFUSALS =
            List.of("meta l4proto tcp reject with tcp reset", "reject with icmpx admin-prohibited");

    /** One random rule. @param later a chain to jump to; empty: none */
    static OracleRule random(RandomGenerator random, Edges edges, Layer layer, String later) {
        return new Draft(random, edges, layer).rule(later);
    }

    static List<OracleRule> chain(RandomGenerator random, Edges edges, Layer layer, String later) {
        var rules = new ArrayList<OracleRule>();
        var conditions = new HashSet<String>();
        for (int i = random.nextInt(1, 7); i > 0; i--) {
            OracleRule rule = random(random, edges, layer, later);
            // One that repeats another's conditions is refused, as it is never reached.
            if (conditions.add(rule.weft.replaceFirst("(accept|drop|return|reject|jump \\S+)$", ""))) {
                rules.add(rule);
            }
        }
        return rules;
    }

    /** A rule in the making: of each kind of condition at most one, all of one family. */
    private static final class Draft {
        private final RandomGenerator random;
        private final Edges edges;
        private final Layer layer;
        private final StringBuilder weft = new StringBuilder();
        private final StringBuilder nft = new StringBuilder();
        private final boolean v6;

        Draft(RandomGenerator random, Edges edges, Layer layer) {
            this.random = random;
            this.edges = edges;
            this.layer = layer;
            v6 = random.nextBoolean();
        }

        OracleRule rule(String later) {
            boolean ports = random.nextInt(3) == 0;
            boolean addresses = random.nextInt(2) == 0;
            boolean connection = layer == Layer.ROUTER && random.nextInt(4) == 0;
            boolean protocol = !ports && random.nextInt(4) == 0;
            if (addresses || !ports && !connection && !protocol) {
                boolean source = random.nextBoolean();
                address(source);
                if (random.nextInt(4) == 0) {
                    address(!source);
                }
            }
            if (ports) {
                port(random.nextBoolean());
            }
            if (protocol) {
                protocol();
            }
            if (connection) {
                Words words = CONNECTIONS.get(random.nextInt(CONNECTIONS.size()));
                say(words.weft(), words.nft());
            }
            return verdict(later);
        }

        private OracleRule verdict(String later) {
            if (!later.isEmpty() && random.nextInt(4) == 0) {
                return new OracleRule(weft + "jump " + later, nft + "jump " + later);
            }
            if (layer == Layer.ROUTER && random.nextInt(4) == 0) {
                return new OracleRule(weft + "reject", nft + REFUSALS.get(0) + "\n" + nft + REFUSALS.get(1));
            }
            String verdict = List.of("accept", "accept", "drop", "return").get(random.nextInt(4));
            return new OracleRule(weft + verdict, nft + verdict);
        }

        private void address(boolean source) {
            int bits = random.nextInt(22, 33);
            int mask = -1 << (32 - bits);
            int network = edges.addresses.get(random.nextInt(edges.addresses.size())) & mask;
            edges.addresses.add(network);
            edges.addresses.add(network | ~mask);
            String text = Addresses.prefix(Addresses.text(network, false) + (bits == 32 ? "" : "/" + bits), v6);
            boolean not = not();
            say(
                    (not ? "!" : "") + (source ? "from " : "to ") + text,
                    (v6 ? "ip6 " : "ip ") + (source ? "saddr " : "daddr ") + (not ? "!= " : "") + text);
        }

        private void port(boolean source) {
            int low = edges.ports.get(random.nextInt(edges.ports.size()));
            int high = Math.min(0xffff, low + (random.nextBoolean() ? 0 : random.nextInt(40)));
            edges.ports.add(low);
            edges.ports.add(high);
            String text = low == high ? Integer.toString(low) : low + "-" + high;
            boolean not = not();
            say(
                    (not ? "!" : "") + (source ? "sport " : "dport ") + text,
                    "meta l4proto { tcp, udp } th " + (source ? "sport " : "dport ") + (not ? "!= " : "") + text);
            if (random.nextInt(3) == 0) {
                String only = random.nextBoolean() ? "tcp" : "udp";
                say("protocol " + only, "meta l4proto " + only);
            }
        }

        private void protocol() {
            String name = List.of("tcp", "udp", "icmp", "icmpv6").get(random.nextInt(4));
            boolean not = not();
            say((not ? "!" : "") + "protocol " + name, "meta l4proto " + (not ? "!= " : "") + name);
        }

        private boolean not() {
            return random.nextInt(5) == 0;
        }

        private void say(String words, String match) {
            weft.append(words).append(' ');
            nft.append(match).append(' ');
        }
    }
}
