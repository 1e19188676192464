package dev.weft.agent.worker;

/** What a worker counts, beside drops by reason. */
public enum WorkerCounter {
    /** Frames that no flow answered. */
    UPCALLS("upcalls"),
    /** Of these, frames that came through the tunnel: the egress did work that the ingress should have done. */
    TUNNEL_UPCALLS("tunnel-upcalls"),
    /** Packets of a flow that was installed while they were on their way up: executed without a simulation. */
    REPEATED("upcalls-repeated"),
    SIMULATIONS("simulations"),
    FORWARDED("forwarded"),
    DROPPED("dropped"),
    PARKED("parked"),
    RESUMED("resumed"),
    CONSUMED("consumed"),
    INSTALLED("flows-installed"),
    /** Another worker had installed an equal flow. */
    EXISTED("flows-existed"),
    /** The flow cache had no room: the packet went its way without a flow. */
    FULL("flows-full"),
    /** Flows of an earlier agent that still do what they should: taken over as they were. */
    ADOPTED("flows-adopted"),
    /** Flows of an earlier agent that should do something else: replaced or removed. */
    OUTDATED("flows-outdated"),
    INVALIDATED("flows-invalidated"),
    IDLE("flows-idle"),
    /** Flows that went before their time, to make room. */
    EVICTED("flows-evicted"),
    /** Packets the virtual network made itself: ARP, ND, ICMP. */
    EMITTED("emitted"),
    STATE_SENT("state-sent"),
    STATE_RECEIVED("state-received"),
    /** State messages and fragments that came to another worker than theirs and were handed on, once. */
    HANDED_OVER("handed-over"),
    /** Commands for a sibling that had no room for them. */
    SIBLING_FULL("sibling-full"),
    COMMANDS("commands"),
    /** Connections known now. */
    CONNECTIONS("connections"),
    /** Connections that went before their time, to make room. */
    CONNECTIONS_EVICTED("connections-evicted"),
    /** Connections not taken in: too many ports have some. */
    CONNECTIONS_REFUSED("connections-refused"),
    /** MACs not learned: their port has its share. */
    MACS_OVER_LIMIT("macs-over-limit"),
    /** Moves of MACs not believed: they had moved to and fro. */
    MACS_DAMPED("macs-damped"),
    /** Clients of sticky balancers kept where their balancer's table would not have them, now. */
    STICKY_CLIENTS("sticky-clients"),
    /** MACs and neighbours not learned, clients not kept: the tables are full. */
    TABLES_FULL("tables-full"),
    /** Neighbours neither asked for nor looked after: too many at once. */
    NEIGHBOURS_REFUSED("neighbours-refused"),
    /** Serval control packets that guards of ports let in. */
    SAL_LET_IN("serval-guards-let-in"),
    /** Serval flows that guards know of now. */
    SAL_FLOWS("serval-guards-flows"),
    /** Serval flows that guards forgot before their time, to make room. */
    SAL_FLOWS_EVICTED("serval-guards-flows-evicted"),
    /** Decisions that a rule wanted noted in the log. */
    RULES_LOGGED("rules-logged"),
    /** Those left out: over the budget of their rule, or too many at once. */
    RULES_NOT_LOGGED("rules-not-logged"),
    /** Faults in our own code while a command was applied. */
    FAULTY_COMMANDS("faulty-commands");

    private final String text;

    WorkerCounter(String text) {
        this.text = text;
    }

    /** As {@code weft status} shows it. */
    public String text() {
        return text;
    }
}
