package dev.weft.it.oracle;

import dev.weft.it.oracle.OracleRule.Layer;
import dev.weft.sim.Topology;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.random.RandomGenerator;

/**
 * A random network of both families: a router with three subnets, each a bridge with two VMs, one for either half of the
 * subnet's addresses; chains on some devices; translation towards the last subnet, which plays the outside; routes beyond
 * VMs. IPv6 has what IPv4 has, see {@link Addresses}.
 */
final class Plan {
    static final int SUBNETS = 3;
    static final int OUTSIDE = 3;
    private static final int PUBLIC = Addresses.of("10.0.3.200");
    private static final int OTHER_PUBLIC = Addresses.of("10.0.3.201");
    /** Beyond what rules are about: which of them a router takes must not matter to any. */
    private static final int FIRST_PUBLIC_PORT = 40_000;

    private static final int LAST_RULED_PORT = 39_000;
    private static final int PUBLIC_PORTS = 2_048;
    private static final int SHOP = Addresses.of("10.9.9.9");
    private static final int FLOATING = Addresses.of("10.0.3.220");
    private static final int UPPER_HALF = 128;

    private final RandomGenerator random;
    private final List<String> vms = List.of("v11", "v12", "v21", "v22", "v31", "v32");
    private final OracleRule.Edges edges =
            new OracleRule.Edges(new ArrayList<>(), new ArrayList<>(List.of(1, 53, 80, 1_000, 1_024, 20_000, 65_534)));
    private final Map<String, List<OracleRule>> chains = new LinkedHashMap<>();
    /** Chain by where it hangs: {@code port v11 inbound}. */
    private final Map<String, String> hooks = new LinkedHashMap<>();

    private final String stateful;
    private final String insideSource;
    private final String shopProtocol;
    private final int shopPort;
    private final int lastShopPort;
    private final int shopMemberPort;
    private final int shopMember;
    private final int floater;
    private final boolean hasFloating;
    private final boolean hasSpecial;
    private final int specialPort;
    private final List<String> routes = new ArrayList<>();
    private final List<String> kernelRoutes = new ArrayList<>();

    /** Public ports of a rule for a worker. */
    record Grant(String nat, int worker, String address, int first, int count) {}

    Plan(RandomGenerator random) {
        this.random = random;
        vms.forEach(vm -> edges.addresses().add(address(vm)));
        edges.addresses().addAll(List.of(SHOP, SHOP, Addresses.of("10.0.2.127"), Addresses.of("10.0.3.128")));
        insideSource = List.of("10.0.0.0/8", "10.0.1.0/24", "10.0.1.0/28", "10.0.2.128/25")
                .get(random.nextInt(4));
        shopProtocol = random.nextBoolean() ? "udp" : "tcp";
        shopPort = random.nextInt(2, LAST_RULED_PORT);
        lastShopPort = random.nextBoolean() ? shopPort : shopPort + random.nextInt(30);
        shopMemberPort = lastShopPort != shopPort ? 0 : random.nextInt(2, LAST_RULED_PORT);
        shopMember = address(pick(vms));
        stateful = random.nextBoolean() ? pick(vms) : "";
        hasFloating = random.nextInt(3) > 0;
        floater = Addresses.of(random.nextBoolean() ? "10.0.1.20" : "10.0.2.220");
        hasSpecial = random.nextInt(3) == 0;
        specialPort = random.nextInt(1, LAST_RULED_PORT);
        if (hasFloating) {
            edges.addresses().addAll(List.of(FLOATING, FLOATING, floater));
        }
        edges.ports().addAll(List.of(shopPort, lastShopPort, Math.max(1, shopMemberPort), specialPort));
        planRoutes();
        planChains();
    }

