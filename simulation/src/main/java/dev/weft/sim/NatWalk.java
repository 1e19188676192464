package dev.weft.sim;

import dev.weft.base.Hashing;
import dev.weft.base.HotPath;
import dev.weft.base.IpAddress;
import dev.weft.base.IpPrefix;
import dev.weft.sim.flow.FlowKey;
import dev.weft.sim.match.Lpm;
import dev.weft.sim.packet.Icmp;
import dev.weft.sim.packet.IcmpError;
import dev.weft.sim.packet.Icmpv6;
import dev.weft.sim.packet.Ipv4;
import dev.weft.state.Connection;
import dev.weft.state.ConnectionKey;
import dev.weft.state.ConnectionTable;
import dev.weft.state.PortBlocks;

/**
 * Translates the packet of a simulation at a router. Part of one worker's simulation.
 *
 * <p>Before routing: an answer gets back what its question had, and a destination that a rule names becomes another.
 * After routing: the source does. What a connection got once it keeps as long as a rule still gives that. STATIC rules
 * need no connection; the others translate nothing that belongs to none, and let nothing of that kind out with an inside
 * source.
 */
@HotPath
final class NatWalk {
    private final Simulation sim;
    private final ConnectionTable table;
    private final PortBlocks blocks;
    private final ConnectionKey key = new ConnectionKey();
    private final ConnectionKey before = new ConnectionKey();
    private final ConnectionKey after = new ConnectionKey();
    private final NatErrors errors;
    private final Balancing balancing;
    // Of the packet's visit to the router it is at.
    private boolean answered;
    private boolean error;
    private boolean redirected;
    private boolean balanced;
    /** Of an answer, or an error about a translated packet, when it leaves the router. */
    private long newSrcHigh;

    private long newSrcLow;
    private int newSrcPort;

    NatWalk(Simulation sim, ConnectionTable table, PortBlocks blocks) {
        this.sim = sim;
        this.table = table;
        this.blocks = blocks;
        errors = new NatErrors(sim, table);
        balancing = new Balancing(sim, table);
    }

    /** Whether the packet goes on; if not, all is done that is to be done with it. */
    boolean beforeRouting(Router router, Port in, boolean v4) {
        answered = false;
        error = false;
        redirected = false;
        balanced = false;
        NatTable nat = router.nat;
        if (nat.isEmpty() || in.forChecks) {
            return true;
        }
        error = isError(v4);
        if (error) {
            answered = errors.translate(router, v4);
            explain("an ICMP error: becomes ", v4);
            return true;
        }
        if (nat.useMayBeAnswer(sim) && isAnswer(router, v4)) {
            return true;
        }
        for (int group = nat.useToward(sim); group != Lpm.NONE; group = nat.outerToward(group)) {
            for (int index : nat.rulesToward(group)) {
                NatRule rule = nat.rule(index);
                if (rule.kind() == NatRule.Kind.STATIC) {
                    return toInside(router, rule, in, v4);
                }
                if (rule.useMatches(sim)) {
                    return rule.kind() == NatRule.Kind.BALANCE
                            ? balance(router, rule, in, v4)
                            : destination(router, rule, v4);
                }
            }
        }
        return true;
    }

    /** As {@link #beforeRouting}, of a packet that is about to leave by a port. */
    boolean afterRouting(Router router, Port in, Port out, boolean v4) {
        NatTable nat = router.nat;
        if (nat.isEmpty()) {
            return true;
        }
        if (answered) {
            setSource(v4);
            return true;
        }
        if (error && errors.toOutside(nat, out)) {
            explain("an ICMP error: becomes ", v4);
            return true;
        }
        if (out.forChecks) {
            sim.drop(router, DropReason.NO_CHECK_ASKED);
            return false;
        }
        if (in.forChecks) {
            return check(router, in, out, v4);
        }
        boolean hairpin = redirected && in == out;
        for (int group = nat.useFrom(sim); group != Lpm.NONE; group = nat.outerFrom(group)) {
            for (int index : nat.rulesFrom(group)) {
                NatRule rule = nat.rule(index);
                boolean here = rule.port() == out.index || hairpin;
                if (rule.kind() == NatRule.Kind.STATIC) {
                    if (here) {
                        return toOutside(router, rule, v4);
                    }
                    if (isAnswer(router, v4)) {
                        setSource(v4);
                        return true; // to an inside address that asked for the outside one
                    }
                } else if (here && rule.useMatches(sim) && !isLeftAlone(router)) {
                    return source(router, rule, in, v4);
                }
            }
        }
        NatRule back = hairpin && balanced ? nat.hairpin(out.index, v4) : null;
        if (back != null) {
            return source(router, back, in, v4);
        }
        if (nat.useFromTarget(sim) != Lpm.NONE) {
            expectAnswer(router, in);
        }
        return true;
    }

