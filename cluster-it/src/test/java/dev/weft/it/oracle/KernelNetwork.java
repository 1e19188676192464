package dev.weft.it.oracle;

import static org.awaitility.Awaitility.await;

import dev.weft.agent.lab.Commands;
import dev.weft.agent.lab.LabException;
import dev.weft.base.MacAddress;
import dev.weft.datapath.link.Links;
import dev.weft.datapath.link.NetworkNamespace;
import dev.weft.datapath.link.PacketSocket;
import dev.weft.sim.packet.Frames;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.function.UnaryOperator;

/** A plan as the kernel realises it: one namespace routes, the other holds the VMs' ends of the cables. */
final class KernelNetwork implements AutoCloseable {
    private static final Duration LIMIT = Duration.ofSeconds(10);
    private static final int LONGEST_FRAME = 2_048;
    /** Local experimental (IEEE 802): nobody else's. */
    private static final int BARRIER = 0x88b5;
    /** How often to look again for what should be there. */
    private static final int GRACE = 1_000;

    private final String router;
    private final String cables;
    private final Plan plan;
    private final UnaryOperator<String> macs;
    private final Map<String, PacketSocket> sockets = new LinkedHashMap<>();
    private final Arena arena = Arena.ofConfined();
    /** Number of the last frames that tell what is there by now. */
    private int barrier;

    private final MemorySegment buffer = arena.allocate(LONGEST_FRAME, 8);

    /** @param macs of a VM, or of a router's port {@code r-b1} */
    KernelNetwork(String prefix, Plan plan, UnaryOperator<String> macs) {
        this.router = prefix + "-router";
        this.cables = prefix + "-cables";
        this.plan = plan;
        this.macs = macs;
        run("", "ip", "netns", "add", router);
        run("", "ip", "netns", "add", cables);
        try {
            build();
        } catch (RuntimeException | Error e) {
            close();
            throw e;
        }
    }

    /** Why there can be none here, or empty. */
    static String obstacle() {
        try {
            Commands.expect("nft", "--version");
            return "";
        } catch (LabException e) {
            return "nft does not run (package nftables): " + e.getMessage();
        }
    }

    private void build() {
        for (String namespace : List.of(router, cables)) {
            inside(namespace, "", "sh", "-c", """
                    cd /proc/sys/net
                    echo 0 > ipv4/conf/all/send_redirects; echo 0 > ipv4/conf/default/send_redirects
                    echo 0 > ipv4/conf/all/rp_filter; echo 0 > ipv4/conf/default/rp_filter
                    for family in ip ip6 arp; do
                        [ ! -e bridge/bridge-nf-call-${family}tables ] || echo 0 > bridge/bridge-nf-call-${family}tables
                    done
                    """);
        }
        inside(cables, "", "sh", "-c", """
                cd /proc/sys/net/ipv6/conf
                echo 1 > all/disable_ipv6; echo 1 > default/disable_ipv6
                """);
        // No link-local addresses, so no redirects; errors without end and from where the packet came in.
        inside(router, "", "sh", "-c", """
                cd /proc/sys/net
                echo 1 > ipv4/ip_forward; echo 1 > ipv6/conf/all/forwarding
                echo 1 > ipv6/conf/default/addr_gen_mode
                echo 0 > ipv6/conf/default/accept_dad
                echo 0 > ipv4/icmp_ratemask; echo 0 > ipv6/icmp/ratelimit
                echo 1 > ipv4/icmp_errors_use_inbound_ifaddr
                """);
        var routing = new ArrayList<String>();
        routing.add("link set lo up");
        for (int subnet = 1; subnet <= Plan.SUBNETS; subnet++) {
            routing.add("link add b%d address %s type bridge mcast_snooping 0"
                    .formatted(subnet, macs.apply("r-b" + subnet)));
            routing.add("addr add %s/24 dev b%d".formatted(Addresses.text(Plan.gateway(subnet), false), subnet));
            routing.add("addr add %s/120 dev b%d nodad".formatted(Addresses.text(Plan.gateway(subnet), true), subnet));
            routing.add("link set b%d up".formatted(subnet));
        }
        var fdb = new StringBuilder();
        var ends = new ArrayList<String>();
        for (String vm : plan.vms()) {
            String bridge = "b" + Plan.subnet(vm);
            routing.add("link add %s type veth peer name %s netns %s".formatted(vm, vm, cables));
            routing.add("link set %s master %s up".formatted(vm, bridge));
            fdb.append("fdb add %s dev %s master static\n".formatted(macs.apply(vm), vm));
            ends.add("link set %s arp off up".formatted(vm));
        }
        plan.neighbours().forEach((address, vm) -> {
            for (boolean v6 : new boolean[] {false, true}) {
                routing.add("neigh add %s lladdr %s dev b%d nud permanent"
                        .formatted(Addresses.text(address, v6), macs.apply(vm), Plan.subnet(vm)));
            }
        });
        run(String.join("\n", routing) + "\n", "ip", "-n", router, "-batch", "-");
        run(String.join("\n", ends) + "\n", "ip", "-n", cables, "-batch", "-");
        // A route needs its way out up.
        run(
                String.join(
                                "\n",
                                plan.kernelRoutes().stream()
                                        .map(route -> "route add " + route)
                                        .toList()) + "\n",
                "ip",
                "-n",
                router,
                "-batch",
                "-");
        run(fdb.toString(), "bridge", "-n", router, "-batch", "-");
        inside(router, plan.ruleset(), "nft", "-f", "-");
        // Sequence numbers are not looked at.
        inside(router, "", "sh", "-c", "echo 1 > /proc/sys/net/netfilter/nf_conntrack_tcp_be_liberal");
        var namespace = NetworkNamespace.named(cables);
        try (var links = Links.in(namespace)) {
            for (String vm : plan.vms()) {
                sockets.put(vm, PacketSocket.open(namespace, links.get(vm).ifindex()));
            }
        }
        awaitLinks();
    }

