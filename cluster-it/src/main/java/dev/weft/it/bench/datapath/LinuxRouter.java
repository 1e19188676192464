package dev.weft.it.bench.datapath;

import dev.weft.agent.lab.Commands;
import dev.weft.agent.lab.LabHost;
import dev.weft.agent.lab.Vm;
import java.io.IOException;
import java.nio.file.Files;
import java.time.Duration;

/** What {@link StatefulPath} is, made of two bridges, routes and nftables of the Linux kernel. */
final class LinuxRouter {
    private static final Duration LIMIT = Duration.ofSeconds(10);
    private static final String RULES = """
            table ip weft {
              chain forward {
                type filter hook forward priority filter; policy drop;
                ct state established,related accept
                ct state new iifname "br-left" accept
              }
              chain out {
                type nat hook postrouting priority srcnat;
                ip saddr 10.0.1.0/24 oifname "br-right" snat to %s
              }
            }
            """.formatted(StatefulPath.PUBLIC);

    private LinuxRouter() {}

    static Path build(BenchLab lab) {
        LabHost host = lab.host();
        var path = new Path("Linux bridges and nftables", lab.sender(host), lab.vm(host, Address.ROUTED));
        plug(lab, path.sender(), "br-left", "10.0.1.1");
        plug(lab, path.receiver(), "br-right", "10.0.2.1");
        lab.in(
                host,
                "addr add " + StatefulPath.PUBLIC + "/32 dev br-right",
                "route add 10.8.0.0/16 via " + Address.ROUTED.v4());
        expect(host.run(LIMIT, "sh", "-c", "echo 1 > /proc/sys/net/ipv4/ip_forward"));
        java.nio.file.Path rules = lab.folder().resolve("rules.nft");
        try {
            Files.writeString(rules, RULES);
        } catch (IOException unwritable) {
            throw new MeasureException(rules + " cannot be written: " + unwritable.getMessage(), unwritable);
        }
        expect(host.run(LIMIT, "nft", "-f", rules.toString()));
        // Else what is over fills the kernel's table within a few runs.
        expect(host.run(LIMIT, "sh", "-c", "echo 5 > /proc/sys/net/netfilter/nf_conntrack_tcp_timeout_time_wait"));
        return path;
    }

    private static void plug(BenchLab lab, Vm vm, String bridge, String address) {
        lab.in(
                vm.host(),
                "link add " + bridge + " type bridge mcast_snooping 0",
                "addr add " + address + "/24 dev " + bridge,
                "link set " + bridge + " up",
                "link set " + vm.hostInterface() + " master " + bridge);
    }

    private static void expect(Commands.Result said) {
        if (!said.ok()) {
            throw new MeasureException("no router of the Linux kernel here: " + said.output());
        }
    }
}
