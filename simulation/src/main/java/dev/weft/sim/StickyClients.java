package dev.weft.sim;

import dev.weft.base.Hashing;
import dev.weft.base.HotPath;
import dev.weft.base.IpAddress;
import dev.weft.sim.service.ServiceEntry;
import dev.weft.sim.service.ServiceSlot;
import dev.weft.sim.service.ServiceTable;
import dev.weft.state.ConnectionKey;
import dev.weft.state.ConnectionTable;

/**
 * Where clients of sticky balancers are, as far as that is elsewhere than their balancer's table says: when a pool changes,
 * a client with a connection stays with the member it has, as long as that is in the pool and answers; when the instances
 * of a service do, with the instance it has, as long as that is one of those that count. Found in the
 * connections that a worker knows, its own and copies; kept for a while after the last of them. Not thread safe: touched only
 * by its worker thread.
 */
@HotPath
public final class StickyClients {
    private static final long SECOND = 1_000_000_000L;
    private static final long KEPT_SECONDS = 600;
    /** So long after the last connection was seen. */
    static final long KEPT_NANOS = KEPT_SECONDS * SECOND;

    private static final int CAPACITY = 1 << 14;
    private static final int PORT_BITS = 16;
    /** Connections times balancers looked at in one turn of {@link #refresh}. */
    private static final int LOOKS_AT_ONCE = 4096;

    // Immutable after construction.
    private final Tables tables;
    private final ConnectionTable connections;
    private final ConnectionKey before = new ConnectionKey();
    private final ConnectionKey after = new ConnectionKey();
    // Owned by the worker thread: (rule, client high, low) -> member high, low, time in seconds and port.
    private final WideMap clients;
    private VirtualNetwork network = VirtualNetwork.EMPTY;
    private int nextConnection;
    private int nextClient;
    private long refused;

    /** Hears of each client that stays. */
    @FunctionalInterface
    public interface Listener {
        /**
         * @param rule tag of the balancer
         * @param memberPort as the pool has it, 0 for none of its own
         */
        void stays(long rule, long clientHigh, long clientLow, long memberHigh, long memberLow, int memberPort);
    }

    /**
     * A sticky balancer, and the router it is at.
     *
     * @param tag of its pool, or its service table
     */
    record Balancer(long router, NatRule rule, long tag) {}

    StickyClients(Tables tables, long seed) {
        this.tables = tables;
        connections = tables.connections();
        clients = new WideMap(CAPACITY, seed);
    }

    /** The simulator's, from now on. */
    void setNetwork(VirtualNetwork now) {
        network = now;
    }

    /** Clients that are elsewhere than their balancer's table says. */
    public int size() {
        return clients.size();
    }

    /** Clients that were not kept, since there was no room. */
    public long refused() {
        return refused;
    }

    /** What a sibling knows of a client. */
    public void stay(
            long rule,
            long clientHigh,
            long clientLow,
            long memberHigh,
            long memberLow,
            int memberPort,
            long nowNanos) {
        int slot = clients.find(rule, clientHigh, clientLow);
        if (slot == WideMap.NONE) {
            if (clients.isFull()) {
                refused++;
                return;
            }
            slot = clients.add(rule, clientHigh, clientLow);
        }
        clients.setValues(slot, memberHigh, memberLow, seconds(nowNanos) << PORT_BITS | memberPort);
    }

    /** The member of the pool that a client stays with, {@link MemberPool#NONE}: the table says. */
    int member(NatRule rule, MemberPool pool, long clientHigh, long clientLow, long nowNanos) {
        int slot = clients.size() == 0 ? WideMap.NONE : clients.find(rule.tag(), clientHigh, clientLow);
        if (slot == WideMap.NONE || isOver(slot, nowNanos)) {
            return MemberPool.NONE;
        }
        int port = (int) clients.value(slot, 2) & (1 << PORT_BITS) - 1;
        int member = pool.findOwn(clients.value(slot, 0), clients.value(slot, 1), port);
        return member == MemberPool.NONE || pool.isDown(member, tables) ? MemberPool.NONE : member;
    }

    /** Whether a client stays with an instance of a service, which is then the destination of the key. */
    boolean instance(NatRule rule, long clientHigh, long clientLow, long nowNanos, ConnectionKey into) {
        int slot = clients.size() == 0 ? WideMap.NONE : clients.find(rule.tag(), clientHigh, clientLow);
        if (slot == WideMap.NONE || isOver(slot, nowNanos)) {
            return false;
        }
        into.dst(clients.value(slot, 0), clients.value(slot, 1), 0);
        return true;
    }

