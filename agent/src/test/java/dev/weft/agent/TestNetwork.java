package dev.weft.agent;

import com.google.protobuf.Message;
import dev.weft.topology.Transaction;
import dev.weft.topology.schema.Balancer;
import dev.weft.topology.schema.Bridge;
import dev.weft.topology.schema.Chain;
import dev.weft.topology.schema.Conditions;
import dev.weft.topology.schema.Health;
import dev.weft.topology.schema.Member;
import dev.weft.topology.schema.Nat;
import dev.weft.topology.schema.Pool;
import dev.weft.topology.schema.Port;
import dev.weft.topology.schema.Route;
import dev.weft.topology.schema.Router;
import dev.weft.topology.schema.Rule;
import dev.weft.topology.schema.SecurityGroup;
import dev.weft.topology.schema.SecurityRule;
import dev.weft.topology.schema.Service;
import dev.weft.topology.schema.ServiceBlock;
import dev.weft.topology.schema.ServiceEntry;
import dev.weft.topology.schema.ServicePort;
import dev.weft.topology.schema.ServiceRule;
import dev.weft.topology.schema.ServiceTable;
import dev.weft.topology.schema.Tenant;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/** Says a tenant's network in verbs: {@code net.bridge("left"); net.join("left", "r", "10.0.1.1/24")}. */
public final class TestNetwork {
    private final Tenant tenant;
    private final Map<String, Bridge> bridges = new HashMap<>();
    private final Map<String, Router> routers = new HashMap<>();
    private final List<Port> ports = new ArrayList<>();
    private final List<Route> routes = new ArrayList<>();
    private @Nullable ServiceTable serviceTable;
    private final List<Message> others = new ArrayList<>();

    public TestNetwork(String tenantName) {
        tenant = Tenant.newBuilder()
                .setId(id("tenant", tenantName))
                .setName(tenantName)
                .build();
    }

    public TestNetwork bridge(String name) {
        bridges.put(
                name,
                Bridge.newBuilder()
                        .setId(id("bridge", name))
                        .setName(name)
                        .setTenantId(tenant.getId())
                        .build());
        return this;
    }

    public TestNetwork router(String name) {
        routers.put(
                name,
                Router.newBuilder()
                        .setId(id("router", name))
                        .setName(name)
                        .setTenantId(tenant.getId())
                        .build());
        return this;
    }

    /** The router gets a port with these addresses, joined to a port of the bridge. */
    public TestNetwork join(String bridge, String router, String mac, String... addresses) {
        String above = id("port", router + "-" + bridge);
        String below = id("port", bridge + "-" + router);
        ports.add(port(router + "-" + bridge)
                .setRouterId(routers.get(router).getId())
                .setPeerId(below)
                .setMac(mac)
                .addAllAddresses(List.of(addresses))
                .build());
        ports.add(port(bridge + "-" + router)
                .setBridgeId(bridges.get(bridge).getId())
                .setPeerId(above)
                .build());
        return this;
    }

    /** A VM's port on a bridge, bound to an interface of a host. */
    public TestNetwork vm(String name, String bridge, UUID host, boolean stateful) {
        ports.add(port(name)
                .setBridgeId(bridges.get(bridge).getId())
                .setHostId(host.toString())
                .setInterface(name)
                .setStateful(stateful)
                .build());
        return this;
    }

    public UUID tenantId() {
        return UUID.fromString(tenant.getId());
    }

    /** As {@link #vm}, of a port that is more than plain. */
    public TestNetwork vm(String name, String bridge, UUID host, Consumer<Port.Builder> more) {
        vm(name, bridge, host, false);
        Port.Builder port = ports.removeLast().toBuilder();
        more.accept(port);
        ports.add(port.build());
        return this;
    }

    /** The tenant has all services, and the router these rules for one of them. */
    public TestNetwork service(String router, String prefix, ServiceRule... rules) {
        serviceTable = ServiceTable.newBuilder()
                .setId(id("service table", router))
                .setName(router)
                .setTenantId(tenant.getId())
                .addEntries(ServiceEntry.newBuilder().setPrefix(prefix).addAllRules(List.of(rules)))
                .build();
        routers.computeIfPresent(
                router,
                (name, message) -> message.toBuilder()
                        .setServiceTableId(id("service table", router))
                        .build());
        return this;
    }

    /** An address of the router that stands for a service, over TCP. */
    public TestNetwork serviceAddress(String name, String router, String service, String address, int l4Port) {
        others.add(Service.newBuilder()
                .setId(id("service", name))
                .setName(name)
                .setTenantId(tenant.getId())
                .setRouterId(routers.get(router).getId())
                .setService(service)
                .addAddresses(address)
                .addPorts(ServicePort.newBuilder().setProtocol("tcp").setPort(Integer.toString(l4Port)))
                .build());
        return this;
    }

    /** A router's port on an interface of a host. */
    public TestNetwork uplink(String name, String router, String mac, UUID host, String... addresses) {
        ports.add(port(name)
                .setRouterId(routers.get(router).getId())
                .setHostId(host.toString())
                .setInterface(name)
                .setMac(mac)
                .addAllAddresses(List.of(addresses))
                .build());
        return this;
    }

