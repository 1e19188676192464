package dev.weft.it.bench.datapath;

import dev.weft.agent.lab.Commands;
import dev.weft.agent.lab.LabHost;
import dev.weft.agent.lab.Vm;
import dev.weft.agent.lab.WeftProcess;
import dev.weft.base.NanoClock;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;

/**
 * Open vSwitch with its userspace datapath, in a namespace and a folder of its own: no service, no kernel module, no
 * database of the machine.
 */
final class OpenVswitch {
    private static final String BRIDGE = "br0";
    private static final long START_NANOS = TimeUnit.SECONDS.toNanos(15);
    /** On a Debian. */
    private static final String SCHEMA = "/usr/share/openvswitch/vswitch.ovsschema";

    private final WeftProcess daemon;
    private final String management;
    private final Path path;

    private OpenVswitch(WeftProcess daemon, String management, Path path) {
        this.daemon = daemon;
        this.management = management;
        this.path = path;
    }

    /** A bridge with two VMs, which learns MACs as a bridge does. */
    static OpenVswitch start(BenchLab lab) {
        if (!Files.isReadable(java.nio.file.Path.of(SCHEMA))) {
            throw new MeasureException("no Open vSwitch here (" + SCHEMA
                    + " is missing): apt-get install --no-install-recommends openvswitch-switch");
        }
        java.nio.file.Path folder = makeFolder(lab);
        LabHost host = lab.host();
        Path path = new Path("Open vSwitch userspace", lab.sender(host), lab.vm(host, Address.NEIGHBOUR));
        String database = folder.resolve("conf.db").toString();
        String socket = folder.resolve("db.sock").toString();
        Commands.expect("ovsdb-tool", "create", database, SCHEMA);
        lab.program(
                host,
                "ovsdb-server",
                "env",
                "OVS_RUNDIR=" + folder,
                "OVS_LOGDIR=" + folder,
                "OVS_DBDIR=" + folder,
                "ovsdb-server",
                database,
                "--remote=punix:" + socket,
                "--unixctl=" + folder.resolve("ovsdb.ctl"));
        awaitFile(java.nio.file.Path.of(socket));
        String control = folder.resolve("vswitchd.ctl").toString();
        WeftProcess daemon = lab.program(
                host,
                "ovs-vswitchd",
                "env",
                "OVS_RUNDIR=" + folder,
                "OVS_LOGDIR=" + folder,
                "OVS_DBDIR=" + folder,
                "ovs-vswitchd",
                "unix:" + socket,
                "--unixctl=" + control);
        awaitFile(java.nio.file.Path.of(control));
        Commands.expect(
                "ovs-vsctl",
                "--timeout=15",
                "--db=unix:" + socket,
                "add-br",
                BRIDGE,
                "--",
                "set",
                "bridge",
                BRIDGE,
                "datapath_type=netdev",
                "--",
                "add-port",
                BRIDGE,
                path.sender().hostInterface(),
                "--",
                "add-port",
                BRIDGE,
                path.receiver().hostInterface());
        var ovs = new OpenVswitch(daemon, folder.resolve(BRIDGE + ".mgmt").toString(), path);
        // Its socket sends what the VM's stack left to offloads as it is: the stack must leave nothing.
        for (Vm vm : List.of(path.sender(), path.receiver())) {
            vm.run(java.time.Duration.ofSeconds(5), "ethtool", "-K", Vm.INTERFACE, "tx", "off");
        }
        lab.check(path);
        return ovs;
    }

    private static java.nio.file.Path makeFolder(BenchLab lab) {
        try {
            return Files.createDirectory(lab.folder().resolve("ovs"));
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private static void awaitFile(java.nio.file.Path file) {
        long begin = NanoClock.SYSTEM.nanoTime();
        while (!Files.exists(file)) {
            if (NanoClock.SYSTEM.nanoTime() - begin > START_NANOS) {
                throw new MeasureException("Open vSwitch did not make " + file.getFileName() + " within 15 s");
            }
            LockSupport.parkNanos(TimeUnit.MILLISECONDS.toNanos(20));
        }
    }

    Path path() {
        return path;
    }

    /** CPU time of its daemon so far. */
    long cpuNanos() {
        return CpuTime.processNanos(daemon.pid());
    }

    /**
     * From now on its flows name both ports of UDP, so that each new 5-tuple is an upcall: a hash of the ports is taken
     * first, which costs their wildcards, then the packet is forwarded as before.
     */
    void matchOnPorts() {
        Commands.expect(
                "ovs-ofctl",
                "add-flow",
                "unix:" + management,
                "priority=10,udp,actions=multipath(symmetric_l3l4+udp,1024,hrw,2,0,NXM_NX_REG0[0..1]),NORMAL");
        Commands.expect(
                "ovs-ofctl",
                "add-flow",
                "unix:" + management,
                "priority=10,udp6,actions=multipath(symmetric_l3l4+udp,1024,hrw,2,0,NXM_NX_REG0[0..1]),NORMAL");
    }
}
