package dev.weft.agent.lab;

/** A host: a namespace on the fabric with an underlay address. */
public final class LabHost extends Place {
    static final String UNDERLAY_INTERFACE = "underlay0";

    private final String underlay;

    LabHost(String name, String namespace, String underlay) {
        super(name, namespace);
        this.underlay = underlay;
    }

    /** Its address on the fabric. */
    public String underlay() {
        return underlay;
    }
}