    public TestNetwork route(String router, String destination, String port, String gateway) {
        String name = router + "-" + routes.size();
        routes.add(Route.newBuilder()
                .setId(id("route", name))
                .setName(name)
                .setTenantId(tenant.getId())
                .setRouterId(routers.get(router).getId())
                .setDestination(destination)
                .setPortId(id("port", port))
                .setGateway(gateway)
                .build());
        return this;
    }

    /** The source of all that leaves the router by a port becomes this address. */
    public TestNetwork sourceNat(String name, String router, String port, String address, String l4Ports) {
        others.add(Nat.newBuilder()
                .setId(id("nat", name))
                .setName(name)
                .setTenantId(tenant.getId())
                .setRouterId(routers.get(router).getId())
                .setType(Nat.Type.SOURCE)
                .setPortId(id("port", port))
                .addAddresses(address)
                .setPorts(l4Ports)
                .build());
        return this;
    }

    /** A router's address that stands for one member, which is asked by TCP whether it is well. */
    public TestNetwork balancer(String name, String router, String address, String member, int memberPort) {
        others.add(Pool.newBuilder()
                .setId(id("pool", name))
                .setName(name)
                .setTenantId(tenant.getId())
                .addMembers(Member.newBuilder().setAddress(member).setPort(memberPort))
                .setHealth(Health.newBuilder()
                        .setType(Health.Type.TCP)
                        .setInterval(100)
                        .setTimeout(500)
                        .setFall(2)
                        .setRise(2))
                .build());
        others.add(Balancer.newBuilder()
                .setId(id("balancer", name))
                .setName(name)
                .setTenantId(tenant.getId())
                .setRouterId(routers.get(router).getId())
                .setAddress(address)
                .setProtocol("tcp")
                .setPort("80")
                .setPoolId(id("pool", name))
                .build());
        return this;
    }

    /** From now on a port is in a security group that lets in this protocol, or nothing when it is empty. */
    public TestNetwork guarded(String port, String protocol) {
        var group = SecurityGroup.newBuilder()
                .setId(id("security group", port))
                .setName(port)
                .setTenantId(tenant.getId());
        if (!protocol.isEmpty()) {
            group.addIngress(SecurityRule.newBuilder().addProtocol(protocol));
        }
        others.removeIf(SecurityGroup.class::isInstance);
        others.add(group.build());
        ports.replaceAll(each -> each.getName().equals(port)
                ? each.toBuilder()
                        .clearSecurityGroupIds()
                        .addSecurityGroupIds(group.getId())
                        .build()
                : each);
        return this;
    }

    /** From now on no connection of this protocol to the VM behind a port begins, and hosts note those that try. */
    public TestNetwork dropsAndLogs(String port, String protocol) {
        drops(port, protocol);
        Chain chain = (Chain) others.removeLast();
        Rule rule = chain.getRules(0);
        others.add(chain.toBuilder()
                .setRules(
                        0,
                        rule.toBuilder()
                                .setMatch(rule.getMatch().toBuilder().addConnection(Conditions.Connection.NEW))
                                .setLog(true))
                .build());
        return this;
    }

    /** From now on nothing of this protocol goes out to the VM behind a port. */
    public TestNetwork drops(String port, String protocol) {
        String name = "no-" + protocol;
        others.add(Chain.newBuilder()
                .setId(id("chain", name))
                .setName(name)
                .setTenantId(tenant.getId())
                .addRules(Rule.newBuilder()
                        .setMatch(Conditions.newBuilder().addProtocol(protocol))
                        .setAction(Rule.Action.DROP))
                .build());
        ports.replaceAll(each -> each.getName().equals(port)
                ? each.toBuilder().setOutboundChainId(id("chain", name)).build()
                : each);
        return this;
    }

    /** From now on nothing goes out to the VM behind a port of TCP connections that are closing. */
    public TestNetwork dropsClosing(String port) {
        drops(port, "tcp");
        Chain chain = (Chain) others.removeLast();
        Rule rule = chain.getRules(0);
        others.add(chain.toBuilder()
                .setRules(
                        0, rule.toBuilder().setMatch(rule.getMatch().toBuilder().addTcp(Conditions.Tcp.CLOSING)))
                .build());
        return this;
    }

    public UUID natId(String name) {
        return UUID.fromString(id("nat", name));
    }

    public UUID portId(String name) {
        return UUID.fromString(id("port", name));
    }

    public UUID routerId(String name) {
        return UUID.fromString(id("router", name));
    }

    public UUID bridgeId(String name) {
        return UUID.fromString(id("bridge", name));
    }

    /** All of it, in one transaction. */
    public Transaction transaction() {
        var transaction = Transaction.builder().put(tenant);
        if (serviceTable != null) {
            transaction.put(ServiceBlock.newBuilder()
                    .setId(id("service block", "all"))
                    .setName("all")
                    .setOwnerId(tenant.getId())
                    .setPrefix("*")
                    .build());
            transaction.put(serviceTable);
        }
        bridges.values().forEach(transaction::put);
        routers.values().forEach(transaction::put);
        ports.forEach(transaction::put);
        routes.forEach(transaction::put);
        others.forEach(transaction::put);
        return transaction.build();
    }

    private Port.Builder port(String name) {
        return Port.newBuilder().setId(id("port", name)).setName(name).setTenantId(tenant.getId());
    }

    private static String id(String kind, String name) {
        return UUID.nameUUIDFromBytes((kind + " " + name).getBytes(StandardCharsets.UTF_8))
                .toString();
    }
}
