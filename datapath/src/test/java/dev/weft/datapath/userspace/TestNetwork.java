package dev.weft.datapath.userspace;

import dev.weft.datapath.link.NetworkNamespace;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Assumptions;
import org.pcap4j.core.NotOpenException;
import org.pcap4j.core.PcapHandle;
import org.pcap4j.core.PcapHandle.BlockingMode;
import org.pcap4j.core.PcapHandle.PcapDirection;
import org.pcap4j.core.PcapNativeException;
import org.pcap4j.core.PcapNetworkInterface.PromiscuousMode;
import org.pcap4j.core.Pcaps;

/** Two namespaces of its own, one for hosts' ends of veths and one for the VMs', silent by themselves. */
final class TestNetwork implements AutoCloseable {
    private static final AtomicInteger NUMBERS = new AtomicInteger();

    private final String hosts;
    private final String vms;
    private final List<String> machines = new ArrayList<>();

    private TestNetwork(String id) {
        hosts = "weft-dp-h-" + id;
        vms = "weft-dp-v-" + id;
    }

    static TestNetwork createOrSkip() {
        Assumptions.assumeTrue(hasLibpcap(), "skipped: libpcap is not installed");
        String id = ProcessHandle.current().pid() + "-" + NUMBERS.incrementAndGet();
        var network = new TestNetwork(id);
        Assumptions.assumeTrue(
                tryRun("ip", "netns", "add", network.hosts).isEmpty(),
                "skipped: network namespaces cannot be made here (needs root and iproute2)");
        network.run("ip", "netns", "add", network.vms);
        for (String namespace : List.of(network.hosts, network.vms)) {
            for (String scope : List.of("all", "default")) {
                network.run(
                        "ip",
                        "netns",
                        "exec",
                        namespace,
                        "sh",
                        "-c",
                        "echo 1 > /proc/sys/net/ipv6/conf/" + scope + "/disable_ipv6");
            }
        }
        return network;
    }

    private static boolean hasLibpcap() {
        try {
            return !Pcaps.libVersion().isEmpty();
        } catch (LinkageError missing) {
            return false;
        }
    }

    String hostNamespace() {
        return hosts;
    }

    String vmNamespace() {
        return vms;
    }

    /** The host's end and the VM's end have the same name, each in its namespace; both are up. */
    String addVeth(int mtu) {
        String name = "p" + NUMBERS.incrementAndGet();
        run(
                "ip",
                "-n",
                hosts,
                "link",
                "add",
                name,
                "mtu",
                Integer.toString(mtu),
                "type",
                "veth",
                "peer",
                "name",
                name,
                "mtu",
                Integer.toString(mtu),
                "netns",
                vms);
        run("ip", "-n", hosts, "link", "set", name, "up");
        run("ip", "-n", vms, "link", "set", name, "up");
        return name;
    }

    /** One more, with nothing but its loopback, up, and these addresses on it. */
    String addNamespace(String... addresses) {
        String namespace = vms + "-n" + NUMBERS.incrementAndGet();
        run("ip", "netns", "add", namespace);
        machines.add(namespace);
        run("ip", "-n", namespace, "link", "set", "lo", "up");
        for (String address : addresses) {
            run("ip", "-n", namespace, "address", "add", address, "dev", "lo");
        }
        return namespace;
    }

    /** A VM with a stack of its own: an interface {@code eth0} with this address, its MTU, and known neighbours. */
    Machine addMachine(String address, int vmMtu, int hostMtu) {
        String name = "p" + NUMBERS.incrementAndGet();
        String namespace = vms + "-" + name;
        run("ip", "netns", "add", namespace);
        machines.add(namespace);
        run(
                "ip",
                "-n",
                hosts,
                "link",
                "add",
                name,
                "mtu",
                Integer.toString(hostMtu),
                "type",
                "veth",
                "peer",
                "name",
                "eth0",
                "mtu",
                Integer.toString(vmMtu),
                "netns",
                namespace);
        run("ip", "-n", hosts, "link", "set", name, "up");
        run("ip", "-n", namespace, "link", "set", "eth0", "up");
        run("ip", "-n", namespace, "address", "add", address + "/24", "dev", "eth0");
        return new Machine(name, namespace, address);
    }

    /** @param hostInterface the host's end of its veth */
    record Machine(String hostInterface, String namespace, String address) {}

    void removeVeth(String name) {
        run("ip", "-n", hosts, "link", "del", name);
    }

    void run(String... command) {
        String failure = tryRun(command);
        if (!failure.isEmpty()) {
            throw new IllegalStateException(String.join(" ", command) + ": " + failure);
        }
    }

    /** Empty when it went well. */
    static String tryRun(String... command) {
        try {
            var process = new ProcessBuilder(command).redirectErrorStream(true).start();
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

    /** The far end of a veth, without waiting: reads give null when nothing is there. */
    PcapHandle playVm(String name) {
        return listen(vms, name);
    }

    PcapHandle listen(String namespace, String name) {
        try {
            return NetworkNamespace.named(namespace).call(() -> {
                var handle = new PcapHandle.Builder(name)
                        .snaplen(65_600)
                        .bufferSize(16 << 20)
                        .promiscuousMode(PromiscuousMode.PROMISCUOUS)
                        .immediateMode(true)
                        .direction(PcapDirection.IN)
                        .build();
                setNonBlocking(handle);
                return handle;
            });
        } catch (PcapNativeException refused) {
            throw new IllegalStateException(name + " in " + namespace + " cannot be captured", refused);
        }
    }

    private static void setNonBlocking(PcapHandle handle) throws PcapNativeException {
        try {
            handle.setBlockingMode(BlockingMode.NONBLOCKING);
        } catch (NotOpenException impossible) {
            throw new IllegalStateException("a handle just opened is closed", impossible);
        }
    }

    @Override
    public void close() {
        machines.forEach(each -> run("ip", "netns", "del", each));
        run("ip", "netns", "del", vms);
        run("ip", "netns", "del", hosts);
    }
}