    /** A health check leaves with the router's own address. */
    private boolean check(Router router, Port in, Port out, boolean v4) {
        NatRule own = router.nat.hairpin(out.index, v4);
        if (own == null) {
            sim.drop(router, DropReason.NO_ADDRESS);
            return false;
        }
        return source(router, own, in, v4);
    }

    /** Whether the packet at hand is the answer to a health check: no rule of the router's comes between. */
    boolean answersCheck() {
        return answered && HealthPort.isAsker(sim.dstHigh(), sim.dstLow());
    }

    // Answers.

    /** An answer's source, as that of any packet, is translated last: rules see who sent it. */
    void becomesFrom(long high, long low, int port) {
        newSrcHigh = high;
        newSrcLow = low;
        newSrcPort = port;
    }

    private void setSource(boolean v4) {
        setSrc(newSrcHigh, newSrcLow, newSrcPort, v4);
        if (sim.isExplaining()) {
            sim.explain("nat", "", "an answer: source becomes " + IpAddress.toString(newSrcHigh, newSrcLow));
        }
    }

    private boolean isAnswer(Router router, boolean v4) {
        if (!isTranslatable(v4)) {
            return false;
        }
        Tracking.useTuple(sim);
        Tracking.currentKey(sim, v4, key);
        key.scope(ConnectionTable.atDevice(router.tag));
        if (sim.packet.key.protocol() == Ipv4.TCP) {
            sim.useTcpFlags();
        }
        sim.out.addTag(table.tag(key));
        int entry = table.find(key, sim.nowNanos);
        if (entry == ConnectionTable.NONE || !table.crossing(table.slotOf(entry), router.tag, before, after)) {
            return false;
        }
        sim.out.answer(table.slotOf(entry), sim.packet.key.protocol() == Ipv4.TCP ? sim.packet.key.tcpFlags() : 0);
        setDst(before.srcHigh(), before.srcLow(), before.srcPort(), v4);
        becomesFrom(before.dstHigh(), before.dstLow(), before.dstPort());
        answered = true;
        explain("an answer: becomes ", v4);
        return true;
    }

    private boolean isError(boolean v4) {
        if (!Tracking.isIcmp(sim.useProtocol(), v4) || sim.useFragment() == FlowKey.LATER_FRAGMENT) {
            return false;
        }
        int type = sim.useIcmpType();
        return v4 ? Icmp.isError(type) : Icmpv6.isError(type);
    }

    /** Of a connection that was not translated when it began, or an error about one: then nor is this. */
    private boolean isLeftAlone(Router router) {
        int state = sim.tracking.state(sim);
        return state == Tracking.ANSWER
                || state == Tracking.RELATED && !table.crossing(sim.tracking.slot(), router.tag, before, after);
    }

    /**
     * A source rule would translate answers to this packet, which nothing has translated: they must be known as answers
     * to be left alone.
     */
    private void expectAnswer(Router router, Port in) {
        NatTable nat = router.nat;
        for (int group = nat.useFromTarget(sim); group != Lpm.NONE; group = nat.outerFrom(group)) {
            for (int index : nat.rulesFrom(group)) {
                NatRule rule = nat.rule(index);
                boolean there = rule.port() == in.index || router.useMayAnswerBy(sim, rule.port());
                if (there && rule.kind() == NatRule.Kind.STATIC) {
                    return; // that one needs no connection
                }
                if (there && rule.useMatchesAnswer(sim)) {
                    sim.tracking.expectAnswer(sim);
                    return;
                }
            }
        }
    }

    // Static.

