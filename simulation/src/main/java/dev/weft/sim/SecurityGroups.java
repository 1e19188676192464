package dev.weft.sim;

import dev.weft.topology.TopologySnapshot;
import dev.weft.topology.schema.Chain;
import dev.weft.topology.schema.Conditions;
import dev.weft.topology.schema.Port;
import dev.weft.topology.schema.Rule;
import dev.weft.topology.schema.SecurityGroup;
import dev.weft.topology.schema.SecurityRule;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import java.util.stream.Collectors;

/**
 * Security groups as chains: one for each group and direction with its rules, and one for each set of groups that some
 * port is in, which lets through what everybody may send, jumps to those of its groups and drops the rest. From there on
 * they are compiled as all chains are. Not thread safe; made for one compile.
 */
final class SecurityGroups {
    private static final int IN = 0;
    private static final int OUT = 1;

    private final Map<String, SecurityGroup> groups = new HashMap<>();
    private final Map<String, Chain> chains = new LinkedHashMap<>();
    private final Map<List<String>, Ids> sets = new HashMap<>();

    /**
     * What a port holds the frames of its VM, and those to it, against.
     *
     * @param fromVm chain, empty when everything may leave
     * @param toVm chain, empty when the port is in no group
     * @param stateful whether answers pass
     */
    record Ids(String fromVm, String toVm, boolean stateful) {
        static final Ids NONE = new Ids("", "", false);
    }

    SecurityGroups(TopologySnapshot snapshot) {
        for (SecurityGroup group : snapshot.all(SecurityGroup.class)) {
            groups.put(group.getId(), group);
        }
        for (Port port : snapshot.ports()) {
            if (port.getSecurityGroupIdsCount() > 0) {
                sets.computeIfAbsent(setOf(port), this::compile);
            }
        }
    }

    private static List<String> setOf(Port port) {
        return port.getSecurityGroupIdsList().stream().sorted().distinct().toList();
    }

    Ids of(Port port) {
        return port.getSecurityGroupIdsCount() == 0 ? Ids.NONE : sets.getOrDefault(setOf(port), Ids.NONE);
    }

    List<Chain> chains() {
        return List.copyOf(chains.values());
    }

    private Ids compile(List<String> ids) {
        List<SecurityGroup> members = ids.stream().map(this::group).toList();
        boolean stateful = members.stream().anyMatch(group -> !group.getStateless());
        boolean open = members.stream().anyMatch(group -> group.getEgressCount() == 0 && !group.getDenyEgress());
        return new Ids(open ? "" : set(members, OUT, stateful), set(members, IN, stateful), stateful);
    }

    private SecurityGroup group(String id) {
        SecurityGroup group = groups.get(id);
        if (group == null) {
            throw new IllegalArgumentException("security group " + id + " (expected one of the topology)");
        }
        return group;
    }

    private String set(List<SecurityGroup> members, int direction, boolean stateful) {
        String names = members.stream().map(SecurityGroup::getName).collect(Collectors.joining(", "));
        String key = members.stream().map(SecurityGroup::getId).collect(Collectors.joining(" "));
        var rules = new ArrayList<Rule>();
        if (direction == OUT && stateful) {
            rules.add(accept("answers")
                    .setMatch(Conditions.newBuilder()
                            .addConnection(Conditions.Connection.ANSWER)
                            .addConnection(Conditions.Connection.RELATED))
                    .build());
        }
        if (stateful) {
            rules.add(accept("fragments")
                    .setMatch(Conditions.newBuilder()
                            .setFragments(Conditions.Fragments.LATER)
                            .addConnection(Conditions.Connection.FORWARD))
                    .build());
        }
        rules.add(accept("arp")
                .setMatch(Conditions.newBuilder().addEthertype("arp"))
                .build());
        rules.add(accept("neighbours").setMatch(neighbours(direction)).build());
        rules.add(accept("dhcp").setMatch(dhcp(direction, "68", "67")).build());
        rules.add(accept("dhcpv6").setMatch(dhcp(direction, "546", "547")).build());
        for (SecurityGroup member : members) {
            rules.add(Rule.newBuilder()
                    .setName(member.getName())
                    .setJumpId(chainOf(member, direction))
                    .build());
        }
        rules.add(Rule.newBuilder()
                .setName("others")
                .setAction(Rule.Action.DROP)
                .setLog(members.stream().anyMatch(member -> logs(member, Chain.Log.DROPPED)))
                .build());
        String tenant = members.getFirst().getTenantId();
        return add(tenant, "set " + key, direction, "security groups " + names, Chain.Log.NOTHING, rules);
    }

    private static Rule.Builder accept(String name) {
        return Rule.newBuilder().setName(name).setAction(Rule.Action.ACCEPT);
    }

    /** Neighbour and router discovery and group membership; a VM does not play the router. */
    private static Conditions neighbours(int direction) {
        List<String> types = direction == IN
                ? List.of("130", "131", "132", "134", "135", "136", "143")
                : List.of("131", "132", "133", "135", "136", "143");
        return Conditions.newBuilder().addProtocol("icmpv6").addAllIcmp(types).build();
    }

    private static Conditions dhcp(int direction, String client, String server) {
        return Conditions.newBuilder()
                .addProtocol("udp")
                .addSourcePort(direction == IN ? server : client)
                .addDestinationPort(direction == IN ? client : server)
                .build();
    }

    private String chainOf(SecurityGroup group, int direction) {
        List<SecurityRule> rules = direction == IN ? group.getIngressList() : group.getEgressList();
        return add(
                group.getTenantId(),
                "group " + group.getId(),
                direction,
                "security group " + group.getName(),
                logs(group, Chain.Log.ACCEPTED) ? Chain.Log.ACCEPTED : Chain.Log.NOTHING,
                rules.stream().map(rule -> rule(rule, direction)).toList());
    }

    private static Rule rule(SecurityRule rule, int direction) {
        var match = Conditions.newBuilder()
                .addAllProtocol(rule.getProtocolList())
                .addAllDestinationPort(rule.getPortList())
                .addAllIcmp(rule.getIcmpList());
        switch (rule.getFamily()) {
            case IPV4 -> match.addEthertype("ipv4");
            case IPV6 -> match.addEthertype("ipv6");
            case ANY, UNRECOGNIZED -> match.addEthertype("ipv4").addEthertype("ipv6");
        }
        List<String> networks = rule.getRemoteList();
        var named = new ArrayList<>(rule.getRemoteAddressGroupIdsList());
        named.addAll(rule.getRemoteGroupIdsList());
        if (direction == IN) {
            match.addAllSource(networks).addAllSourceGroupIds(named);
        } else {
            match.addAllDestination(networks).addAllDestinationGroupIds(named);
        }
        return accept(rule.getName()).setMatch(match).setLog(rule.getLog()).build();
    }

    private static boolean logs(SecurityGroup group, Chain.Log what) {
        return group.getLog() == what || group.getLog() == Chain.Log.ALL;
    }

    /** Ids are made from what the chain is, so that they outlive a compile. */
    private String add(String tenant, String what, int direction, String name, Chain.Log log, List<Rule> rules) {
        String way = direction == IN ? ", ingress" : ", egress";
        String id = UUID.nameUUIDFromBytes((what + way).getBytes(StandardCharsets.UTF_8))
                .toString();
        chains.computeIfAbsent(
                id,
                key -> Chain.newBuilder()
                        .setId(key)
                        .setName(name + way)
                        .setTenantId(tenant)
                        .setLog(log)
                        .addAllRules(rules)
                        .build());
        return id;
    }
}
