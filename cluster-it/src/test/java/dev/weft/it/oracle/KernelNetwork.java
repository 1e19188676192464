package dev.weft.it.oracle;

import static org.awaitility.Awaitility.await;

import dev.weft.agent.lab.Commands;
import dev.weft.agent.lab.LabException;
import dev.weft.datapath.link.Links;
import dev.weft.datapath.link.NetworkNamespace;
import dev.weft.datapath.link.PacketSocket;
import dev.weft.sim.packet.Frames;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.function.UnaryOperator;

/** A plan as the kernel realises it: one namespace routes, the other holds the VMs' ends of the cables. */
final class KernelNetwork implements AutoCloseable {
    private static final Duration LIMIT = Duration.ofSeconds(10);
    private static final int LONGEST_FRAME = 2_048;
    /** So few that a socket's queue holds what they become. */
    static final int BATCH = 40;

    private final String router;
    private final String cables;
    private final Plan plan;
    private final UnaryOperator<String> macs;
    private final Map<String, PacketSocket> sockets = new LinkedHashMap<>();
    private final Arena arena = Arena.ofConfined();
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
                    echo 1 > ipv6/conf/all/disable_ipv6; echo 1 > ipv6/conf/default/disable_ipv6
                    echo 0 > ipv4/conf/all/send_redirects; echo 0 > ipv4/conf/default/send_redirects
                    echo 0 > ipv4/conf/all/rp_filter; echo 0 > ipv4/conf/default/rp_filter
                    [ ! -e bridge/bridge-nf-call-iptables ] || echo 0 > bridge/bridge-nf-call-iptables
                    """);
        }
        inside(router, "", "sh", "-c", "echo 1 > /proc/sys/net/ipv4/ip_forward");
        var routing = new ArrayList<String>();
        routing.add("link set lo up");
        for (int subnet = 1; subnet <= 3; subnet++) {
            routing.add("link add b%d address %s type bridge mcast_snooping 0"
                    .formatted(subnet, macs.apply("r-b" + subnet)));
            routing.add("addr add %s/24 dev b%d".formatted(Plan.gateway(subnet), subnet));
            routing.add("link set b%d up".formatted(subnet));
        }
        var fdb = new StringBuilder();
        var ends = new ArrayList<String>();
        for (String vm : plan.vms()) {
            String bridge = "b" + Plan.subnet(vm);
            routing.add("link add %s type veth peer name %s netns %s".formatted(vm, vm, cables));
            routing.add("link set %s master %s up".formatted(vm, bridge));
            routing.add(
                    "neigh add %s lladdr %s dev %s nud permanent".formatted(Plan.address(vm), macs.apply(vm), bridge));
            fdb.append("fdb add %s dev %s master static\n".formatted(macs.apply(vm), vm));
            ends.add("link set %s arp off up".formatted(vm));
        }
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
        var namespace = NetworkNamespace.named(cables);
        try (var links = Links.in(namespace)) {
            for (String vm : plan.vms()) {
                sockets.put(vm, PacketSocket.open(namespace, links.get(vm).ifindex()));
            }
        }
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
     * Sends packets and says what became of each, by its number. A frame of another protocol follows from every VM to
     * every other on its bridge: when those are there, nothing before them is still on its way.
     */
    Map<Integer, Fate> send(Map<Integer, Sent> packets) {
        packets.values().forEach(sent -> send(sent.port(), sent.frame()));
        for (String vm : plan.vms()) {
            send(
                    vm,
                    Frames.ethernet(0x88b5)
                            .from(macs.apply(vm))
                            .to(macs.apply(neighbour(vm)))
                            .payload(50)
                            .bytes());
        }
        var fates = new HashMap<Integer, Fate>();
        var awaited = new ArrayList<>(plan.vms());
        await().pollInSameThread().atMost(LIMIT).until(() -> {
            collect(fates, awaited);
            return awaited.isEmpty();
        });
        return fates;
    }

    /** A frame that a VM sends. */
    record Sent(String port, byte[] frame) {}

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

    private void collect(Map<Integer, Fate> fates, List<String> awaited) {
        for (String vm : plan.vms()) {
            int length = socket(vm).receive(buffer);
            while (length != PacketSocket.NOTHING) {
                if (length > 0) {
                    byte[] frame = buffer.asSlice(0, length).toArray(ValueLayout.JAVA_BYTE);
                    int number = Fate.numberIn(frame);
                    if (number >= 0) {
                        fates.put(number, Fate.of(vm, frame));
                    } else if (frame[12] == (byte) 0x88 && frame[13] == (byte) 0xb5) {
                        awaited.remove(vm);
                    }
                }
                length = socket(vm).receive(buffer);
            }
        }
    }

    @Override
    public void close() {
        sockets.values().forEach(PacketSocket::close);
        arena.close();
        run("", "ip", "netns", "delete", router);
        run("", "ip", "netns", "delete", cables);
    }
}
