package dev.weft.sim;

import dev.weft.topology.schema.Conditions;
import dev.weft.topology.schema.Redirect;
import dev.weft.topology.schema.Rule;
import dev.weft.topology.schema.SecurityRule;
import java.util.Arrays;
import java.util.Locale;

/**
 * Rules in words, for tests: conditions, each after a {@code !} when it must not hold, then what to do.
 *
 * <pre>
 * from 10.0.0.0/8 protocol tcp dport 80-90 accept
 * to-group web !sport 1-1023 reject
 * invert ethertype arp drop
 * in vm1 redirect-out vm2
 * </pre>
 */
final class RuleText {
    private RuleText() {}

    static Rule parse(String text) {
        var rule = Rule.newBuilder();
        String[] words = text.split(" ");
        for (int i = 0; i < words.length; i++) {
            switch (words[i]) {
                case "accept" -> rule.setAction(Rule.Action.ACCEPT);
                case "drop" -> rule.setAction(Rule.Action.DROP);
                case "reject" -> rule.setAction(Rule.Action.REJECT);
                case "return" -> rule.setAction(Rule.Action.RETURN);
                case "invert" -> rule.setInvert(true);
                case "log" -> rule.setLog(true);
                case "name" -> rule.setName(words[++i]);
                case "jump" -> rule.setJumpId(id("chain", words[++i]));
                case "goto" -> rule.setGotoId(id("chain", words[++i]));
                case "redirect-out" -> rule.setRedirect(redirect(words[++i], Redirect.Direction.OUT));
                case "redirect-in" -> rule.setRedirect(redirect(words[++i], Redirect.Direction.IN));
                default -> {
                    boolean not = words[i].startsWith("!");
                    String word = not ? words[i].substring(1) : words[i];
                    condition(not ? rule.getNotBuilder() : rule.getMatchBuilder(), word, words[++i]);
                }
            }
        }
        return rule.build();
    }

    /** {@code in tcp 80 from 10.0.0.0/8 from group web}: the first word is the direction. */
    static SecurityRule security(String text) {
        var rule = SecurityRule.newBuilder();
        String[] words = text.split(" ");
        for (int i = 1; i < words.length; i++) {
            switch (words[i]) {
                case "v4" -> rule.setFamily(SecurityRule.Family.IPV4);
                case "v6" -> rule.setFamily(SecurityRule.Family.IPV6);
                case "tcp", "udp" -> {
                    rule.addProtocol(words[i]);
                    if (i + 1 < words.length && Character.isDigit(words[i + 1].charAt(0))) {
                        rule.addPort(words[++i]);
                    }
                }
                case "icmp" -> rule.addIcmp(words[++i]);
                case "log" -> rule.setLog(true);
                case "protocol" -> rule.addProtocol(words[++i]);
                case "from", "to" -> {
                    switch (words[++i]) {
                        case "group" -> rule.addRemoteGroupIds(id("security group", words[++i]));
                        case "addresses" -> rule.addRemoteAddressGroupIds(id("address group", words[++i]));
                        default -> rule.addRemote(words[i]);
                    }
                }
                default -> throw new IllegalArgumentException("word '" + words[i] + "' of a security rule");
            }
        }
        return rule.build();
    }

    private static void condition(Conditions.Builder on, String word, String value) {
        switch (word) {
            case "from" -> on.addSource(value);
            case "to" -> on.addDestination(value);
            case "from-group" -> on.addSourceGroupIds(id("address group", value));
            case "to-group" -> on.addDestinationGroupIds(id("address group", value));
            case "protocol" -> on.addProtocol(value);
            case "sport" -> on.addSourcePort(value);
            case "dport" -> on.addDestinationPort(value);
            case "icmp" -> on.addIcmp(value);
            case "ethertype" -> on.addEthertype(value);
            case "src-mac" -> on.addSourceMac(value);
            case "dst-mac" -> on.addDestinationMac(value);
            case "vlan" -> on.addVlan(value);
            case "dscp" -> on.addDscp(value);
            case "fragments" -> on.setFragments(Conditions.Fragments.valueOf(value));
            case "connection" ->
                on.addAllConnection(Arrays.stream(value.split(","))
                        .map(state -> Conditions.Connection.valueOf(state.toUpperCase(Locale.ROOT)))
                        .toList());
            case "tcp" -> on.addTcp(Conditions.Tcp.valueOf(value.toUpperCase(Locale.ROOT)));
            case "in" -> on.addInPortIds(id("port", value));
            case "out" -> on.addOutPortIds(id("port", value));
            case "in-group" -> on.addInGroupIds(id("port group", value));
            case "out-group" -> on.addOutGroupIds(id("port group", value));
            case "crossed-bridge" -> on.addCrossedBridgeIds(id("bridge", value));
            case "crossed-router" -> on.addCrossedRouterIds(id("router", value));
            case "crossed-port" -> on.addCrossedPortIds(id("port", value));
            case "quoted-from" -> on.addQuotedSource(value);
            case "quoted-to" -> on.addQuotedDestination(value);
            default -> throw new IllegalArgumentException("word '" + word + "' of a rule");
        }
    }

    private static Redirect redirect(String port, Redirect.Direction direction) {
        return Redirect.newBuilder()
                .setPortId(id("port", port))
                .setDirection(direction)
                .build();
    }

    private static String id(String kind, String name) {
        return Topology.id(kind, name).toString();
    }
}
