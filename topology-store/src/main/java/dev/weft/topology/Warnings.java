package dev.weft.topology;

import com.google.protobuf.Message;
import dev.weft.topology.schema.Bridge;
import dev.weft.topology.schema.Chain;
import dev.weft.topology.schema.DhcpSubnet;
import dev.weft.topology.schema.Host;
import dev.weft.topology.schema.Member;
import dev.weft.topology.schema.Nat;
import dev.weft.topology.schema.Pool;
import dev.weft.topology.schema.Port;
import dev.weft.topology.schema.Router;
import dev.weft.topology.schema.Rule;
import dev.weft.topology.schema.SecurityGroup;
import dev.weft.topology.schema.SecurityRule;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.UUID;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/**
 * What in a topology is allowed and yet hardly meant: each with object, field and what to do. No warning is said that is
 * not true; some that are true are not said. The time it takes grows with the number of rules, not with its square, as
 * long as rules name destinations.
 */
public final class Warnings {
    private final TopologySnapshot snapshot;
    private final List<Problem> warnings = new ArrayList<>();
    private final @Nullable Host narrowest;
    private @Nullable Set<String> consulted;
    private @Nullable Set<String> withAddresses;
    private @Nullable Map<Nat, String> firstNats;

    private Warnings(TopologySnapshot snapshot) {
        this.snapshot = snapshot;
        narrowest = narrowest(snapshot);
    }

    /** About these objects, as they are in the snapshot; those that are not in it are passed over. */
    public static List<Problem> about(TopologySnapshot snapshot, Collection<ObjectRef> objects) {
        var all = new Warnings(snapshot);
        for (ObjectRef ref : objects) {
            snapshot.find(ref.kind(), ref.id()).ifPresent(all::check);
        }
        return all.warnings;
    }

    /** Of all objects: MTUs that the tunnels of a host do not take, since that host came later or its underlay changed. */
    public static List<Problem> aboutMtus(TopologySnapshot snapshot) {
        var all = new Warnings(snapshot);
        snapshot.ports().forEach(all::checkMtu);
        snapshot.bridges().forEach(all::checkMtu);
        return all.warnings;
    }

    private void check(Message object) {
        switch (object) {
            case Chain chain -> {
                new ChainWarnings(snapshot, (field, value, what) -> warn(chain, field, value, what)).check(chain);
                checkConsulted(chain);
            }
            case SecurityGroup group -> checkGroup(group);
            case Pool pool -> checkPool(pool);
            case Nat nat -> checkNat(nat);
            case Port port -> checkMtu(port);
            case Bridge bridge -> checkMtu(bridge);
            default -> {} // Nothing is known that would be odd.
        }
    }

    private void checkConsulted(Chain chain) {
        if (consulted == null) {
            consulted = consulted(snapshot);
        }
        if (!consulted.contains(chain.getId())) {
            warn(
                    chain,
                    "",
                    "",
                    "nobody consults it: name it as inbound_chain or outbound_chain of a port, bridge or router, or jump"
                            + " to it");
        }
    }

    private static Set<String> consulted(TopologySnapshot snapshot) {
        Set<String> chains = new HashSet<>();
        for (Port port : snapshot.ports()) {
            chains.add(port.getInboundChainId());
            chains.add(port.getOutboundChainId());
        }
        for (Bridge bridge : snapshot.bridges()) {
            chains.add(bridge.getInboundChainId());
            chains.add(bridge.getOutboundChainId());
        }
        for (Router router : snapshot.routers()) {
            chains.addAll(List.of(
                    router.getInboundChainId(),
                    router.getOutboundChainId(),
                    router.getLocalRedirectChainId(),
                    router.getForwardChainId()));
        }
        for (Chain chain : snapshot.all(Chain.class)) {
            for (Rule rule : chain.getRulesList()) {
                chains.add(rule.getJumpId());
                chains.add(rule.getGotoId());
            }
        }
        return chains;
    }

