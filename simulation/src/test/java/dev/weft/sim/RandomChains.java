package dev.weft.sim;

import dev.weft.base.IpAddress;
import dev.weft.base.IpPrefix;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import java.util.TreeMap;
import java.util.random.RandomGenerator;

/** Random chains on the devices of a random network; most let most packets through. */
final class RandomChains {
    private static final List<String> BRIDGE_HOOKS = List.of("inbound", "outbound");
    private static final List<String> ROUTER_HOOKS = List.of("local_redirect", "inbound", "forward", "outbound");
    private static final List<String> GROUPS = List.of("g0", "g1");

    private final RandomGenerator random;
    private final List<IpAddress> addresses;
    /** A rule jumps to chains that come later only. */
    private final int count;

    private final List<String> names = new ArrayList<>();
    private final Set<String> guardNames = new LinkedHashSet<>();

    RandomChains(RandomGenerator random, List<IpAddress> addresses) {
        this.random = random;
        this.addresses = addresses;
        count = random.nextInt(6);
    }

    void plan(Topology t, List<String> bridges, List<String> routers, List<String> vms) {
        for (String group : GROUPS) {
            group(t, group);
        }
        t.portGroup("pg", vms.getFirst());
        for (int i = count - 1; i >= 0; i--) {
            names.add("c" + i);
            chain(t, i, vms);
        }
        for (int i = 0; i < count; i++) {
            hook(t, bridges, routers, vms);
        }
        if (count > 0 && random.nextBoolean()) {
            securityGroup(t, "sg0");
            securityGroup(t, "sg1");
            guard(t, vms);
        }
    }

    private void securityGroup(Topology t, String name) {
        var rules = new ArrayList<String>();
        for (int i = random.nextInt(4); i > 0; i--) {
            rules.add((random.nextInt(3) > 0 ? "in" : "out")
                    + pick(List.of("", " v4", " udp", " udp 53", " tcp " + ports(53), " icmp 8"))
                    + remote());
        }
        if (random.nextInt(4) == 0) {
            rules.add("stateless");
        }
        t.securityGroup(name, rules.toArray(new String[0]));
        guardNames.add(name);
    }

    private List<String> guards() {
        return List.copyOf(guardNames);
    }

    private String remote() {
        return switch (random.nextInt(5)) {
            case 0 -> " from " + network();
            case 1 -> " from addresses " + pick(GROUPS);
            case 2 -> guards().isEmpty() ? "" : " from group " + pick(guards());
            default -> "";
        };
    }

    /** A port is in one group, or both, or none any more. */
    private void guard(Topology t, List<String> vms) {
        String vm = pick(vms);
        if (!guards().isEmpty() && !t.isStateful(vm)) {
            t.guard(vm, guards().subList(0, random.nextInt(guards().size() + 1)).toArray(new String[0]));
        }
    }

    void change(Topology t, List<String> bridges, List<String> routers, List<String> vms) {
        if (count == 0) {
            return;
        }
        switch (random.nextInt(6)) {
            case 4 -> guard(t, vms);
            case 5 -> {
                if (!guards().isEmpty()) {
                    securityGroup(t, pick(guards()));
                }
            }
            case 0 -> group(t, pick(GROUPS));
            case 1 -> hook(t, bridges, routers, vms);
            default -> chain(t, random.nextInt(count), vms);
        }
    }

    private void group(Topology t, String name) {
        var members = new String[1 + random.nextInt(3)];
        for (int i = 0; i < members.length; i++) {
            members[i] = network();
        }
        t.addressGroup(name, members);
    }

    private void hook(Topology t, List<String> bridges, List<String> routers, List<String> vms) {
        String chain = random.nextInt(4) == 0 ? "" : pick(names);
        switch (random.nextInt(3)) {
            case 0 -> t.hook("port", pick(vms), pick(BRIDGE_HOOKS), chain);
            case 1 -> t.hook("bridge", pick(bridges), pick(BRIDGE_HOOKS), chain);
            default -> {
                if (!routers.isEmpty()) {
                    t.hook("router", pick(routers), pick(ROUTER_HOOKS), chain);
                }
            }
        }
    }

    private void chain(Topology t, int number, List<String> vms) {
        var rules = new LinkedHashMap<String, String>(); // none twice under the same conditions: it would be refused
        for (int i = random.nextInt(6); i > 0; i--) {
            rules.putIfAbsent(conditions(vms), action(number));
        }
        List<String> texts = new ArrayList<>();
        rules.forEach((conditions, action) -> texts.add(conditions + action));
        t.chain("c" + number, texts.toArray(new String[0]));
    }

    private String action(int number) {
        return switch (random.nextInt(8)) {
            case 0, 1, 2 -> "accept";
            case 3 -> "reject";
            case 4 -> "return";
            case 5, 6 -> {
                String later = "c" + (number + 1 + random.nextInt(2));
                yield number + 2 < count ? (random.nextInt(3) > 0 ? "jump " : "goto ") + later : "drop";
            }
            default -> "drop";
        };
    }

    /** Each field once, so that no rule contradicts itself. */
    private String conditions(List<String> vms) {
        boolean sixes = random.nextInt(5) == 0;
        boolean ports = random.nextBoolean();
        var fields = new TreeMap<Integer, String>();
        for (int i = 1 + random.nextInt(3); i > 0; i--) {
            int field = random.nextInt(ports ? 13 : 9);
            fields.put(field, (random.nextInt(5) == 0 && field != 8 ? "!" : "") + condition(field, sixes, ports, vms));
        }
        return (random.nextInt(12) == 0 ? "invert " : "") + String.join(" ", fields.values()) + " ";
    }

    private String condition(int field, boolean sixes, boolean ports, List<String> vms) {
        return switch (field) {
            case 0 -> "from " + (sixes ? "fd00:" + random.nextInt(4) + "::/32" : network());
            case 1 -> "to " + (sixes ? "fd00:" + random.nextInt(4) + "::/32" : network());
            case 2 -> "from-group " + pick(GROUPS);
            case 3 -> "to-group " + pick(GROUPS);
            case 4 -> "protocol " + pick(ports ? List.of("udp", "tcp") : List.of("udp", "tcp", "icmp", "47"));
            case 5 -> "in-group pg";
            case 6 -> "out " + vms.getFirst();
            case 7 -> "vlan " + pick(List.of("none", "7", "0-6"));
            case 8 -> "fragments " + pick(List.of("HEADER", "UNFRAGMENTED"));
            case 9 -> "dport " + ports(53);
            case 11 -> "connection " + pick(List.of("new", "forward,new", "answer", "none", "forward,answer,related"));
            case 12 -> "tcp " + pick(List.of("opening", "open", "closing"));
            default -> "sport " + ports(1000);
        };
    }

    private String ports(int near) {
        int low = near - 1 + random.nextInt(3);
        int high = low + random.nextInt(3);
        return high == low || random.nextBoolean() ? Integer.toString(low) : low + "-" + high;
    }

    /** Around an address that packets have; its edges become such addresses. */
    private String network() {
        IpAddress inside = addresses.get(random.nextInt(addresses.size()));
        while (!inside.isV4()) {
            inside = addresses.get(random.nextInt(addresses.size()));
        }
        var network = IpPrefix.of(inside, 16 + random.nextInt(17));
        addresses.add(new IpAddress(0, network.low() | ~IpPrefix.lowMask(network.bits())));
        return network.bits() == 128 ? network.network().toString() : network.toString();
    }

    private <T> T pick(List<T> list) {
        return list.get(random.nextInt(list.size()));
    }
}
