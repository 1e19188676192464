package dev.weft.it.oracle;

import java.util.List;
import java.util.random.RandomGenerator;

/** Packets of VMs, with values at the edges of what the network looks at, or one beside. */
final class Packets {
    private final RandomGenerator random;
    private final Plan plan;

    Packets(RandomGenerator random, Plan plan) {
        this.random = random;
        this.plan = plan;
    }

    /** Its port is where it is sent from. */
    Fate next() {
        String from = plan.vms().get(random.nextInt(plan.vms().size()));
        int src = Addresses.of(Plan.address(from));
        if (random.nextInt(10) == 0) {
            int other = near(plan.edges().addresses());
            src = other >>> 8 == src >>> 8 && isHost(other) ? other : src;
        }
        int dst = near(plan.edges().addresses());
        int protocol = List.of(Fate.UDP, Fate.UDP, Fate.TCP, Fate.ICMP).get(random.nextInt(4));
        int dstPort = near(plan.edges().ports()) & 0xffff;
        if (random.nextInt(6) == 0) {
            dst = Addresses.of(plan.shop());
            protocol = plan.shopProtocol().equals("udp") ? Fate.UDP : Fate.TCP;
            dstPort = plan.shopPort() + (random.nextInt(4) == 0 ? random.nextInt(-1, 2) : 0);
        }
        int srcPort = protocol == Fate.ICMP
                ? random.nextInt(1, 1 << 16)
                : Math.max(1, near(plan.edges().ports()));
        int ttl = random.nextInt(12) == 0 ? random.nextInt(1, 3) : 64;
        return new Fate(
                from,
                src,
                dst,
                protocol,
                srcPort & 0xffff,
                protocol == Fate.ICMP ? srcPort & 0xffff : Math.max(1, dstPort),
                ttl);
    }

    /** A network's first and last address and the router's own are no VM's. */
    private static boolean isHost(int address) {
        int last = address & 0xff;
        return last != 0 && last != 1 && last != 0xff;
    }

    private int near(List<Integer> edges) {
        return edges.get(random.nextInt(edges.size())) + random.nextInt(-1, 2);
    }
}
