package dev.weft.agent.worker;

/** Why the worker itself let a packet go, beside what the virtual network decides. */
public enum WorkerDrop {
    /** A header that lies or is cut short. */
    MALFORMED("malformed"),
    /** It came from a datapath port that carries no virtual port (any more). */
    UNBOUND_PORT("unbound-port"),
    /** It came through the tunnel with a flood key that is not ours (any more). */
    STALE_FLOOD_KEY("stale-flood-key"),
    /** A state message that says something impossible, or in a version we do not know. */
    BAD_STATE("bad-state"),
    /** Of a connection that finds no place in the table, or whose answers would be another's. */
    NOT_RECORDED("not-recorded"),
    /** An ICMP error longer than any sane one, whose quoted packet would have to be translated. */
    QUOTE_TOO_LONG("quote-too-long"),
    /** Too long to be kept waiting, or it waited for too many things. */
    PARKING_REFUSED("parking-refused"),
    /** Waiting packets have their limit, and this port its share: it made room for a later one. */
    PARKING_DISPLACED("parking-displaced"),
    /** It waited for an answer that did not come. */
    PARKING_TIMEOUT("parking-timeout"),
    /** The virtual network answers one port with so many packets of its own a second. */
    EMIT_BUDGET("emit-budget"),
    /** A packet of the virtual network's own caused another, and so on. */
    EMIT_DEPTH("emit-depth"),
    /** A fault in our own code. */
    INTERNAL_ERROR("internal-error");

    private final String label;

    WorkerDrop(String label) {
        this.label = label;
    }

    /** As {@code weft status} shows it. */
    public String label() {
        return label;
    }
}