    private void checkGroup(SecurityGroup group) {
        checkRules(group, "ingress", group.getIngressList());
        checkRules(group, "egress", group.getEgressList());
    }

    private void checkRules(SecurityGroup group, String list, List<SecurityRule> rules) {
        for (int i = 0; i < rules.size(); i++) {
            SecurityRule rule = rules.get(i);
            boolean onlyGroups = rule.getRemoteCount() + rule.getRemoteAddressGroupIdsCount() == 0;
            if (onlyGroups && rule.getRemoteGroupIdsCount() > 0 && !haveAddresses(rule.getRemoteGroupIdsList())) {
                warn(
                        group,
                        list + "[" + i + "].remote_groups",
                        "",
                        "lets nothing through now: no port in these groups declares addresses; give the ports addresses");
            }
        }
    }

    private boolean haveAddresses(List<String> groups) {
        if (withAddresses == null) {
            withAddresses = snapshot.ports().stream()
                    .filter(port -> port.getAddressesCount() + port.getAllowedPairsCount() > 0)
                    .flatMap(port -> port.getSecurityGroupIdsList().stream())
                    .collect(Collectors.toSet());
        }
        return groups.stream().anyMatch(withAddresses::contains);
    }

    private void checkPool(Pool pool) {
        if (pool.getMembersList().stream().allMatch(Member::getDraining)) {
            warn(
                    pool,
                    "members",
                    "",
                    "all drain: connections that begin are refused; add a member, or say draining: false");
        }
    }

    /** Of rules that take the same packets the first by name counts. */
    private void checkNat(Nat nat) {
        if (firstNats == null) {
            firstNats = new HashMap<>();
            for (Nat each : snapshot.all(Nat.class)) {
                firstNats.merge(packetsOf(each), each.getName(), (a, b) -> a.compareTo(b) < 0 ? a : b);
            }
        }
        String first = firstNats.getOrDefault(packetsOf(nat), nat.getName());
        if (!first.equals(nat.getName())) {
            warn(
                    nat,
                    "",
                    "",
                    "is never used: nat '" + first
                            + "' takes the very same packets and comes before it by name; put the"
                            + " addresses of both into one, or remove it");
        }
    }

    private static Nat packetsOf(Nat nat) {
        return nat.toBuilder()
                .clearId()
                .clearName()
                .clearAddresses()
                .clearPorts()
                .build();
    }

    private void checkMtu(Port port) {
        checkMtu(port, "mtu", port.getMtu());
    }

    private void checkMtu(Bridge bridge) {
        List<DhcpSubnet> subnets = bridge.getDhcpList();
        for (int i = 0; i < subnets.size(); i++) {
            checkMtu(bridge, "dhcp[" + i + "].mtu", subnets.get(i).getMtu());
        }
    }

    private void checkMtu(Message object, String field, int mtu) {
        if (narrowest != null && mtu > MtuRules.insideTunnel(narrowest)) {
            warn(
                    object,
                    field,
                    Integer.toString(mtu),
                    "the tunnels of host '" + narrowest.getName() + "' take " + MtuRules.insideTunnel(narrowest)
                            + ": longer packets to and from it are dropped; lower it, or raise the MTU of its underlay");
        }
    }

    private static @Nullable Host narrowest(TopologySnapshot snapshot) {
        Host narrowest = null;
        for (Host host : snapshot.all(Host.class)) {
            boolean less = narrowest == null || MtuRules.insideTunnel(host) < MtuRules.insideTunnel(narrowest);
            if (host.getMtu() != 0 && less) {
                narrowest = host;
            }
        }
        return narrowest;
    }

    private void warn(Message object, String field, String value, String what) {
        ObjectKind kind = Schema.kindOf(object);
        UUID id = UUID.fromString(kind.idField().text(object));
        warnings.add(new Problem(null, kind.name(), kind.nameOf(object), field, value, what, new ObjectRef(kind, id)));
    }
}
