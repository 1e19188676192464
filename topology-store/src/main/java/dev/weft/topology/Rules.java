package dev.weft.topology;

import com.google.protobuf.Message;
import dev.weft.base.IpAddress;
import dev.weft.base.IpPrefix;
import dev.weft.topology.schema.Balancer;
import dev.weft.topology.schema.Bridge;
import dev.weft.topology.schema.Chain;
import dev.weft.topology.schema.Nat;
import dev.weft.topology.schema.Pool;
import dev.weft.topology.schema.Port;
import dev.weft.topology.schema.Route;
import dev.weft.topology.schema.SecurityGroup;
import dev.weft.topology.schema.Service;
import dev.weft.topology.schema.ServiceBlock;
import dev.weft.topology.schema.ServiceTable;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.UUID;
import java.util.regex.Pattern;

/**
 * The few rules of meaning that options of the schema cannot say. All kinds pass here; those without such a rule pass
 * untouched. References of an object given to {@link #check} exist and stay inside its tenant.
 */
final class Rules {
    private static final Pattern NAMESPACE = Pattern.compile("/\\S+|[A-Za-z0-9._-]+");
    private static final int MAX_WEIGHT = 255;

    private final Draft draft;
    private final List<Problem> problems;
    private final VlanRules vlans;
    private final StationRules stations;
    private final ServiceRules services;
    private final ServiceAddressRules addresses;
    private final MtuRules mtus;
    private final SecurityGroupRules securityGroups;

    Rules(Draft draft, List<Problem> problems) {
        this.draft = draft;
        this.problems = problems;
        vlans = new VlanRules(this::report);
        stations = new StationRules(draft, this::report);
        services = new ServiceRules(draft, this::report);
        addresses = new ServiceAddressRules(draft, this::report);
        mtus = new MtuRules(draft, this::report);
        securityGroups = new SecurityGroupRules(this::report);
    }

    /** What an object implies when it does not say it. */
    static Message completed(Message object) {
        if (object instanceof Route route && route.getName().isEmpty()) {
            return route.toBuilder().setName("route-" + route.getId()).build();
        }
        return object;
    }

    /** What else goes when a deleted object's reference is cleared. */
    static Message afterClearing(Message object, FieldRule cleared) {
        if (object instanceof Port port && cleared.field().getNumber() == Port.HOST_ID_FIELD_NUMBER) {
            return port.toBuilder().clearInterface().clearNamespace().build();
        }
        return object;
    }

    void check(ObjectRef ref, Message object) {
        switch (object) {
            case Bridge bridge -> {
                vlans.checkBridge(bridge);
                new DhcpRules(this::report).check(bridge);
                mtus.checkBridge(ref, bridge);
            }
            case Port port -> checkPort(ref, port);
            case Route route -> checkRoute(route);
            case SecurityGroup group -> securityGroups.check(group);
            case ServiceBlock block -> services.checkBlock(ref, block);
            case ServiceTable table -> services.checkTable(table);
            case Pool pool ->
                new BalancerRules(draft, (field, value, expected) -> report(pool, field, value, expected)).check(pool);
            case Balancer balancer -> {
                new BalancerRules(draft, (field, value, expected) -> report(balancer, field, value, expected))
                        .check(balancer);
                addresses.check(balancer);
            }
            case Service service -> addresses.check(service);
            case Chain chain ->
                new ChainRules(draft, (field, value, expected) -> report(chain, field, value, expected)).check(chain);
            case Nat nat ->
                new NatRules(draft, (field, value, expected) -> report(nat, field, value, expected)).check(nat);
            default -> {} // Options of the schema say all there is.
        }
    }

    private void checkPort(ObjectRef ref, Port port) {
        boolean onBridge = !port.getBridgeId().isEmpty();
        boolean onRouter = !port.getRouterId().isEmpty();
        if (onBridge == onRouter) {
            report(
                    port,
                    onBridge ? "router" : "bridge",
                    "",
                    "a port is on exactly one bridge or router" + (onBridge ? " (found both)" : " (found neither)"));
            return;
        }
        boolean bound = !port.getHostId().isEmpty();
        if (!port.getPeerId().isEmpty() && bound) {
            report(
                    port,
                    "peer",
                    nameOfPort(port.getPeerId()),
                    "a port has a peer or a host, not both; clear one of" + " them (peer: null)");
        }
        if (bound == port.getInterface().isEmpty()) {
            report(port, bound ? "interface" : "host", "", "missing: host and interface go together");
        }
        if (!port.getNamespace().isEmpty()) {
            checkNamespace(port, bound);
        }
        if (port.getPeerId().equals(port.getId())) {
            report(port, "peer", port.getName(), "a port cannot be its own peer (expected another port)");
        }
        vlans.checkPort(port, onBridge);
        services.checkPort(port);
        services.checkInstances(port);
        mtus.checkPort(ref, port);
        securityGroups.checkPort(port);
        if (onBridge) {
            stations.checkBridgePort(ref, port);
        } else {
            stations.checkRouterPort(port);
            checkRouterPort(ref, port);
        }
    }