    private void planRoutes() {
        route("10.7.0.0/16", pick(vms));
        route("10.7.8.0/22", pick(vms));
        route("10.7.9.128/25", pick(vms));
        for (boolean v6 : new boolean[] {false, true}) {
            routes.add(Addresses.prefix("10.7.10.0/24", v6) + " blackhole");
            kernelRoutes.add("blackhole " + Addresses.prefix("10.7.10.0/24", v6));
            routes.add(Addresses.prefix("10.7.12.0/24", v6) + " reject");
            kernelRoutes.add("prohibit " + Addresses.prefix("10.7.12.0/24", v6));
        }
        for (String edge : List.of(
                "10.7.0.1",
                "10.7.8.0",
                "10.7.9.128",
                "10.7.9.255",
                "10.7.10.0",
                "10.7.11.255",
                "10.7.12.0",
                "10.7.12.255",
                "10.8.0.0")) {
            edges.addresses().add(Addresses.of(edge));
        }
    }

    private void route(String destination, String via) {
        for (boolean v6 : new boolean[] {false, true}) {
            String to = Addresses.prefix(destination, v6);
            String gateway = Addresses.text(address(via), v6);
            routes.add("%s port r-b%d via %s".formatted(to, subnet(via), gateway));
            kernelRoutes.add("%s via %s".formatted(to, gateway));
        }
    }

    private void planChains() {
        hang("bridge", "b" + random.nextInt(1, SUBNETS + 1), "inbound", "outbound");
        hang("router", "r", "local_redirect", "inbound", "forward", "outbound");
        hang("port", pick(vms), "inbound", "outbound");
        hang("port", pick(vms), "inbound", "outbound");
        for (Layer layer : Layer.values()) {
            chains.put(last(layer), OracleRule.chain(random, edges, layer, ""));
        }
    }

    private void hang(String kind, String name, String... fields) {
        Layer layer = kind.equals("router") ? Layer.ROUTER : Layer.BRIDGE;
        for (String field : fields) {
            if (random.nextInt(3) == 0) {
                String chain = (kind + "-" + name + "-" + field).replace('_', '-');
                chains.put(chain, OracleRule.chain(random, edges, layer, last(layer)));
                hooks.put(kind + " " + name + " " + field, chain);
            }
        }
    }

    private static String last(Layer layer) {
        return layer == Layer.ROUTER ? "router-last" : "bridge-last";
    }

    private <T> T pick(List<T> list) {
        return list.get(random.nextInt(list.size()));
    }

    // What there is.

    List<String> vms() {
        return vms;
    }

    OracleRule.Edges edges() {
        return edges;
    }

    String shopProtocol() {
        return shopProtocol;
    }

    int shopPort(RandomGenerator chooser) {
        return chooser.nextBoolean() ? shopPort : lastShopPort;
    }

    static int shop() {
        return SHOP;
    }

    static int subnet(String vm) {
        return vm.charAt(1) - '0';
    }

    static int address(String vm) {
        return Addresses.of("10.0." + subnet(vm) + ".10") + (vm.endsWith("2") ? UPPER_HALF : 0);
    }

    static int gateway(int subnet) {
        return Addresses.of("10.0." + subnet + ".1");
    }

    /** Of an address: 1, 2 or 3; 0: none of them. */
    static int subnetOf(int address) {
        int subnet = (address >>> 8) - (Addresses.of("10.0.0.0") >>> 8);
        return subnet >= 1 && subnet <= SUBNETS ? subnet : 0;
    }

    /** Who has an address of a subnet. */
    static String vmAt(int address) {
        return "v" + subnetOf(address) + ((address & 0xff) < UPPER_HALF ? 1 : 2);
    }

    boolean isStateful(String vm) {
        return vm.equals(stateful);
    }

    /** One that the router stands for: packets to it go to the router, whatever subnet it is of. */
    boolean isOutside(int address) {
        return address == PUBLIC || address == OTHER_PUBLIC || hasFloating && address == FLOATING;
    }

    boolean isFloating(int address) {
        return hasFloating && (address == FLOATING || address == floater);
    }

    /** Of translation. */
    boolean isPublic(int address) {
        return address == SHOP || isOutside(address);
    }

    /** Has a floating address. */
    boolean isFloater(int address) {
        return hasFloating && address == floater;
    }