    /** An answer to an inside address would not leave by the rule's port: it has to be known for what it is. */
    private boolean toInside(Router router, NatRule rule, Port in, boolean v4) {
        if (in.index != rule.port()) {
            sim.tracking.state(sim);
        }
        IpPrefix outside = rule.addresses().getFirst();
        sim.rewriteDst(
                moved(sim.dstHigh(), rule.source().high(), outside.bits(), true),
                moved(sim.dstLow(), rule.source().low(), outside.bits(), false));
        redirected = true;
        if (sim.isExplaining()) {
            sim.explain("nat", rule.name(), "destination becomes " + IpAddress.toString(sim.dstHigh(), sim.dstLow()));
        }
        Tracking.currentKey(sim, v4, key);
        return bind(router, Connection.DESTINATION, key.dstHigh(), key.dstLow(), key.dstPort());
    }

    private boolean toOutside(Router router, NatRule rule, boolean v4) {
        IpPrefix outside = rule.addresses().getFirst();
        sim.rewriteSrc(
                moved(sim.srcHigh(), outside.high(), outside.bits(), true),
                moved(sim.srcLow(), outside.low(), outside.bits(), false));
        if (sim.isExplaining()) {
            sim.explain("nat", rule.name(), "source becomes " + IpAddress.toString(sim.srcHigh(), sim.srcLow()));
        }
        Tracking.currentKey(sim, v4, key);
        return bind(router, Connection.SOURCE, key.srcHigh(), key.srcLow(), key.srcPort());
    }

    /** Is part of the connection if there comes to be one. */
    private boolean bind(Router router, int end, long high, long low, int port) {
        boolean bound = sim.out.connection().bind(router.tag, end, high, low, port);
        if (!bound) {
            sim.drop(router, DropReason.TOO_MANY_TRANSLATIONS);
        }
        return bound;
    }

    /** One word of an address in another network of the same size. */
    static long moved(long word, long network, int bits, boolean high) {
        long mask = high ? IpPrefix.highMask(bits) : IpPrefix.lowMask(bits);
        return network & mask | word & ~mask;
    }

    // Destination.

    private boolean destination(Router router, NatRule rule, boolean v4) {
        int state = sim.tracking.state(sim);
        if (state != Tracking.NEW && state != Tracking.FORWARD) {
            return true;
        }
        boolean kept = state == Tracking.FORWARD
                && table.crossing(sim.tracking.slot(), router.tag, before, after)
                && rule.gives(after.dstHigh(), after.dstLow())
                && rule.givesPort(after.dstPort(), before.dstPort());
        Tracking.currentKey(sim, v4, key);
        long high = after.dstHigh();
        long low = after.dstLow();
        int port = after.dstPort();
        if (!kept) {
            long hash = Hashing.combine(Hashing.combine(rule.tag(), key.srcHigh()), key.srcLow());
            hash = Hashing.combine(hash, (long) key.srcPort() << 16 | key.dstPort());
            long chosen = Long.remainderUnsigned(hash, rule.addressCount());
            high = rule.addresses().get(rule.networkOf(chosen)).high();
            low = rule.lowOf(chosen);
            boolean icmp = Tracking.isIcmp(key.protocol(), v4);
            port = icmp ? key.dstPort() : rule.portFor(key.dstPort());
        }
        if (!bind(router, Connection.DESTINATION, high, low, port)) {
            return false;
        }
        setDst(high, low, port, v4);
        redirected = true;
        if (sim.isExplaining()) {
            sim.explain("nat", rule.name(), "destination becomes " + IpAddress.toString(high, low) + " " + port);
        }
        return true;
    }

    /** To a member of a pool, or an instance of a service. */
    private boolean balance(Router router, NatRule rule, Port in, boolean v4) {
        int state = sim.tracking.state(sim);
        if (state != Tracking.NEW && state != Tracking.FORWARD) {
            return true;
        }
        if (!balancing.choose(router, rule, in, v4)) {
            return false;
        }
        long high = balancing.high();
        long low = balancing.low();
        int port = balancing.port();
        if (!bind(router, Connection.DESTINATION, high, low, port)) {
            return false;
        }
        setDst(high, low, port, v4);
        redirected = true;
        balanced = true;
        if (sim.isExplaining()) {
            sim.explain(
                    rule.service() == null ? "balancer" : "service",
                    rule.name(),
                    balancing.label() + ": to " + IpAddress.toString(high, low) + " " + port);
        }
        return true;
    }

