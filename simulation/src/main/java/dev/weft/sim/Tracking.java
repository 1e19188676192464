package dev.weft.sim;

import dev.weft.base.HotPath;
import dev.weft.sim.flow.FlowKey;
import dev.weft.sim.packet.Ethernet;
import dev.weft.sim.packet.Icmp;
import dev.weft.sim.packet.Icmpv6;
import dev.weft.sim.packet.Ipv4;
import dev.weft.sim.packet.Ipv6;
import dev.weft.sim.packet.Quote;
import dev.weft.sim.sal.SalHeader;
import dev.weft.state.Connection;
import dev.weft.state.ConnectionKey;
import dev.weft.state.ConnectionTable;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * Which connection the packet of a run belongs to. Looked up once, when the first device asks, by what the packet was
 * as it entered; from then on the run is about that connection, and one of the forward direction is recorded if the
 * packet gets anywhere. Part of one worker's simulation.
 *
 * <p>A connection begins with any TCP or UDP packet, an ICMP echo request, or a packet of another IP protocol. Replies
 * to echoes and ICMP errors begin nothing, nor does what the virtual network sends of its own accord.
 */
@HotPath
final class Tracking {
    /** Of no connection, and none can begin with it. */
    static final int UNTRACKED = 0;
    /** Would begin a connection. */
    static final int NEW = 1;
    /** Of a known connection, from where it began. */
    static final int FORWARD = 2;
    /** Of a known connection, towards where it began. */
    static final int ANSWER = 3;
    /** An ICMP error about a packet of a known connection. */
    static final int RELATED = 4;

    /** Of what is no known TCP connection. */
    static final int NO_PHASE = 3;

    private final ConnectionTable table;
    private final ConnectionKey key = new ConnectionKey();
    private @Nullable Port ingress;
    private boolean looked;
    private boolean asked;
    private int state;
    private int slot;
    private boolean towardsOrigin;
    private boolean firstWasJudged;
    private boolean left;
    private long leftAt;

    Tracking(ConnectionTable table) {
        this.table = table;
    }

    /** @param port it entered by; null: the virtual network made it, or it came as a flood from another host */
    void begin(@Nullable Port port) {
        ingress = port;
        looked = false;
        asked = false;
        state = UNTRACKED;
        slot = ConnectionTable.NONE;
        left = false;
        firstWasJudged = false;
    }

    /** One of the constants above; everything that tells connections apart is in the mask then. */
    int state(Simulation sim) {
        asked = true;
        return find(sim);
    }

    private int find(Simulation sim) {
        if (!looked) {
            looked = true;
            state = lookUp(sim);
        }
        return state;
    }

    /** Nothing here rests on the connection, but answers have to be known as that. */
    void expectAnswer(Simulation sim) {
        find(sim);
    }

    /** Whether nobody asked for the connection for its own sake. */
    boolean isOnlyExpecting() {
        return !asked;
    }

    /** A {@code Phase} of the known TCP connection; {@link #NO_PHASE} when there is none. */
    int tcpPhase(Simulation sim) {
        boolean known = stateForRule(sim) == FORWARD || state == ANSWER;
        if (!known || sim.packet.key.protocol() != Ipv4.TCP) {
            return NO_PHASE;
        }
        sim.out.addTag(table.phaseTag(slot));
        return table.phase(slot);
    }

    /** As {@link #state}. A rule that sees the first packet of a connection sees the next ones as another state. */
    int stateForRule(Simulation sim) {
        firstWasJudged |= state(sim) == NEW;
        return state;
    }

    /** Whether what was decided holds for the first packet only, if it is recorded. */
    boolean isFirstJudged() {
        return firstWasJudged;
    }

    /** Whether it was asked for, and the packet may be recorded. */
    boolean isForward() {
        return state == NEW || state == FORWARD;
    }

    /** Whether it was asked for, and is of a connection that began before. */
    boolean isKnown() {
        return state == FORWARD || state == ANSWER || state == RELATED;
    }

    /** Towards where the connection began; of an ICMP error: the packet it is about went the other way. */
    boolean isTowardsOrigin() {
        return towardsOrigin;
    }

    /** Of a known connection. */
    int slot() {
        return slot;
    }

