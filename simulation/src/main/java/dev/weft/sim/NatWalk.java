package dev.weft.sim;

import dev.weft.base.Hashing;
import dev.weft.base.HotPath;
import dev.weft.base.IpAddress;
import dev.weft.base.IpPrefix;
import dev.weft.sim.flow.FlowKey;
import dev.weft.sim.match.Lpm;
import dev.weft.sim.packet.Headers;
import dev.weft.sim.packet.Icmp;
import dev.weft.sim.packet.IcmpError;
import dev.weft.sim.packet.Icmpv6;
import dev.weft.sim.packet.Ipv4;
import dev.weft.sim.service.ServiceTarget;
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
    // Of the packet's visit to the router it is at.
    private boolean answered;
    private boolean redirected;
    private boolean balanced;

    NatWalk(Simulation sim, ConnectionTable table, PortBlocks blocks) {
        this.sim = sim;
        this.table = table;
        this.blocks = blocks;
    }

    /** Whether the packet goes on; if not, all is done that is to be done with it. */
    boolean beforeRouting(Router router, Port in, boolean v4) {
        answered = false;
        redirected = false;
        balanced = false;
        NatTable nat = router.nat;
        if (nat.isEmpty()) {
            return true;
        }
        if (isError(v4)) {
            translateError(router, v4);
            return true;
        }
        if (nat.useMayBeAnswer(sim) && isAnswer(router, v4)) {
            return true;
        }
        for (int group = nat.useToward(sim); group != Lpm.NONE; group = nat.outerToward(group)) {
            for (int index : nat.rulesToward(group)) {
                NatRule rule = nat.rule(index);
                if (rule.kind() == NatRule.Kind.STATIC) {
                    toInside(rule);
                    return true;
                }
                if (rule.useMatches(sim)) {
                    return toward(router, rule, in, v4);
                }
            }
        }
        return true;
    }

    private boolean toward(Router router, NatRule rule, Port in, boolean v4) {
        if (rule.service() != null) {
            return serve(router, rule, rule.service(), in, v4);
        }
        return rule.members() == null ? destination(router, rule, v4) : balance(router, rule, rule.members(), in, v4);
    }

    /** As {@link #beforeRouting}, of a packet that is about to leave by a port. */
    boolean afterRouting(Router router, Port in, Port out, boolean v4) {
        NatTable nat = router.nat;
        if (nat.isEmpty() || answered) {
            return true;
        }
        boolean hairpin = redirected && in == out;
        for (int group = nat.useFrom(sim); group != Lpm.NONE; group = nat.outerFrom(group)) {
            for (int index : nat.rulesFrom(group)) {
                NatRule rule = nat.rule(index);
                if (rule.port() != out.index && !hairpin) {
                    continue;
                }
                if (rule.kind() == NatRule.Kind.STATIC) {
                    toOutside(rule);
                    return true;
                }
                if (rule.useMatches(sim)) {
                    return source(router, rule, in, v4);
                }
            }
        }
        NatRule back = hairpin && balanced ? nat.hairpin(out.index, v4) : null;
        return back == null || source(router, back, in, v4);
    }

    // Answers.

    private boolean isAnswer(Router router, boolean v4) {
        if (!isTranslatable(v4)) {
            return false;
        }
        Tracking.useTuple(sim);
        Tracking.currentKey(sim, v4, key);
        key.scope(ConnectionTable.atDevice(router.tag));
        if (sim.packet.key.protocol() == Ipv4.TCP) {
            sim.out.mask.addTcpFlags();
        }
        sim.out.addTag(table.tag(key));
        int entry = table.find(key, sim.nowNanos);
        if (entry == ConnectionTable.NONE || !table.crossing(table.slotOf(entry), router.tag, before, after)) {
            return false;
        }
        sim.out.answer(table.slotOf(entry), sim.packet.key.protocol() == Ipv4.TCP ? sim.packet.key.tcpFlags() : 0);
        NatRewrite.dst(sim, before.srcHigh(), before.srcLow(), before.srcPort(), v4);
        NatRewrite.src(sim, before.dstHigh(), before.dstLow(), before.dstPort(), v4);
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

    /** An error about a packet that was translated here, in either direction; and the packet it quotes. */
    private void translateError(Router router, boolean v4) {
        sim.out.notCacheable();
        if (!sim.packet.quote.present) {
            return;
        }
        Tracking.currentQuotedKey(sim, v4, key);
        key.answering(key).scope(ConnectionTable.atDevice(router.tag));
        sim.out.addTag(table.tag(key));
        int entry = table.find(key, sim.nowNanos);
        if (entry != ConnectionTable.NONE && table.crossing(table.slotOf(entry), router.tag, before, after)) {
            quote(before, v4);
            NatRewrite.dst(sim, before.srcHigh(), before.srcLow(), 0, v4);
            if (before.dstHigh() != after.dstHigh() || before.dstLow() != after.dstLow()) {
                NatRewrite.src(sim, before.dstHigh(), before.dstLow(), 0, v4);
            }
            answered = true;
        } else if (sim.tracking.state(sim) == Tracking.RELATED
                && !sim.tracking.isTowardsOrigin()
                && table.crossing(sim.tracking.slot(), router.tag, before, after)) {
            key.answering(after);
            quote(key, v4);
            NatRewrite.src(sim, after.srcHigh(), after.srcLow(), 0, v4);
            NatRewrite.dst(sim, after.dstHigh(), after.dstLow(), 0, v4);
            answered = true;
        } else {
            translateStaticError(router.nat);
        }
        explain("an ICMP error: becomes ", v4);
    }

    private void translateStaticError(NatTable nat) {
        for (int i = 0; i < nat.rules.size(); i++) {
            NatRule rule = nat.rule(i);
            if (rule.kind() == NatRule.Kind.STATIC) {
                IpPrefix outside = rule.addresses().getFirst();
                Headers quoted = sim.quoted;
                if (NatRule.contains(outside, sim.dstHigh(), sim.dstLow())) {
                    toInside(rule);
                    if (NatRule.contains(outside, quoted.srcHigh, quoted.srcLow)) {
                        sim.rewriteQuotedSrc(
                                moved(quoted.srcHigh, rule.source().high(), outside.bits(), true),
                                moved(quoted.srcLow, rule.source().low(), outside.bits(), false));
                    }
                } else if (NatRule.contains(rule.source(), quoted.dstHigh, quoted.dstLow)) {
                    sim.rewriteQuotedDst(
                            moved(quoted.dstHigh, outside.high(), outside.bits(), true),
                            moved(quoted.dstLow, outside.low(), outside.bits(), false));
                }
            }
        }
    }

    private void quote(ConnectionKey as, boolean v4) {
        boolean icmp = Tracking.isIcmp(sim.packet.quote.protocol, v4);
        boolean ports = sim.packet.quote.fragment != FlowKey.LATER_FRAGMENT;
        sim.rewriteQuotedSrc(as.srcHigh(), as.srcLow());
        sim.rewriteQuotedDst(as.dstHigh(), as.dstLow());
        if (ports && icmp) {
            sim.rewriteQuotedId(as.srcPort());
        } else if (ports) {
            sim.rewriteQuotedPorts(as.srcPort(), as.dstPort());
        }
    }

    // Static.

    private void toInside(NatRule rule) {
        IpPrefix outside = rule.addresses().getFirst();
        sim.rewriteDst(
                moved(sim.dstHigh(), rule.source().high(), outside.bits(), true),
                moved(sim.dstLow(), rule.source().low(), outside.bits(), false));
        redirected = true;
        if (sim.isExplaining()) {
            sim.explain("nat", rule.name(), "destination becomes " + IpAddress.toString(sim.dstHigh(), sim.dstLow()));
        }
    }

    private void toOutside(NatRule rule) {
        IpPrefix outside = rule.addresses().getFirst();
        sim.rewriteSrc(
                moved(sim.srcHigh(), outside.high(), outside.bits(), true),
                moved(sim.srcLow(), outside.low(), outside.bits(), false));
        if (sim.isExplaining()) {
            sim.explain("nat", rule.name(), "source becomes " + IpAddress.toString(sim.srcHigh(), sim.srcLow()));
        }
    }

    /** One word of an address in another network of the same size. */
    private static long moved(long word, long network, int bits, boolean high) {
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
        if (!sim.out.connection().bind(router.tag, Connection.DESTINATION, high, low, port)) {
            sim.drop(router, DropReason.TOO_MANY_TRANSLATIONS);
            return false;
        }
        NatRewrite.dst(sim, high, low, port, v4);
        redirected = true;
        if (sim.isExplaining()) {
            sim.explain("nat", rule.name(), "destination becomes " + IpAddress.toString(high, low) + " " + port);
        }
        return true;
    }

    /** To a member of a pool; a connection keeps the one it has while that is in the pool. */
    private boolean balance(Router router, NatRule rule, MemberPool pool, Port in, boolean v4) {
        int state = sim.tracking.state(sim);
        if (state != Tracking.NEW && state != Tracking.FORWARD) {
            return true;
        }
        Tracking.currentKey(sim, v4, key);
        int member = state == Tracking.FORWARD && table.crossing(sim.tracking.slot(), router.tag, before, after)
                ? pool.find(after.dstHigh(), after.dstLow(), after.dstPort(), before.dstPort())
                : MemberPool.NONE;
        if (member == MemberPool.NONE || begins() && pool.isDown(member, sim.tables)) {
            long hash = Hashing.combine(Hashing.combine(rule.tag(), key.srcHigh()), key.srcLow());
            member = pool.choose(rule.sticky() ? hash : Hashing.combine(hash, key.srcPort()), sim.tables);
        }
        sim.out.addTag(pool.tag);
        if (member == MemberPool.NONE) {
            sim.drop(router, DropReason.NO_MEMBER);
            sim.icmpError(in, IcmpError.PORT_UNREACHABLE);
            return false;
        }
        int port = pool.port(member, key.dstPort());
        return bind(router, rule, pool.label, pool.high(member), pool.low(member), port, v4);
    }

    /** To an instance of a service; a connection keeps the one it has while an instance may be there at all. */
    private boolean serve(Router router, NatRule rule, BoundService service, Port in, boolean v4) {
        int state = sim.tracking.state(sim);
        if (state != Tracking.NEW && state != Tracking.FORWARD) {
            return true;
        }
        Tracking.currentKey(sim, v4, key);
        boolean kept = state == Tracking.FORWARD
                && table.crossing(sim.tracking.slot(), router.tag, before, after)
                && service.mayBeAt(after.dstHigh(), after.dstLow())
                && rule.givesPort(after.dstPort(), before.dstPort());
        if (begins()) {
            sim.out.notCacheable(); // it may begin again, when the table says something else
        }
        if (!kept || begins()) {
            long hash = Hashing.combine(Hashing.combine(rule.tag(), key.srcHigh()), key.srcLow());
            ServiceTarget target = ServiceBinding.choose(
                    sim,
                    router,
                    rule,
                    in,
                    rule.sticky() ? hash : Hashing.combine(hash, (long) key.srcPort() << 16 | key.dstPort()),
                    kept ? after : null,
                    v4);
            if (target == null) {
                return false;
            }
            after.dst(target.high(v4), target.low(v4), rule.portFor(key.dstPort()));
        }
        return bind(router, rule, service.label, after.dstHigh(), after.dstLow(), after.dstPort(), v4);
    }

    private boolean begins() {
        return sim.packet.key.protocol() == Ipv4.TCP && (sim.packet.key.tcpFlags() & FlowKey.TCP_SYN) != 0;
    }

    private boolean bind(Router router, NatRule rule, String from, long high, long low, int port, boolean v4) {
        if (!sim.out.connection().bind(router.tag, Connection.DESTINATION, high, low, port)) {
            sim.drop(router, DropReason.TOO_MANY_TRANSLATIONS);
            return false;
        }
        NatRewrite.dst(sim, high, low, port, v4);
        redirected = true;
        balanced = true;
        if (sim.isExplaining()) {
            sim.explain(
                    rule.service() == null ? "balancer" : "service",
                    rule.name(),
                    from + ": to " + IpAddress.toString(high, low) + " " + port);
        }
        return true;
    }

    // Source.

    private boolean source(Router router, NatRule rule, Port in, boolean v4) {
        int state = sim.tracking.state(sim);
        if (state == Tracking.ANSWER) {
            return true; // of a connection that came in untranslated
        }
        if (state != Tracking.NEW && state != Tracking.FORWARD) {
            sim.drop(router, DropReason.NOT_TRANSLATABLE);
            return false;
        }
        Tracking.currentKey(sim, v4, key);
        boolean hasPorts = hasPorts(v4);
        boolean kept = state == Tracking.FORWARD
                && table.crossing(sim.tracking.slot(), router.tag, before, after)
                && rule.gives(after.srcHigh(), after.srcLow())
                && (!hasPorts || rule.givesPort(after.srcPort(), after.srcPort()));
        if (!kept && !choose(router, rule, in, hasPorts)) {
            return false;
        }
        if (!sim.out
                .connection()
                .bind(router.tag, Connection.SOURCE, after.srcHigh(), after.srcLow(), after.srcPort())) {
            sim.drop(router, DropReason.TOO_MANY_TRANSLATIONS);
            return false;
        }
        NatRewrite.src(sim, after.srcHigh(), after.srcLow(), after.srcPort(), v4);
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
        int port = blocks.choose(rule.tag(), table, key, router.tag, hasPorts, sim.nowNanos);
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

    private void explain(String what, boolean v4) {
        if (sim.isExplaining()) {
            Tracking.currentKey(sim, v4, key);
            sim.explain("nat", "", what + key);
        }
    }
}
