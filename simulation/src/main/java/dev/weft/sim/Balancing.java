package dev.weft.sim;

import dev.weft.base.Hashing;
import dev.weft.base.HotPath;
import dev.weft.sim.flow.FlowKey;
import dev.weft.sim.packet.IcmpError;
import dev.weft.sim.packet.Ipv4;
import dev.weft.sim.service.ServiceTarget;
import dev.weft.state.ConnectionKey;
import dev.weft.state.ConnectionTable;

/**
 * Who serves the connection that a packet to a balanced address belongs to: a member of a pool, or an instance of a
 * service. A connection keeps whom it has, as long as that may serve it. Part of one worker's simulation.
 */
@HotPath
final class Balancing {
    private final Simulation sim;
    private final ConnectionTable table;
    private final ConnectionKey key = new ConnectionKey();
    private final ConnectionKey before = new ConnectionKey();
    private final ConnectionKey after = new ConnectionKey();
    private final ConnectionKey stays = new ConnectionKey();
    // Of the last choice.
    private long high;
    private long low;
    private int port;
    private String label = "";

    Balancing(Simulation sim, ConnectionTable table) {
        this.sim = sim;
        this.table = table;
    }

    /** Of a packet that begins a connection or goes on with one; false when it is dropped, refused or waits. */
    boolean choose(Router router, NatRule rule, Port in, boolean v4) {
        Tracking.currentKey(sim, v4, key);
        boolean known = sim.tracking.state(sim) == Tracking.FORWARD
                && table.crossing(sim.tracking.slot(), router.tag, before, after);
        BoundService service = rule.service();
        MemberPool pool = rule.members();
        if (service != null) {
            return chooseInstance(router, rule, service, in, known, v4);
        }
        return pool != null && chooseMember(router, rule, pool, in, known);
    }

    private boolean chooseMember(Router router, NatRule rule, MemberPool pool, Port in, boolean known) {
        int member =
                known ? pool.find(after.dstHigh(), after.dstLow(), after.dstPort(), before.dstPort()) : MemberPool.NONE;
        if (member == MemberPool.NONE || begins() && pool.isDown(member, sim.tables)) {
            member = rule.sticky()
                    ? sim.tables.stickyClients().member(rule, pool, key.srcHigh(), key.srcLow(), sim.nowNanos)
                    : MemberPool.NONE;
            if (member == MemberPool.NONE) {
                long hash = client(rule);
                member = pool.choose(rule.sticky() ? hash : Hashing.combine(hash, key.srcPort()), sim.tables);
            }
        }
        sim.out.addTag(pool.tag);
        if (member == MemberPool.NONE) {
            sim.drop(router, DropReason.NO_MEMBER);
            sim.icmpError(in, IcmpError.PORT_UNREACHABLE);
            return false;
        }
        chosen(pool.high(member), pool.low(member), pool.port(member, key.dstPort()), pool.label);
        return true;
    }

    /** A connection keeps the instance it has while one may be there at all: it may have said that it takes no more. */
    private boolean chooseInstance(
            Router router, NatRule rule, BoundService service, Port in, boolean known, boolean v4) {
        boolean kept = known
                && service.mayBeAt(after.dstHigh(), after.dstLow())
                && rule.givesPort(after.dstPort(), before.dstPort());
        boolean begins = begins();
        if (begins) {
            sim.out.notCacheable(); // it may begin again, when the table says something else
        }
        if (kept && !begins) {
            chosen(after.dstHigh(), after.dstLow(), after.dstPort(), service.label);
            return true;
        }
        long hash = client(rule);
        boolean stuck = !kept
                && rule.sticky()
                && sim.tables.stickyClients().instance(rule, key.srcHigh(), key.srcLow(), sim.nowNanos, stays);
        ServiceTarget target = ServiceBinding.choose(
                sim,
                router,
                rule,
                in,
                rule.sticky() ? hash : Hashing.combine(hash, (long) key.srcPort() << 16 | key.dstPort()),
                kept ? after : stuck ? stays : null,
                v4);
        if (target == null) {
            return false;
        }
        chosen(target.high(v4), target.low(v4), rule.portFor(key.dstPort()), service.label);
        return true;
    }

    private long client(NatRule rule) {
        return StickyClients.hash(rule.tag(), key.srcHigh(), key.srcLow());
    }

    private boolean begins() {
        return sim.packet.key.protocol() == Ipv4.TCP && (sim.packet.key.tcpFlags() & FlowKey.TCP_OPENS) != 0;
    }

    private void chosen(long itsHigh, long itsLow, int itsPort, String by) {
        high = itsHigh;
        low = itsLow;
        port = itsPort;
        label = by;
    }

    long high() {
        return high;
    }

    long low() {
        return low;
    }

    int port() {
        return port;
    }

    /** Who was asked: {@code pool web} or {@code service 0x00004001}. */
    String label() {
        return label;
    }
}
