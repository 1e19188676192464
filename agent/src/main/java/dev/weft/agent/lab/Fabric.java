package dev.weft.agent.lab;

/** The IP fabric an operator has already: a Linux bridge in a namespace of its own, with an address for the store. */
public final class Fabric extends Place {
    static final String BRIDGE = "fabric0";
    /** Its own: a bridge without one takes a port's, and another when that port leaves, which cuts the hosts off. */
    static final String MAC = "02:fa:b0:00:00:01";

    private final String address;

    Fabric(String namespace, String address) {
        super("fabric", namespace);
        this.address = address;
    }

    public String address() {
        return address;
    }
}
