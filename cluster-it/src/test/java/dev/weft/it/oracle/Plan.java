package dev.weft.it.oracle;

import dev.weft.sim.Topology;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.random.RandomGenerator;

/**
 * A random network: a router with three subnets, each a bridge with two VMs; chains on some devices; translation
 * towards the last subnet, which plays the outside; routes beyond VMs.
 */
final class Plan {
    static final String PUBLIC = "10.0.3.200";
    static final int FIRST_PUBLIC_PORT = 20_000;
    static final int PUBLIC_PORTS = 2_048;
    private static final String SHOP = "10.9.9.9";
    private static final int OUTSIDE = 3;
    private static final String LAST_CHAIN = "last";

    private final RandomGenerator random;
    private final List<String> vms = List.of("v11", "v12", "v21", "v22", "v31", "v32");
    private final OracleRule.Edges edges =
            new OracleRule.Edges(new ArrayList<>(), new ArrayList<>(List.of(1, 53, 80, 1_000, 1_024, 20_000, 65_534)));
    private final Map<String, List<OracleRule>> chains = new LinkedHashMap<>();
    /** Chain by where it hangs: {@code port v11 inbound}. */
    private final Map<String, String> hooks = new LinkedHashMap<>();

    private final String insideSource;
    private final String shopProtocol;
    private final int shopPort;
    private final int shopMemberPort;
    private final String shopMember;
    private final List<String> routes = new ArrayList<>();
    private final List<String> kernelRoutes = new ArrayList<>();

    Plan(RandomGenerator random) {
        this.random = random;
        vms.forEach(vm -> edges.addresses().add(Addresses.of(address(vm))));
        edges.addresses().add(Addresses.of(SHOP));
        insideSource = List.of("10.0.0.0/8", "10.0.1.0/24", "10.0.1.0/28", "10.0.2.10/31")
                .get(random.nextInt(4));
        shopProtocol = random.nextBoolean() ? "udp" : "tcp";
        shopPort = random.nextInt(2, 65_534);
        shopMemberPort = random.nextInt(2, 65_534);
        shopMember = pick(vms);
        edges.ports().addAll(List.of(shopPort, shopMemberPort));
        planRoutes();
        planChains();
    }

    private void planRoutes() {
        route("10.7.0.0/16", pick(vms));
        route("10.7.8.0/22", pick(vms));
        route("10.7.9.128/25", pick(vms));
        routes.add("10.7.10.0/24 blackhole");
        kernelRoutes.add("blackhole 10.7.10.0/24");
        for (String edge : List.of("10.7.0.1", "10.7.8.0", "10.7.9.128", "10.7.9.255", "10.7.10.0", "10.7.11.255")) {
            edges.addresses().add(Addresses.of(edge));
        }
    }

    private void route(String destination, String via) {
        routes.add("%s port r-b%d via %s".formatted(destination, subnet(via), address(via)));
        kernelRoutes.add("%s via %s".formatted(destination, address(via)));
    }

    private void planChains() {
        hang("bridge", "b" + random.nextInt(1, 4), "inbound", "outbound");
        hang("router", "r", "local_redirect", "inbound", "forward", "outbound");
        hang("port", pick(vms), "inbound", "outbound");
        hang("port", pick(vms), "inbound", "outbound");
        chains.put("last-l2", OracleRule.chain(random, edges, false, ""));
        chains.put("last-router", OracleRule.chain(random, edges, true, ""));
    }

    private void hang(String kind, String name, String... fields) {
        for (String field : fields) {
            if (random.nextInt(3) == 0) {
                boolean router = kind.equals("router");
                String chain = (kind + "-" + name + "-" + field).replace('_', '-');
                chains.put(chain, OracleRule.chain(random, edges, router, LAST_CHAIN + (router ? "-router" : "-l2")));
                hooks.put(kind + " " + name + " " + field, chain);
            }
        }
    }

    private <T> T pick(List<T> list) {
        return list.get(random.nextInt(list.size()));
    }

    List<String> vms() {
        return vms;
    }

    OracleRule.Edges edges() {
        return edges;
    }

    /** Where the outside finds the shop, for packets that aim there. */
    String shop() {
        return SHOP;
    }

    String shopProtocol() {
        return shopProtocol;
    }

    int shopPort() {
        return shopPort;
    }

    static int subnet(String vm) {
        return vm.charAt(1) - '0';
    }

    static String address(String vm) {
        return "10.0.%d.%d".formatted(subnet(vm), 9 + vm.charAt(2) - '0');
    }

    static String gateway(int subnet) {
        return "10.0." + subnet + ".1";
    }

    List<String> kernelRoutes() {
        return kernelRoutes;
    }