    /** Links come up a while after they are told to, and lose what they are given before. */
    private void awaitLinks() {
        int links = Plan.SUBNETS + plan.vms().size();
        await().pollInSameThread().atMost(LIMIT).until(() -> {
            var result = Commands.run(LIMIT, "", List.of("ip", "-n", router, "-oneline", "link", "show"));
            return result.output()
                            .lines()
                            .filter(link -> link.contains("state UP"))
                            .count()
                    == links;
        });
        await().pollInSameThread().pollDelay(Duration.ZERO).atMost(LIMIT).until(() -> arrived(new ArrayList<>()));
    }

    /** Whether frames of all VMs come to their neighbours by now; what else came goes to the list. */
    private boolean arrived(List<Seen> seen) {
        barrier++;
        plan.vms().forEach(vm -> send(vm, barrier(vm)));
        var awaited = new ArrayList<>(plan.vms());
        collect(seen, awaited);
        return awaited.isEmpty();
    }

    private static void inside(String namespace, String input, String... command) {
        var all = new ArrayList<>(List.of("nsenter", "--net=/run/netns/" + namespace, "--"));
        all.addAll(List.of(command));
        run(input, all.toArray(String[]::new));
    }

    private static void run(String input, String... command) {
        var result = Commands.run(LIMIT, input, List.of(command));
        if (!result.ok()) {
            throw new AssertionError(String.join(" ", command) + ": " + result.output() + "\n" + input);
        }
    }

    /**
     * All frames that come to VMs because of this one. A frame of another protocol follows from every VM to every other on
     * its bridge: when those are there, nothing before them is still on its way.
     *
     * @param expected how many there should be, to be waited for a while
     */
    List<Seen> send(Seen frame, int expected) {
        send(frame.vm(), frame.bytes());
        var seen = new ArrayList<Seen>();
        if (!arrived(seen)) {
            await().pollInSameThread().pollDelay(Duration.ZERO).atMost(LIMIT).until(() -> arrived(seen));
        }
        for (int i = 0; i < GRACE && seen.size() < expected; i++) {
            collect(seen, new ArrayList<>());
        }
        return seen;
    }

    private byte[] barrier(String vm) {
        return Frames.ethernet(BARRIER)
                .from(macs.apply(vm))
                .to(macs.apply(neighbour(vm)))
                .payload(ByteBuffer.allocate(50).putInt(barrier).array())
                .bytes();
    }

    private static String neighbour(String vm) {
        return vm.substring(0, 2) + (vm.endsWith("1") ? "2" : "1");
    }

    private void send(String vm, byte[] frame) {
        MemorySegment.copy(frame, 0, buffer, ValueLayout.JAVA_BYTE, 0, frame.length);
        int sent = socket(vm).send(buffer, 0, frame.length);
        if (sent != frame.length) {
            throw new AssertionError("a frame of " + frame.length + " bytes was not sent at " + vm + ": " + sent);
        }
    }

    private PacketSocket socket(String vm) {
        return Objects.requireNonNull(sockets.get(vm), vm);
    }

    private void collect(List<Seen> seen, List<String> awaited) {
        for (String vm : plan.vms()) {
            int length = socket(vm).receive(buffer);
            while (length != PacketSocket.NOTHING) {
                if (length > 0) {
                    take(vm, buffer.asSlice(0, length).toArray(ValueLayout.JAVA_BYTE), seen, awaited);
                }
                length = socket(vm).receive(buffer);
            }
        }
    }

    /** Groups are the kernel's own business: listener reports. */
    private void take(String vm, byte[] frame, List<Seen> seen, List<String> awaited) {
        int etherType = (frame[12] & 0xff) << 8 | frame[13] & 0xff;
        if (etherType == BARRIER) {
            if (ByteBuffer.wrap(frame).getInt(14) == barrier) {
                awaited.remove(vm);
            }
        } else if ((frame[0] & 1) == 0) {
            IpPacket packet = IpPacket.of(frame);
            if (packet != null) {
                seen.add(new Seen(vm, mac(frame, 6), mac(frame, 0), packet));
            }
        }
    }

    private static String mac(byte[] frame, int at) {
        return new MacAddress(ByteBuffer.wrap(frame).getLong(at) >>> 16).toString();
    }

    @Override
    public void close() {
        sockets.values().forEach(PacketSocket::close);
        arena.close();
        run("", "ip", "netns", "delete", router);
        run("", "ip", "netns", "delete", cables);
    }
}
