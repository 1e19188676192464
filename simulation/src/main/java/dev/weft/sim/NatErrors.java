package dev.weft.sim;

import dev.weft.base.HotPath;
import dev.weft.base.IpPrefix;
import dev.weft.sim.flow.FlowKey;
import dev.weft.sim.packet.Headers;
import dev.weft.state.ConnectionKey;
import dev.weft.state.ConnectionTable;

/**
 * Translates ICMP errors about packets that a router translated, in either direction, and the packets they quote. Part of
 * one worker's simulation. Nothing of it is ever a flow: a quote is no part of a flow key.
 */
@HotPath
final class NatErrors {
    private final Simulation sim;
    private final ConnectionTable table;
    private final ConnectionKey key = new ConnectionKey();
    private final ConnectionKey before = new ConnectionKey();
    private final ConnectionKey after = new ConnectionKey();

    NatErrors(Simulation sim, ConnectionTable table) {
        this.sim = sim;
        this.table = table;
    }

    /** Whether it was about a connection that is translated here. */
    boolean translate(Router router, boolean v4) {
        sim.out.notCacheable();
        if (!sim.packet.quote.present) {
            return false;
        }
        Tracking.currentQuotedKey(sim, v4, key);
        key.answering(key).scope(ConnectionTable.atDevice(router.tag));
        sim.out.addTag(table.tag(key));
        int entry = table.find(key, sim.nowNanos);
        if (entry != ConnectionTable.NONE && table.crossing(table.slotOf(entry), router.tag, before, after)) {
            quote(before, v4);
            sim.nat.setDst(before.srcHigh(), before.srcLow(), 0, v4);
            boolean same = before.dstHigh() == after.dstHigh() && before.dstLow() == after.dstLow();
            sim.nat.becomesFrom(same ? sim.srcHigh() : before.dstHigh(), same ? sim.srcLow() : before.dstLow(), 0);
            return true;
        }
        if (sim.tracking.state(sim) == Tracking.RELATED
                && !sim.tracking.isTowardsOrigin()
                && table.crossing(sim.tracking.slot(), router.tag, before, after)) {
            key.answering(after);
            quote(key, v4);
            sim.nat.becomesFrom(after.srcHigh(), after.srcLow(), 0);
            sim.nat.setDst(after.dstHigh(), after.dstLow(), 0, v4);
            return true;
        }
        toInside(router.nat);
        return false;
    }

    /** About a packet of an inside address that was translated without a connection. */
    private void toInside(NatTable nat) {
        for (int i = 0; i < nat.rules.size(); i++) {
            NatRule rule = nat.rule(i);
            if (rule.kind() != NatRule.Kind.STATIC) {
                continue;
            }
            IpPrefix outside = rule.addresses().getFirst();
            Headers quoted = sim.quoted;
            if (NatRule.contains(outside, sim.dstHigh(), sim.dstLow())) {
                sim.rewriteDst(
                        NatWalk.moved(sim.dstHigh(), rule.source().high(), outside.bits(), true),
                        NatWalk.moved(sim.dstLow(), rule.source().low(), outside.bits(), false));
                if (NatRule.contains(outside, quoted.srcHigh, quoted.srcLow)) {
                    sim.rewriteQuotedSrc(
                            NatWalk.moved(quoted.srcHigh, rule.source().high(), outside.bits(), true),
                            NatWalk.moved(quoted.srcLow, rule.source().low(), outside.bits(), false));
                }
                return;
            }
        }
    }

    /**
     * About a packet to an inside address that had been sent to its outside one, without a connection: it leaves by the
     * port of the static rule.
     *
     * @return whether it was that
     */
    boolean toOutside(NatTable nat, Port out) {
        Headers quoted = sim.quoted;
        for (int i = 0; i < nat.rules.size(); i++) {
            NatRule rule = nat.rule(i);
            if (rule.kind() == NatRule.Kind.STATIC
                    && rule.port() == out.index
                    && sim.packet.quote.present
                    && NatRule.contains(rule.source(), quoted.dstHigh, quoted.dstLow)) {
                IpPrefix outside = rule.addresses().getFirst();
                long high = NatWalk.moved(quoted.dstHigh, outside.high(), outside.bits(), true);
                long low = NatWalk.moved(quoted.dstLow, outside.low(), outside.bits(), false);
                sim.rewriteQuotedDst(high, low);
                sim.rewriteSrc(high, low);
                return true;
            }
        }
        return false;
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
}