    /** Answers to the packet enter at this device: the first that it left by. */
    void leaveAt(long deviceTag) {
        if (!left) {
            left = true;
            leftAt = deviceTag;
        }
    }

    /** What is to be recorded, complete, when the packet got somewhere. */
    boolean complete(Simulation sim) {
        if (!left || !isForward()) {
            return false;
        }
        sim.out.connection().answerAt(leftAt);
        return true;
    }

    private int lookUp(Simulation sim) {
        int etherType = sim.useEtherType();
        boolean v4 = etherType == Ethernet.IPV4;
        if (ingress == null || !v4 && etherType != Ethernet.IPV6) {
            return UNTRACKED;
        }
        int protocol = sim.useProtocol();
        sim.useFragment();
        Device device = sim.network.device(ingress);
        long scope = device == null ? 0 : device.tag;
        FlowKey packet = sim.packet.key;
        if (isIcmp(protocol, v4)) {
            int type = sim.useIcmpType();
            if (v4 ? Icmp.isError(type) : Icmpv6.isError(type)) {
                return lookUpQuoted(sim, scope);
            }
            if (!isEcho(type, v4)) {
                return UNTRACKED;
            }
        }
        useTuple(sim);
        if (isOfUnknown(packet) || isItsOwnAnswer(packet, isIcmp(protocol, v4))) {
            return UNTRACKED;
        }
        if (protocol == Ipv4.TCP) {
            sim.useTcpFlags();
        }
        keyOf(packet, v4, scope, key);
        sim.out.addTag(table.tag(key));
        int entry = table.find(key, sim.nowNanos);
        if (entry == ConnectionTable.NONE) {
            return ingress.bound && mayBegin(sim, protocol, v4) ? begin(sim, NEW) : UNTRACKED;
        }
        slot = table.slotOf(entry);
        towardsOrigin = table.isAnswer(entry);
        if (towardsOrigin) {
            sim.out.answer(slot, protocol == Ipv4.TCP ? packet.tcpFlags() : 0);
            explain(sim, "an answer in ");
            return ANSWER;
        }
        return begin(sim, FORWARD);
    }

    /**
     * No answer does that can be told from a question. Taken for a question, an answer that overtook its record between two
     * hosts would get another translation, and its receiver would reset the connection.
     */
    private static boolean mayBegin(Simulation sim, int protocol, boolean v4) {
        FlowKey packet = sim.packet.key;
        if (isIcmp(protocol, v4)) {
            return isEchoRequest(packet.l4Src(), v4);
        }
        if (protocol != Ipv4.TCP) {
            return true;
        }
        sim.out.mask.addTcpFlags(FlowKey.TCP_SYN);
        return (packet.tcpFlags() & (FlowKey.TCP_SYN | FlowKey.TCP_OPENS)) != FlowKey.TCP_SYN;
    }

    private int begin(Simulation sim, int what) {
        Port port = Objects.requireNonNull(ingress);
        towardsOrigin = false;
        Connection connection = sim.out.connection();
        connection.forward.copyFrom(key);
        connection.port(port.id.getMostSignificantBits(), port.id.getLeastSignificantBits());
        FlowKey packet = sim.packet.key;
        connection.frame(packet.srcMac(), packet.dstMac(), packet.vlanTci());
        explain(sim, what == NEW ? "begins " : "goes on with ");
        return what;
    }

    /** The quote is no part of a flow key, so no flow comes of it. */
    private int lookUpQuoted(Simulation sim, long scope) {
        sim.out.notCacheable();
        Quote quote = sim.packet.quote;
        if (!quote.present) {
            return UNTRACKED;
        }
        boolean v4 = sim.packet.key.etherType() == Ethernet.IPV4;
        quotedKey(quote, v4, key);
        key.answering(key).scope(scope);
        sim.out.addTag(table.tag(key));
        int entry = table.find(key, sim.nowNanos);
        if (entry == ConnectionTable.NONE) {
            return UNTRACKED;
        }
        slot = table.slotOf(entry);
        towardsOrigin = table.isAnswer(entry);
        explain(sim, "an error about ");
        return RELATED;
    }

    private void explain(Simulation sim, String what) {
        if (sim.isExplaining()) {
            sim.explain("connection", what + key, "");
        }
    }

    // Tuples.