    // Source.

    private boolean source(Router router, NatRule rule, Port in, boolean v4) {
        int state = sim.tracking.state(sim);
        if (state != Tracking.NEW && state != Tracking.FORWARD) {
            sim.drop(router, DropReason.NOT_TRANSLATABLE);
            return false;
        }
        Tracking.currentKey(sim, v4, key);
        boolean hasPorts = hasPorts(v4);
        boolean kept = state == Tracking.FORWARD
                && table.crossing(sim.tracking.slot(), router.tag, before, after)
                && rule.gives(after.srcHigh(), after.srcLow())
                && (!hasPorts || rule.givesPort(after.srcPort()));
        if (!kept && !choose(router, rule, in, hasPorts)) {
            return false;
        }
        if (!bind(router, Connection.SOURCE, after.srcHigh(), after.srcLow(), after.srcPort())) {
            return false;
        }
        setSrc(after.srcHigh(), after.srcLow(), after.srcPort(), v4);
        if (sim.isExplaining()) {
            sim.explain(
                    "nat",
                    rule.name(),
                    "source becomes " + IpAddress.toString(after.srcHigh(), after.srcLow()) + " " + after.srcPort());
        }
        return true;
    }

    /** A public address and port, into {@link #after}; false when there is none (yet). */
    private boolean choose(Router router, NatRule rule, Port in, boolean hasPorts) {
        int port = blocks.choose(rule.tag(), rule, table, key, router.tag, hasPorts, sim.nowNanos);
        if (blocks.isScarce()) {
            sim.out.wantBlock(rule.tag());
        }
        if (port != PortBlocks.NONE) {
            after.src(blocks.chosenHigh(), blocks.chosenLow(), port);
            return true;
        }
        sim.out.notCacheable();
        if (blocks.isExhausted(rule.tag(), sim.nowNanos)) {
            sim.drop(router, DropReason.NAT_EXHAUSTED);
            sim.icmpError(in, IcmpError.HOST_UNREACHABLE);
        } else {
            sim.out.parkOnPool(rule.tag());
            sim.explain("nat", rule.name(), "waits for public ports");
        }
        return false;
    }

    /** Echo, or no ICMP at all. */
    private boolean isTranslatable(boolean v4) {
        return !Tracking.isIcmp(sim.useProtocol(), v4) || Tracking.isEcho(sim.useIcmpType(), v4);
    }

    private boolean hasPorts(boolean v4) {
        int protocol = sim.packet.key.protocol();
        return protocol == Ipv4.TCP || protocol == Ipv4.UDP || Tracking.isIcmp(protocol, v4);
    }

    void setSrc(long high, long low, int port, boolean v4) {
        if (high != sim.srcHigh() || low != sim.srcLow()) {
            sim.rewriteSrc(high, low);
        }
        int protocol = sim.packet.key.protocol();
        if (protocol == Ipv4.TCP || protocol == Ipv4.UDP) {
            if (port != sim.headers.l4Src) {
                sim.rewriteL4Src(port);
            }
        } else {
            setId(port, v4);
        }
    }

    void setDst(long high, long low, int port, boolean v4) {
        if (high != sim.dstHigh() || low != sim.dstLow()) {
            sim.rewriteDst(high, low);
        }
        int protocol = sim.packet.key.protocol();
        if (protocol == Ipv4.TCP || protocol == Ipv4.UDP) {
            if (port != sim.headers.l4Dst) {
                sim.rewriteL4Dst(port);
            }
        } else {
            setId(port, v4);
        }
    }

    void setId(int id, boolean v4) {
        boolean echo = Tracking.isIcmp(sim.packet.key.protocol(), v4) && Tracking.isEcho(sim.packet.key.l4Src(), v4);
        if (echo && id != sim.headers.icmpId) {
            sim.rewriteIcmpId(id);
        }
    }

    private void explain(String what, boolean v4) {
        if (sim.isExplaining()) {
            Tracking.currentKey(sim, v4, key);
            sim.explain("nat", "", what + key);
        }
    }
}