    /** A pool changed, or whether its members answer, or a service table: before the next packet. */
    public void poolChanged(long poolTag, long nowNanos, Listener told) {
        for (int i = 0; i < network.sticky.length; i++) {
            if (network.sticky[i].tag() == poolTag) {
                for (int slot = 0; slot < connections.capacity(); slot++) {
                    look(network.sticky[i], slot, nowNanos, told);
                }
            }
        }
    }

    /** From time to time: those that still have connections stay on; who has had none for long is forgotten. */
    public void refresh(long nowNanos, Listener told) {
        for (int i = Math.min(LOOKS_AT_ONCE, clients.slots()); i > 0 && clients.size() > 0; i--) {
            nextClient = nextClient + 1 < clients.slots() ? nextClient + 1 : 0;
            if (clients.isUsed(nextClient) && isOver(nextClient, nowNanos)) {
                clients.remove(nextClient);
            }
        }
        int balancers = network.sticky.length;
        if (clients.size() == 0 || balancers == 0) {
            return;
        }
        int turns = Math.min(connections.capacity(), Math.max(1, LOOKS_AT_ONCE / balancers));
        for (int i = 0; i < turns; i++) {
            nextConnection = nextConnection + 1 < connections.capacity() ? nextConnection + 1 : 0;
            for (int each = 0; each < balancers && connections.isUsed(nextConnection); each++) {
                look(network.sticky[each], nextConnection, nowNanos, told);
            }
        }
    }

    private void look(Balancer balancer, int slot, long nowNanos, Listener told) {
        boolean live = connections.isUsed(slot)
                && connections.idleNanos(slot, nowNanos) < connections.lifetimeNanos(slot)
                && connections.crossing(slot, balancer.router(), before, after)
                && balancer.rule().isFor(before);
        if (!live) {
            return;
        }
        BoundService service = balancer.rule().service();
        MemberPool pool = balancer.rule().members();
        if (service != null) {
            lookAtInstance(balancer.rule(), service, nowNanos, told);
        } else if (pool != null) {
            lookAtMember(balancer.rule(), pool, nowNanos, told);
        }
    }

    private void lookAtMember(NatRule balancer, MemberPool pool, long nowNanos, Listener told) {
        int member = pool.find(after.dstHigh(), after.dstLow(), after.dstPort(), before.dstPort());
        if (member == MemberPool.NONE || pool.isDown(member, tables)) {
            return;
        }
        long rule = balancer.tag();
        long high = before.srcHigh();
        long low = before.srcLow();
        if (member != pool.choose(hash(rule, high, low), tables)) {
            stay(rule, high, low, pool.high(member), pool.low(member), pool.ownPort(member), nowNanos);
            told.stays(rule, high, low, pool.high(member), pool.low(member), pool.ownPort(member));
        }
    }

    private void lookAtInstance(NatRule balancer, BoundService service, long nowNanos, Listener told) {
        ServiceTable table = tables.services().table(service.table);
        ServiceEntry entry = table == null ? null : table.find(service.id);
        long instanceHigh = after.dstHigh();
        long instanceLow = after.dstLow();
        boolean v4 = IpAddress.isV4(instanceHigh, instanceLow);
        if (entry == null || entry.topAt(instanceHigh, instanceLow, v4) == null) {
            return;
        }
        long rule = balancer.tag();
        long high = before.srcHigh();
        long low = before.srcLow();
        ServiceSlot chosen = entry.choose(hash(rule, high, low), v4);
        if (chosen == null || !chosen.rule().target().isAt(instanceHigh, instanceLow, v4)) {
            stay(rule, high, low, instanceHigh, instanceLow, 0, nowNanos);
            told.stays(rule, high, low, instanceHigh, instanceLow, 0);
        }
    }

    /** What stands for a client in its balancer's table. */
    static long hash(long rule, long clientHigh, long clientLow) {
        return Hashing.combine(Hashing.combine(rule, clientHigh), clientLow);
    }

    private boolean isOver(int slot, long nowNanos) {
        return seconds(nowNanos) - (clients.value(slot, 2) >> PORT_BITS) > KEPT_SECONDS;
    }

    private static long seconds(long nanos) {
        return nanos / SECOND;
    }
}
