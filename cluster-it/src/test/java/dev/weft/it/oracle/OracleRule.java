package dev.weft.it.oracle;

import java.util.ArrayList;
import java.util.List;
import java.util.random.RandomGenerator;

/**
 * A rule of a chain, in the words of both.
 *
 * @param weft as the topology fixture's rules are written
 * @param nft a statement of nftables
 */
record OracleRule(String weft, String nft) {
    /** What rules are about, and so what packets should come near to. Filled while a plan is made. */
    record Edges(List<Integer> addresses, List<Integer> ports) {}

    /** @param later a chain to jump to; empty: none */
    static OracleRule random(RandomGenerator random, Edges edges, boolean knowsConnections, String later) {
        var weft = new StringBuilder();
        var nft = new StringBuilder();
        // Of one kind one: several values of a field are alternatives to Weft, and nothing of the sort to nftables.
        int kinds = knowsConnections ? 6 : 5;
        int first = random.nextInt(kinds);
        int step = random.nextBoolean() ? 1 : kinds - 1;
        for (int i = random.nextInt(1, 4); i > 0; i--) {
            boolean not = random.nextInt(5) == 0;
            switch ((first + i * step) % kinds) {
                case 0 -> address(random, edges, not, "from ", "ip saddr ", weft, nft);
                case 1 -> address(random, edges, not, "to ", "ip daddr ", weft, nft);
                case 2 -> ports(random, edges, not, "sport ", "th sport ", weft, nft);
                case 3 -> ports(random, edges, not, "dport ", "th dport ", weft, nft);
                case 4 -> {
                    String protocol = List.of("tcp", "udp", "icmp").get(random.nextInt(3));
                    say(not, "protocol " + protocol, "meta l4proto ", protocol, weft, nft);
                }
                default -> say(false, "connection ANSWER", "ct direction ", "reply", weft, nft);
            }
        }
        String verdict = later.isEmpty() || random.nextInt(4) > 0
                ? List.of("accept", "accept", "drop", "return").get(random.nextInt(4))
                : "jump " + later;
        return new OracleRule(weft + verdict, nft + verdict);
    }

    private static void address(
            RandomGenerator random,
            Edges edges,
            boolean not,
            String word,
            String match,
            StringBuilder weft,
            StringBuilder nft) {
        int bits = random.nextInt(22, 33);
        int mask = -1 << (32 - bits);
        int network = edges.addresses.get(random.nextInt(edges.addresses.size())) & mask;
        edges.addresses.add(network);
        edges.addresses.add(network | ~mask);
        String text = Addresses.text(network) + (bits == 32 ? "" : "/" + bits);
        say(not, word + text, match, text, weft, nft);
    }

    private static void ports(
            RandomGenerator random,
            Edges edges,
            boolean not,
            String word,
            String match,
            StringBuilder weft,
            StringBuilder nft) {
        int low = edges.ports.get(random.nextInt(edges.ports.size()));
        int high = Math.min(0xffff, low + (random.nextBoolean() ? 0 : random.nextInt(40)));
        edges.ports.add(low);
        edges.ports.add(high);
        String text = low == high ? Integer.toString(low) : low + "-" + high;
        say(not, word + text, "meta l4proto { tcp, udp } " + match, text, weft, nft);
    }

    private static void say(
            boolean not, String words, String match, String value, StringBuilder weft, StringBuilder nft) {
        weft.append(not ? "!" : "").append(words).append(' ');
        nft.append(match).append(not ? "!= " : "").append(value).append(' ');
    }

    static List<OracleRule> chain(RandomGenerator random, Edges edges, boolean knowsConnections, String later) {
        var rules = new ArrayList<OracleRule>();
        for (int i = random.nextInt(1, 7); i > 0; i--) {
            rules.add(random(random, edges, knowsConnections, later));
        }
        return rules;
    }
}
