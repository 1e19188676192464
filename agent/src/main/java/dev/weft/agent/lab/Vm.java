package dev.weft.agent.lab;

/** A virtual machine as the network sees one: a namespace whose only interface, {@code eth0}, is cabled to its host. */
public final class Vm extends Place {
    /** What every VM calls its own end of the cable. */
    public static final String INTERFACE = "eth0";

    private final LabHost host;
    private final String hostInterface;
    private final String mac;

    Vm(String name, String namespace, LabHost host, String hostInterface, String mac) {
        super(name, namespace);
        this.host = host;
        this.hostInterface = hostInterface;
        this.mac = mac;
    }

    public LabHost host() {
        return host;
    }

    /** The host's end of the cable: what a port is bound to. */
    public String hostInterface() {
        return hostInterface;
    }

    public String mac() {
        return mac;
    }
}