    /** Addresses that hosts of subnets have; 0 and 255 are networks', 1 the router's. */
    Map<Integer, String> neighbours() {
        var all = new TreeMap<Integer, String>();
        for (int subnet = 1; subnet <= SUBNETS; subnet++) {
            for (int host = 2; host < 255; host++) {
                int address = Addresses.of("10.0." + subnet + ".0") + host;
                all.put(address, vmAt(address));
            }
        }
        return all;
    }

    static boolean isChosen(int address, int port, int protocol) {
        boolean mine = address == PUBLIC || address == OTHER_PUBLIC;
        return mine
                && (protocol == IpPacket.ICMP || port >= FIRST_PUBLIC_PORT && port < FIRST_PUBLIC_PORT + PUBLIC_PORTS);
    }

    // As Weft has it.

    Topology topology() {
        return Topology.build(t -> {
            t.router("r");
            for (int subnet = 1; subnet <= SUBNETS; subnet++) {
                t.bridge("b" + subnet)
                        .join(
                                "b" + subnet,
                                "r",
                                Addresses.text(gateway(subnet), false) + "/24",
                                Addresses.text(gateway(subnet), true) + "/120");
            }
            for (String vm : vms) {
                if (isStateful(vm)) {
                    t.statefulVm(vm, "b" + subnet(vm), "here");
                } else {
                    t.vm(vm, "b" + subnet(vm));
                }
            }
            routes.forEach(route -> t.route("r", route));
            chains.forEach((name, rules) ->
                    t.chain(name, rules.stream().map(OracleRule::weft).toArray(String[]::new)));
            hooks.forEach((where, chain) -> {
                String[] words = where.split(" ");
                t.hook(words[0], words[1], words[2], chain);
            });
            for (boolean v6 : new boolean[] {false, true}) {
                translate(t, v6);
            }
        });
    }

    /** Of a report: chains and where they hang. */
    String weftChains() {
        return hooks + " " + chains;
    }

    private void translate(Topology t, boolean v6) {
        String name = v6 ? "6" : "4";
        t.nat(
                "r",
                "out" + name,
                "source from %s out of r-b%d to %s ports %s"
                        .formatted(
                                Addresses.prefix(insideSource, v6),
                                OUTSIDE,
                                Addresses.text(PUBLIC, v6),
                                publicPorts()));
        t.nat(
                "r",
                "shop" + name,
                "destination for %s %s %d-%d to %s%s"
                        .formatted(
                                Addresses.text(SHOP, v6),
                                shopProtocol,
                                shopPort,
                                lastShopPort,
                                Addresses.text(shopMember, v6),
                                shopMemberPort == 0 ? "" : " ports " + shopMemberPort));
        if (hasFloating) {
            t.nat(
                    "r",
                    "float" + name,
                    "static from %s out of r-b%d to %s"
                            .formatted(Addresses.text(floater, v6), OUTSIDE, Addresses.text(FLOATING, v6)));
        }
        if (hasSpecial) {
            t.nat(
                    "r",
                    "special" + name,
                    "source from %s for %s udp %d out of r-b%d to %s ports %s"
                            .formatted(
                                    special(v6),
                                    Addresses.prefix("10.0.0.0/8", v6),
                                    specialPort,
                                    OUTSIDE,
                                    Addresses.text(OTHER_PUBLIC, v6),
                                    publicPorts()));
        }
    }

    private String special(boolean v6) {
        return Addresses.prefix(insideSource.replaceAll("/.*", "/30"), v6);
    }

    private static String publicPorts() {
        return FIRST_PUBLIC_PORT + "-" + (FIRST_PUBLIC_PORT + PUBLIC_PORTS - 1);
    }

    /** Each worker has its part of all ports. */
    List<Grant> grants(int workers) {
        var grants = new ArrayList<Grant>();
        int share = PUBLIC_PORTS / workers;
        for (int worker = 0; worker < workers; worker++) {
            for (boolean v6 : new boolean[] {false, true}) {
                int first = FIRST_PUBLIC_PORT + worker * share;
                grants.add(new Grant("out" + (v6 ? 6 : 4), worker, Addresses.text(PUBLIC, v6), first, share));
                grants.add(new Grant("special" + (v6 ? 6 : 4), worker, Addresses.text(OTHER_PUBLIC, v6), first, share));
            }
        }
        return grants;
    }

