package dev.weft.it.bench.datapath;

import dev.weft.agent.lab.Commands;
import dev.weft.agent.lab.LabHost;
import dev.weft.agent.lab.Vm;
import java.util.List;

/** The ways from VM to VM that there are without Weft. */
final class Baselines {
    static final String UNDERLAY = "direct0";
    static final int UNDERLAY_MTU = 1600;
    private static final String BRIDGE = "br0";
    private static final String TUNNEL = "vx0";

    private Baselines() {}

    /** One instruction's worth of datapath: a TC program at each port that redirects into the other VM. */
    static Path redirectPeer(BenchLab lab) {
        LabHost host = lab.host();
        Path path = new Path("bare TC redirect_peer", lab.sender(host), lab.vm(host, Address.NEIGHBOUR));
        String a = path.sender().hostInterface();
        String b = path.receiver().hostInterface();
        lab.own(TcProgram.redirectToPeerOf(host.namespace(), a, b));
        lab.own(TcProgram.redirectToPeerOf(host.namespace(), b, a));
        lab.check(path);
        return path;
    }

    /** The bridge of the Linux kernel with two ports. */
    static Path bridge(BenchLab lab) {
        LabHost host = lab.host();
        Path path = new Path("Linux bridge", lab.sender(host), lab.vm(host, Address.NEIGHBOUR));
        lab.in(host, "link add " + BRIDGE + " type bridge mcast_snooping 0", "link set " + BRIDGE + " up");
        plug(lab, path.sender());
        plug(lab, path.receiver());
        lab.check(path);
        return path;
    }

    /** Two hosts with a bridge each, joined by the VXLAN device of the Linux kernel over a cable. */
    static Path bridgeAndVxlan(BenchLab lab) {
        List<LabHost> hosts = twoHosts(lab);
        Path path = new Path("Linux bridge + vxlan", lab.sender(hosts.get(0)), lab.vm(hosts.get(1), Address.NEIGHBOUR));
        for (int i = 0; i < 2; i++) {
            lab.in(
                    hosts.get(i),
                    "link add " + BRIDGE + " type bridge mcast_snooping 0",
                    "link set " + BRIDGE + " up",
                    "link add " + TUNNEL + " type vxlan id 42 dstport 4789 dev " + UNDERLAY + " local " + underlay(i)
                            + " remote " + underlay(1 - i),
                    "link set " + TUNNEL + " master " + BRIDGE + " up");
        }
        plug(lab, path.sender());
        plug(lab, path.receiver());
        learnFar(path.sender().host(), Address.NEIGHBOUR.mac());
        learnFar(path.receiver().host(), Address.SENDER.mac());
        lab.check(path);
        return path;
    }

    /**
     * Two hosts with a cable between them, {@link #UNDERLAY} at both ends with the addresses of {@link #underlay}. Both
     * ends have an index that no other interface of the two has.
     */
    static List<LabHost> twoHosts(BenchLab lab) {
        LabHost near = lab.host();
        LabHost far = lab.host();
        lab.in(
                near,
                "link add " + UNDERLAY + " index 1001 mtu " + UNDERLAY_MTU + " type veth peer name " + UNDERLAY
                        + " index 1002 mtu " + UNDERLAY_MTU + " netns " + far.namespace());
        for (int i = 0; i < 2; i++) {
            lab.in(
                    i == 0 ? near : far,
                    "addr add " + underlay(i) + "/24 dev " + UNDERLAY,
                    "link set " + UNDERLAY + " up");
        }
        return List.of(near, far);
    }

    /** The underlay address of the first (0) or second (1) of two hosts. */
    static String underlay(int index) {
        return "172.31.0." + (index + 1);
    }

    /** Into the host's bridge; its MAC is known for good, as if it had just been learned. */
    private static void plug(BenchLab lab, Vm vm) {
        lab.in(vm.host(), "link set " + vm.hostInterface() + " master " + BRIDGE);
        learn(vm.host(), vm.mac(), vm.hostInterface());
    }

    private static void learnFar(LabHost host, String mac) {
        learn(host, mac, TUNNEL);
    }

    private static void learn(LabHost host, String mac, String port) {
        Commands.expect("bridge", "-n", host.namespace(), "fdb", "replace", mac, "dev", port, "master", "static");
    }
}
