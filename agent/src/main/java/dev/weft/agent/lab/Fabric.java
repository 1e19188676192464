package dev.weft.agent.lab;

/** The IP fabric an operator has already: a Linux bridge in a namespace of its own, with an address for the store. */
public final class Fabric extends Place {
    static final String BRIDGE = "fabric0";

    private final String address;

    Fabric(String namespace, String address) {
        super("fabric", namespace);
        this.address = address;
    }

    public String address() {
        return address;
    }
}