    // As the kernel has it.

    List<String> kernelRoutes() {
        return kernelRoutes;
    }

    String ruleset() {
        var bridge = new StringBuilder("table bridge filter {\n");
        var router = new StringBuilder("table inet filter {\n");
        chains.forEach((name, rules) -> (name.startsWith("router") ? router : bridge).append(chain(name, rules)));
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
                case "router local_redirect" -> router.append(base("prerouting", -60, "", chain));
                case "router inbound" -> router.append(base("prerouting", -50, "", chain));
                case "router forward" -> router.append(base("forward", 0, "", chain));
                case "router outbound" -> router.append(base("forward", 10, "", chain));
                default -> throw new AssertionError(where);
            }
        });
        return bridge.append("}\n")
                .append(router)
                .append(gate())
                .append("}\n")
                .append(translation(false))
                .append(translation(true))
                .toString();
    }

    /** A stateful port, as far as what is routed to it goes. */
    private String gate() {
        if (stateful.isEmpty()) {
            return "";
        }
        var text = new StringBuilder("chain gate {\n type filter hook forward priority 50;\n");
        for (boolean v6 : new boolean[] {false, true}) {
            String half = Addresses.prefix(Addresses.text(address(stateful) & -UPPER_HALF, false) + "/25", v6);
            String match = "oifname b%d rt %s nexthop %s".formatted(subnet(stateful), v6 ? "ip6" : "ip", half);
            text.append(match).append(" ct state invalid drop\n");
            text.append(match).append(" ct direction original drop\n");
        }
        return text.append("}\n").toString();
    }

    private String translation(boolean v6) {
        String ip = v6 ? "ip6" : "ip";
        String colon = v6 ? "[%s]:%s" : "%s:%s";
        String member = Addresses.text(shopMember, v6);
        var text = new StringBuilder(
                "table %s nat {\n chain pre {\n type nat hook prerouting priority dstnat;\n".formatted(ip));
        text.append("%s daddr %s %s dport %d-%d dnat to %s\n"
                .formatted(
                        ip,
                        Addresses.text(SHOP, v6),
                        shopProtocol,
                        shopPort,
                        lastShopPort,
                        shopMemberPort == 0 ? member : colon.formatted(member, shopMemberPort)));
        if (hasFloating) {
            text.append("%s daddr %s dnat to %s\n"
                    .formatted(ip, Addresses.text(FLOATING, v6), Addresses.text(floater, v6)));
        }
        text.append("}\nchain hairpin {\n type filter hook forward priority 30;\n");
        for (int subnet = 1; subnet <= SUBNETS; subnet++) {
            // Weft's hairpin: who is redirected back to where it is gets a public source.
            text.append("iifname b%d oifname b%d ct status dnat meta mark set 1\n".formatted(subnet, subnet));
        }
        text.append("}\n chain post {\n type nat hook postrouting priority srcnat;\n");
        for (String which : List.of("oifname b" + OUTSIDE, "meta mark 1")) {
            if (hasFloating) {
                text.append("%s %s saddr %s snat to %s\n"
                        .formatted(which, ip, Addresses.text(floater, v6), Addresses.text(FLOATING, v6)));
            }
            if (hasSpecial) {
                text.append("%s %s saddr %s %s daddr %s udp dport %d snat to %s\n"
                        .formatted(
                                which,
                                ip,
                                special(v6),
                                ip,
                                Addresses.prefix("10.0.0.0/8", v6),
                                specialPort,
                                colon.formatted(Addresses.text(OTHER_PUBLIC, v6), publicPorts())));
            }
            String source = which + " " + ip + " saddr " + Addresses.prefix(insideSource, v6);
            text.append("%s meta l4proto { tcp, udp } snat to %s\n"
                            .formatted(source, colon.formatted(Addresses.text(PUBLIC, v6), publicPorts())))
                    .append("%s meta l4proto %s snat to %s\n"
                            .formatted(source, v6 ? "icmpv6" : "icmp", Addresses.text(PUBLIC, v6)));
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
