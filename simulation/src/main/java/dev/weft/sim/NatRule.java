package dev.weft.sim;

import dev.weft.base.HotPath;
import dev.weft.base.IpPrefix;
import dev.weft.sim.match.Lpm;
import dev.weft.state.ConnectionKey;
import dev.weft.state.PortBlocks;
import java.util.List;
import java.util.UUID;
import org.jspecify.annotations.Nullable;

/**
 * One rule of a router's translation, compiled. Immutable.
 *
 * @param id of the object it was made from
 * @param tag of the object it was made from; names its pool of ports too
 * @param port the router's port to the outside, as an index; {@link Port#NONE} for rules about destinations
 * @param source packets from here
 * @param destination packets to here
 * @param protocol IP protocol, {@link #ANY} for all
 * @param lowPort first destination port; with {@code highPort}, 0..65535 for any
 * @param addresses what the address becomes
 * @param firstPort of the ports it gets; {@link #ANY} leaves the packet's own
 * @param members of a BALANCE rule, in place of addresses; null for the others
 * @param service of a BALANCE rule, in place of members; null for the others
 * @param sticky of a BALANCE rule: all connections of a client go to one member
 */
@HotPath
record NatRule(
        UUID id,
        String name,
        Kind kind,
        long tag,
        int port,
        IpPrefix source,
        IpPrefix destination,
        int protocol,
        int lowPort,
        int highPort,
        List<IpPrefix> addresses,
        int firstPort,
        int lastPort,
        @Nullable MemberPool members,
        @Nullable BoundService service,
        boolean sticky)
        implements PortBlocks.Offer {
    static final int ANY = -1;

    /** A network of more addresses counts as one of so many; enough to spread over. */
    private static final int MOST_BITS = 30;

    enum Kind {
        SOURCE,
        DESTINATION,
        STATIC,
        BALANCE
    }

    /** Whether no packet could tell the difference, apart from which member of the same ones a balancer chooses. */
    boolean isSame(NatRule other) {
        boolean sameMembers = members == null
                ? other.members == null
                : other.members != null && members.hasSameMembers(other.members);
        return sameMembers && withoutMembers().equals(other.withoutMembers());
    }

    private NatRule withoutMembers() {
        return new NatRule(
                id,
                name,
                kind,
                tag,
                port,
                source,
                destination,
                protocol,
                lowPort,
                highPort,
                addresses,
                firstPort,
                lastPort,
                null,
                service,
                sticky);
    }

    /** Whether it is for the packet, as far as that is decided by where it comes from and goes to. */
    boolean useMatches(Simulation sim) {
        return useIsIn(sim, source, true) && useIsIn(sim, destination, false) && useTransportMatches(sim);
    }

    private static boolean useIsIn(Simulation sim, IpPrefix prefix, boolean source) {
        long high = source ? sim.srcHigh() : sim.dstHigh();
        long low = source ? sim.srcLow() : sim.dstLow();
        int common = Lpm.commonBits(prefix.high() ^ high, prefix.low() ^ low);
        int bits = Math.min(prefix.bits(), common + 1);
        if (source) {
            sim.useSrcHigh(bits);
        } else {
            sim.useDstHigh(bits);
        }
        return common >= prefix.bits();
    }

    private boolean useTransportMatches(Simulation sim) {
        if (protocol == ANY) {
            return true;
        }
        if (sim.useProtocol() != protocol) {
            return false;
        }
        if (!asksForPorts()) {
            return true;
        }
        sim.useFragment();
        int l4Port = sim.useL4Dst();
        return l4Port >= lowPort && l4Port <= highPort;
    }

    /** As {@link #useMatches}, of the packet turned round; its source was looked up. */
    boolean useMatchesAnswer(Simulation sim) {
        int common = Lpm.commonBits(destination.high() ^ sim.srcHigh(), destination.low() ^ sim.srcLow());
        sim.useSrcHigh(Math.min(destination.bits(), common + 1));
        if (common < destination.bits() || protocol != ANY && sim.useProtocol() != protocol) {
            return false;
        }
        if (!asksForPorts()) {
            return true;
        }
        sim.useFragment();
        int l4Port = sim.useL4Src();
        return l4Port >= lowPort && l4Port <= highPort;
    }

    /** Whether it is about a packet of this tuple, by destination, protocol and port. */
    boolean isFor(ConnectionKey tuple) {
        return contains(destination, tuple.dstHigh(), tuple.dstLow())
                && (protocol == ANY || protocol == tuple.protocol())
                && tuple.dstPort() >= lowPort
                && tuple.dstPort() <= highPort;
    }

    boolean asksForPorts() {
        return lowPort > 0 || highPort < 0xffff;
    }

    /** How many addresses there are to choose from. */
    long addressCount() {
        long count = 0;
        for (int i = 0; i < addresses.size(); i++) {
            count += size(addresses.get(i));
        }
        return count;
    }

    /** The position of the n-th address's network. */
    int networkOf(long index) {
        long left = index;
        int i = 0;
        while (i < addresses.size() - 1 && left >= size(addresses.get(i))) {
            left -= size(addresses.get(i++));
        }
        return i;
    }

    /** The low word of the n-th address; the high word is that of its network. */
    long lowOf(long index) {
        long left = index;
        int i = 0;
        while (i < addresses.size() - 1 && left >= size(addresses.get(i))) {
            left -= size(addresses.get(i++));
        }
        return addresses.get(i).low() + left;
    }

    /** Whether an address is one of those it may become. */
    @Override
    public boolean gives(long high, long low) {
        for (int i = 0; i < addresses.size(); i++) {
            if (contains(addresses.get(i), high, low)) {
                return true;
            }
        }
        return false;
    }

    /** Of a source rule. */
    @Override
    public boolean givesPort(int l4Port) {
        return givesPort(l4Port, l4Port);
    }

    boolean givesPort(int l4Port, int before) {
        return firstPort == ANY ? l4Port == before : l4Port >= firstPort && l4Port <= lastPort;
    }

    /** The port that a packet to {@code before} goes to. */
    int portFor(int before) {
        if (firstPort == ANY) {
            return before;
        }
        boolean sameSize = lastPort - firstPort == highPort - lowPort;
        return sameSize && asksForPorts() ? firstPort + before - lowPort : firstPort;
    }

    static boolean contains(IpPrefix prefix, long high, long low) {
        return ((prefix.high() ^ high) & IpPrefix.highMask(prefix.bits())) == 0
                && ((prefix.low() ^ low) & IpPrefix.lowMask(prefix.bits())) == 0;
    }

    private static long size(IpPrefix network) {
        return 1L << Math.min(MOST_BITS, 128 - network.bits());
    }
}