    /**
     * Everything that tells one connection from another, hit or miss. A fragment comes to another worker than the rest
     * of its connection, and a Serval packet by its flow ids, which no record has: that one has to decide.
     */
    static void useTuple(Simulation sim) {
        int protocol = sim.useProtocol();
        if (sim.useFragment() != FlowKey.NOT_FRAGMENT || protocol == SalHeader.IP_PROTOCOL) {
            sim.out.trackAtWhole();
        }
        sim.useSrcHigh(128);
        sim.useDstHigh(128);
        sim.useL4Src();
        sim.useL4Dst();
        sim.useIcmpId();
    }

    /** As the packet entered. A later fragment has the ports of its first one, unless that is not known: then none. */
    private static void keyOf(FlowKey packet, boolean v4, long scope, ConnectionKey into) {
        boolean icmp = isIcmp(packet.protocol(), v4);
        into.scope(scope).protocol(packet.protocol());
        into.src(packet.srcHigh(), packet.srcLow(), icmp ? packet.icmpId() : packet.l4Src());
        into.dst(packet.dstHigh(), packet.dstLow(), icmp ? packet.icmpId() : packet.l4Dst());
    }

    /** As the packet is by now. */
    static void currentKey(Simulation sim, boolean v4, ConnectionKey into) {
        FlowKey packet = sim.packet.key;
        boolean icmp = isIcmp(packet.protocol(), v4);
        var now = sim.headers;
        into.protocol(packet.protocol());
        into.src(now.srcHigh, now.srcLow, icmp ? now.icmpId : now.l4Src);
        into.dst(now.dstHigh, now.dstLow, icmp ? now.icmpId : now.l4Dst);
    }

    private static void quotedKey(Quote quote, boolean v4, ConnectionKey into) {
        boolean icmp = isIcmp(quote.protocol, v4);
        boolean ports = quote.fragment != FlowKey.LATER_FRAGMENT;
        into.protocol(quote.protocol);
        into.src(quote.srcHigh, quote.srcLow, ports ? icmp ? quote.icmpId : quote.l4Src : 0);
        into.dst(quote.dstHigh, quote.dstLow, ports ? icmp ? quote.icmpId : quote.l4Dst : 0);
    }

    /** The quoted packet as it is by now. */
    static void currentQuotedKey(Simulation sim, boolean v4, ConnectionKey into) {
        Quote quote = sim.packet.quote;
        boolean icmp = isIcmp(quote.protocol, v4);
        boolean ports = quote.fragment != FlowKey.LATER_FRAGMENT;
        var now = sim.quoted;
        into.protocol(quote.protocol);
        into.src(now.srcHigh, now.srcLow, ports ? icmp ? now.icmpId : now.l4Src : 0);
        into.dst(now.dstHigh, now.dstLow, ports ? icmp ? now.icmpId : now.l4Dst : 0);
    }

    /** A later fragment whose first one has not been seen: whose it is nobody can say. */
    static boolean isOfUnknown(FlowKey packet) {
        return packet.fragment() == FlowKey.LATER_FRAGMENT
                && (packet.l4Src() | packet.l4Dst() | packet.icmpId()) == 0
                && (packet.protocol() == Ipv4.TCP || packet.protocol() == Ipv4.UDP);
    }

    /** From an address and port to the very same: which way it goes nobody can say. */
    private static boolean isItsOwnAnswer(FlowKey packet, boolean icmp) {
        return packet.srcLow() == packet.dstLow()
                && packet.srcHigh() == packet.dstHigh()
                && (icmp || packet.l4Src() == packet.l4Dst());
    }

    static boolean isIcmp(int protocol, boolean v4) {
        return protocol == (v4 ? Ipv4.ICMP : Ipv6.ICMPV6);
    }

    static boolean isEcho(int type, boolean v4) {
        return v4 ? Icmp.isEcho(type) : Icmpv6.isEcho(type);
    }

    static boolean isEchoRequest(int type, boolean v4) {
        return type == (v4 ? Icmp.ECHO_REQUEST : Icmpv6.ECHO_REQUEST);
    }

    static boolean isEchoReply(int type, boolean v4) {
        return type == (v4 ? Icmp.ECHO_REPLY : Icmpv6.ECHO_REPLY);
    }
}
