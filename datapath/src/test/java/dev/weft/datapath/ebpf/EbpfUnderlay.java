package dev.weft.datapath.ebpf;

import dev.weft.base.IpAddress;
import dev.weft.datapath.DatapathConfig;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Assumptions;

/**
 * Hosts as namespaces, each with an interface {@code under} at one bridge, and one namespace for the VMs' ends of all
 * their ports. Everything goes when it is closed.
 */
final class EbpfUnderlay implements AutoCloseable {
    private static final AtomicInteger NUMBERS = new AtomicInteger();
    private static final int UNDERLAY_MTU = 1600;

    private final String id = "weft-e-" + ProcessHandle.current().pid() + "-" + NUMBERS.incrementAndGet();
    private final String wire = id + "-w";
    private final String vms = id + "-v";
    private final List<String> namespaces = new ArrayList<>();

    EbpfUnderlay() {
        Assumptions.assumeTrue(KernelTables.isBuiltIn(), "skipped: built without clang, there are no kernel programs");
        Assumptions.assumeTrue(
                run("ip netns add " + wire).isEmpty(),
                "skipped: network namespaces cannot be made here (needs root and iproute2)");
        namespaces.add(wire);
        add(vms);
        must("ip -n " + wire + " link add br0 type bridge && ip -n " + wire + " link set br0 up");
    }

    private void add(String namespace) {
        must("ip netns add " + namespace + " && ip netns exec " + namespace
                + " sh -c 'for s in all default; do echo 1 > /proc/sys/net/ipv6/conf/$s/disable_ipv6; done'");
        namespaces.add(namespace);
    }

    static IpAddress address(int host) {
        return IpAddress.parse("10.77.0." + host);
    }

    static IpAddress addressV6(int host) {
        return IpAddress.parse("fd77::" + host);
    }

    /** The namespace of a host, made when it is asked for first. */
    String host(IpAddress underlay) {
        String text = underlay.toString();
        String number = text.substring(text.lastIndexOf(underlay.isV4() ? '.' : ':') + 1);
        String namespace = id + "-h" + number;
        if (!namespaces.contains(namespace)) {
            add(namespace);
            must("ip -n %s link add under mtu %d type veth peer name h%s mtu %d netns %s"
                    .formatted(namespace, UNDERLAY_MTU, number, UNDERLAY_MTU, wire));
            must("ip -n %s link set h%s master br0 up".formatted(wire, number));
            if (!underlay.isV4()) {
                must("ip netns exec %s sh -c 'echo 0 > /proc/sys/net/ipv6/conf/under/disable_ipv6'"
                        .formatted(namespace));
            }
            must("ip -n %s address add %s dev under && ip -n %s link set under up && ip -n %s link set lo up"
                    .formatted(namespace, text + (underlay.isV4() ? "/24" : "/64 nodad"), namespace, namespace));
        }
        return namespace;
    }

    /** The namespace of the bridge that joins the hosts: interface {@code hN} is the far end of host N's. */
    String wire() {
        return wire;
    }

    /**
     * A machine with a stack of its own behind a veth to a host: its interface {@code eth0} has the addresses 10.5.0.N
     * and fd05::N, and it knows the MACs of machines 1 to 9.
     *
     * @return the name of the host's end
     */
    String addMachine(String host, int number) {
        String namespace = newMachine(number);
        String name = newName();
        must("ip -n %s link add %s type veth peer name eth0 netns %s".formatted(host, name, namespace));
        must("ip -n %s link set %s up".formatted(host, name));
        configure(namespace, number);
        return name;
    }

    /** The same behind a tap of that name; it runs until the result is closed. */
    TapMachine addTapMachine(String host, String name, int number) {
        String namespace = newMachine(number);
        var machine = new TapMachine(Tap.open(host, name), Tap.open(namespace, "eth0"));
        must("ip -n %s link set %s up".formatted(host, name));
        configure(namespace, number);
        return machine;
    }

    private String newMachine(int number) {
        String namespace = machine(number);
        must("ip netns add " + namespace);
        namespaces.add(namespace);
        return namespace;
    }

    private static void configure(String namespace, int number) {
        must("ip -n %s link set eth0 address 02:00:00:00:00:0%d up".formatted(namespace, number));
        must("ip -n %s address add 10.5.0.%d/24 dev eth0 && ip -n %s address add fd05::%d/64 dev eth0 nodad"
                .formatted(namespace, number, namespace, number));
        for (int i = 1; i < 10; i++) {
            if (i != number) {
                String neighbour = "lladdr 02:00:00:00:00:0%d dev eth0".formatted(i);
                must("ip -n %s neigh add 10.5.0.%d %s && ip -n %s neigh add fd05::%d %s"
                        .formatted(namespace, i, neighbour, namespace, i, neighbour));
            }
        }
    }

    /** The namespace of a machine. */
    String machine(int number) {
        return id + "-m" + number;
    }

    /** ethtool(8) -K in a namespace of this underlay. */
    void offload(String namespace, String name, String features) {
        must("ip netns exec %s ethtool -K %s %s".formatted(namespace, name, features));
    }

    EbpfHost open(DatapathConfig config) {
        return open(config, false);
    }

    /** A host whose VMs are behind taps. */
    EbpfHost openWithTaps(DatapathConfig config) {
        return open(config, true);
    }

    private EbpfHost open(DatapathConfig config, boolean taps) {
        String namespace = host(config.underlay());
        return new EbpfHost(this, namespace, new EbpfDatapath(config.withNamespace(namespace)), taps);
    }

    /** For an interface. */
    String newName() {
        return "p" + NUMBERS.incrementAndGet();
    }

    String vms() {
        return vms;
    }

    /** The host's end and the VM's end have the same name, each in its namespace; both are up. */
    String addVeth(String host) {
        String name = newName();
        must("ip -n %s link add %s type veth peer name %s netns %s".formatted(host, name, name, vms));
        must("ip -n %s link set %s up && ip -n %s link set %s up".formatted(host, name, vms, name));
        return name;
    }

    /** ip(8) in a namespace of this underlay. */
    void ip(String namespace, String command) {
        must("ip -n " + namespace + " " + command);
    }

    void removeVeth(String host, String name) {
        must("ip -n %s link del %s".formatted(host, name));
    }

    private static void must(String command) {
        String failure = run(command);
        if (!failure.isEmpty()) {
            throw new IllegalStateException(command + ": " + failure);
        }
    }

    /** Empty when it went well. */
    private static String run(String command) {
        try {
            var process = new ProcessBuilder("sh", "-c", command)
                    .redirectErrorStream(true)
                    .start();
            String output = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
            int code = process.waitFor();
            return code == 0 ? "" : "exit code " + code + ", " + output;
        } catch (IOException notThere) {
            return notThere.toString();
        } catch (InterruptedException stopped) {
            Thread.currentThread().interrupt();
            return stopped.toString();
        }
    }

    @Override
    public void close() {
        namespaces.forEach(each -> must("ip netns del " + each));
    }
}