    private void checkNamespace(Port port, boolean bound) {
        if (!bound) {
            report(port, "namespace", port.getNamespace(), "only a port with host and interface has a namespace");
        } else if (!NAMESPACE.matcher(port.getNamespace()).matches()) {
            report(port, "namespace", port.getNamespace(), "expected a name under /run/netns or an absolute path");
        }
    }

    private void checkRouterPort(ObjectRef ref, Port port) {
        if (port.getAddressesCount() == 0) {
            report(port, "addresses", "", "missing: a router port has at least one, like 10.0.1.1/24");
            return;
        }
        for (ObjectRef other : draft.referrersOf(UUID.fromString(port.getRouterId()))) {
            // Where both are touched one of the two reports.
            boolean mine = !draft.isTouched(other) || ref.id().compareTo(other.id()) > 0;
            if (mine && !other.equals(ref) && draft.isTouched(ref)) {
                draft.get(other)
                        .filter(object -> object instanceof Port)
                        .map(Port.class::cast)
                        .filter(object -> object.getRouterId().equals(port.getRouterId()))
                        .ifPresent(object -> checkOverlap(port, object));
            }
        }
    }

    private void checkOverlap(Port port, Port other) {
        for (IpPrefix mine : networks(port)) {
            for (IpPrefix theirs : networks(other)) {
                if (mine.isV4() == theirs.isV4() && mine.overlaps(theirs)) {
                    report(
                            port,
                            "addresses",
                            mine.toString(),
                            "overlaps " + theirs + " of port '" + other.getName()
                                    + "' on the same router (expected subnets that do not overlap)");
                }
            }
        }
    }

    private static List<IpPrefix> networks(Port port) {
        var networks = new ArrayList<IpPrefix>();
        port.getAddressesList().forEach(text -> {
            IpPrefix network = InterfaceAddress.parse(text).network();
            if (!networks.contains(network)) {
                networks.add(network);
            }
        });
        return networks;
    }

    private void checkRoute(Route route) {
        if (route.getAction() == Route.Action.FORWARD) {
            checkForward(route);
        } else {
            String action = route.getAction().name().toLowerCase(Locale.ROOT);
            if (!route.getPortId().isEmpty()) {
                report(route, "port", nameOfPort(route.getPortId()), "a " + action + " route goes nowhere; remove it");
            }
            if (!route.getGateway().isEmpty()) {
                report(route, "gateway", route.getGateway(), "a " + action + " route goes nowhere; remove it");
            }
        }
        boolean v4 = IpPrefix.parse(route.getDestination()).isV4();
        if (!route.getSource().isEmpty() && IpPrefix.parse(route.getSource()).isV4() != v4) {
            report(
                    route,
                    "source",
                    route.getSource(),
                    "expected " + family(v4) + " like the destination " + route.getDestination());
        }
        if (route.getWeight() < 0 || route.getWeight() > MAX_WEIGHT) {
            report(route, "weight", Integer.toUnsignedString(route.getWeight()), "expected 1..255, or 0 for 1");
        }
    }

    private void checkForward(Route route) {
        if (route.getPortId().isEmpty()) {
            report(route, "port", "", "missing: a forward route names the port it leaves by; or say action: blackhole");
        } else {
            draft.get(new ObjectRef(Schema.kindOf(Port.class), UUID.fromString(route.getPortId())))
                    .map(Port.class::cast)
                    .filter(port -> !port.getRouterId().equals(route.getRouterId()))
                    .ifPresent(port -> report(
                            route,
                            "port",
                            port.getName(),
                            "is not on the route's router (expected a" + " port of that router)"));
        }
        if (!route.getGateway().isEmpty()) {
            boolean v4 = IpPrefix.parse(route.getDestination()).isV4();
            IpAddress gateway = IpAddress.parse(route.getGateway());
            if (gateway.isV4() != v4) {
                report(
                        route,
                        "gateway",
                        route.getGateway(),
                        "expected " + family(v4) + " like the destination " + route.getDestination());
            } else if (IpAddress.isGroup(gateway.high(), gateway.low())) {
                report(route, "gateway", route.getGateway(), "is a group address (expected unicast)");
            }
        }
    }

    /** Takes a problem: the object, its field, the value and what is expected instead. */
    interface Report {
        void of(Message object, String field, String value, String expected);
    }

    private static String family(boolean v4) {
        return v4 ? "an IPv4 address" : "an IPv6 address";
    }

    private String nameOfPort(String id) {
        return draft.get(new ObjectRef(Schema.kindOf(Port.class), UUID.fromString(id)))
                .map(Port.class::cast)
                .map(Port::getName)
                .orElse(id);
    }

    private void report(Message object, String field, String value, String expected) {
        ObjectKind kind = Schema.kindOf(object);
        problems.add(new Problem(null, kind.name(), kind.nameOf(object), field, value, expected, ObjectRef.of(object)));
    }
}
