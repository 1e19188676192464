package dev.weft.it.oracle;

import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.function.UnaryOperator;
import java.util.random.RandomGenerator;

/**
 * First packets of VMs, with values at the edges of what the network looks at, or one beside. Each has a source end of
 * its own: two connections with one answer are another matter than what a network does with a packet.
 */
final class Packets {
    private final RandomGenerator random;
    private final Plan plan;
    private final UnaryOperator<String> macs;
    private final Set<String> used = new HashSet<>();

    Packets(RandomGenerator random, Plan plan, UnaryOperator<String> macs) {
        this.random = random;
        this.plan = plan;
        this.macs = macs;
    }

    Seen next() {
        while (true) {
            String from = plan.vms().get(random.nextInt(plan.vms().size()));
            IpPacket packet = packet(from);
            String to = receiver(from, packet.dst());
            if (isSensible(from, to, packet)
                    && used.add(packet.v6() + " " + packet.protocol() + " " + packet.src() + " " + packet.srcPort())) {
                return new Seen(from, macs.apply(from), macs.apply(to), packet);
            }
        }
    }

    private IpPacket packet(String from) {
        boolean v6 = random.nextBoolean();
        int src = Plan.address(from);
        int other = near(plan.edges().addresses());
        if (random.nextInt(3) == 0
                && Plan.subnetOf(other) != 0
                && Plan.vmAt(other).equals(from)) {
            src = other;
        }
        int dst = near(plan.edges().addresses());
        int protocol = List.of(IpPacket.UDP, IpPacket.UDP, IpPacket.TCP, IpPacket.TCP, IpPacket.ICMP)
                .get(random.nextInt(5));
        int dstPort = near(plan.edges().ports());
        if (random.nextInt(6) == 0) {
            dst = Plan.shop();
            protocol = plan.shopProtocol().equals("udp") ? IpPacket.UDP : IpPacket.TCP;
            dstPort = plan.shopPort(random) + (random.nextInt(4) == 0 ? random.nextInt(-1, 2) : 0);
        }
        int srcPort = random.nextInt(3) == 0 ? near(plan.edges().ports()) : random.nextInt(1, 0xffff);
        int ttl = random.nextInt(12) == 0 ? random.nextInt(1, 3) : IpPacket.TTL;
        boolean echo = protocol == IpPacket.ICMP;
        int detail = echo
                ? IpPacket.echoRequest(v6)
                : protocol == IpPacket.TCP ? random.nextInt(6) == 0 ? IpPacket.ACK : IpPacket.SYN : 0;
        return new IpPacket(
                v6, src, dst, protocol, port(srcPort), echo ? port(srcPort) : port(dstPort), ttl, detail, null);
    }

    private static int port(int near) {
        return Math.max(1, Math.min(0xffff, near));
    }

    /** Whose MAC it is sent to. */
    private String receiver(String from, int dst) {
        boolean onLink = Plan.subnetOf(dst) == Plan.subnet(from)
                && !plan.isOutside(dst)
                && dst != Plan.gateway(Plan.subnet(from));
        return onLink ? Plan.vmAt(dst) : "r-b" + Plan.subnet(from);
    }

    /** Not what the two are known to treat differently, see docs/semantics.md. */
    private boolean isSensible(String from, String to, IpPacket packet) {
        int host = packet.dst() & 0xff;
        int srcHost = packet.src() & 0xff;
        boolean single = Plan.subnetOf(packet.dst()) == 0 || host != 0 && host != 0xff;
        boolean toRouter = Plan.subnetOf(packet.dst()) != 0 && host == 1;
        boolean bridged = !to.startsWith("r");
        return single
                && srcHost > 1
                && srcHost < 0xff
                && !plan.isOutside(packet.src())
                && !to.equals(from)
                && !(toRouter && packet.protocol() != IpPacket.ICMP)
                && !(bridged && plan.isStateful(to))
                && !(plan.isFloater(packet.dst()) && Plan.subnet(from) == Plan.OUTSIDE);
    }

    private int near(List<Integer> edges) {
        return edges.get(random.nextInt(edges.size())) + random.nextInt(-1, 2);
    }
}