    /** As Weft has it. */
    Topology topology() {
        var net = Topology.build(t -> {
            t.router("r");
            for (int subnet = 1; subnet <= 3; subnet++) {
                t.bridge("b" + subnet).join("b" + subnet, "r", gateway(subnet) + "/24");
            }
            vms.forEach(vm -> t.vm(vm, "b" + subnet(vm)));
            routes.forEach(route -> t.route("r", route));
            chains.forEach((name, rules) ->
                    t.chain(name, rules.stream().map(OracleRule::weft).toArray(String[]::new)));
            hooks.forEach((where, chain) -> {
                String[] words = where.split(" ");
                t.hook(words[0], words[1], words[2], chain);
            });
            t.nat(
                    "r",
                    "out",
                    "source from %s out of r-b%d to %s ports %d-%d"
                            .formatted(
                                    insideSource,
                                    OUTSIDE,
                                    PUBLIC,
                                    FIRST_PUBLIC_PORT,
                                    FIRST_PUBLIC_PORT + PUBLIC_PORTS - 1));
            t.nat(
                    "r",
                    "shop",
                    "destination for %s %s %d to %s ports %d"
                            .formatted(SHOP, shopProtocol, shopPort, address(shopMember), shopMemberPort));
        });
        net.grant("out", PUBLIC, FIRST_PUBLIC_PORT, PUBLIC_PORTS);
        vms.forEach(vm -> net.settle(vm, address(vm)));
        return net;
    }

    /** As nftables has it. */
    String ruleset() {
        var bridge = new StringBuilder("table bridge filter {\n");
        var ip = new StringBuilder("table ip filter {\n");
        chains.forEach((name, rules) -> {
            if (!name.startsWith("router") && !name.equals("last-router")) {
                bridge.append(chain(name, rules));
            }
            if (name.startsWith("router") || name.equals("last-router")) {
                ip.append(chain(name, rules));
            }
        });
        hooks.forEach((where, chain) -> {
            String[] words = where.split(" ");
            switch (words[0] + " " + words[2]) {
                case "port inbound" -> bridge.append(base("prerouting", -20, "iifname " + words[1], chain));
                case "port outbound" -> bridge.append(base("postrouting", 20, "oifname " + words[1], chain));
                case "bridge inbound" ->
                    bridge.append(base("prerouting", -10, "iifname " + ports(words[1]), chain))
                            .append(base("output", -10, "oifname " + ports(words[1]), chain));
                case "bridge outbound" ->
                    bridge.append(base("input", 10, "iifname " + ports(words[1]), chain))
                            .append(base("forward", 10, "iifname " + ports(words[1]), chain))
                            .append(base("output", 10, "oifname " + ports(words[1]), chain));
                case "router local_redirect" -> ip.append(base("prerouting", -60, "", chain));
                case "router inbound" -> ip.append(base("prerouting", -50, "", chain));
                case "router forward" -> ip.append(base("forward", 0, "", chain));
                case "router outbound" -> ip.append(base("forward", 10, "", chain));
                default -> throw new AssertionError(where);
            }
        });
        return bridge.append("}\n")
                .append(ip)
                .append("}\n")
                .append(translation())
                .toString();
    }

    private String translation() {
        String source = "ip saddr " + insideSource;
        String range = PUBLIC + ":" + FIRST_PUBLIC_PORT + "-" + (FIRST_PUBLIC_PORT + PUBLIC_PORTS - 1);
        var text = new StringBuilder("table ip nat {\n chain pre {\n type nat hook prerouting priority dstnat;\n")
                .append("ip daddr %s %s dport %d dnat to %s:%d\n}\n"
                        .formatted(SHOP, shopProtocol, shopPort, address(shopMember), shopMemberPort))
                .append("chain hairpin {\n type filter hook forward priority 30;\n");
        for (int subnet = 1; subnet <= 3; subnet++) {
            // Weft's hairpin: who is redirected back to where it is gets a public source.
            text.append("iifname b%d oifname b%d ct status dnat meta mark set 1\n".formatted(subnet, subnet));
        }
        text.append("}\n chain post {\n type nat hook postrouting priority srcnat;\n");
        for (String which : List.of("oifname b" + OUTSIDE, "meta mark 1")) {
            text.append("%s %s meta l4proto { tcp, udp } snat to %s\n".formatted(which, source, range))
                    .append("%s %s meta l4proto icmp snat to %s\n".formatted(which, source, PUBLIC));
        }
        return text.append("}\n}\n").toString();
    }

    private String ports(String bridge) {
        return "{ "
                + String.join(
                        ", ",
                        vms.stream()
                                .filter(vm -> bridge.equals("b" + subnet(vm)))
                                .toList()) + " }";
    }

    private static String chain(String name, List<OracleRule> rules) {
        return "chain " + name + " {\n"
                + String.join("\n", rules.stream().map(OracleRule::nft).toList()) + "\n}\n";
    }

    private static String base(String hook, int priority, String match, String chain) {
        return "chain at-%s-%s { type filter hook %s priority %d; %s jump %s; }\n"
                .formatted(hook, chain, hook, priority, match, chain);
    }
}
