package dev.weft.datapath.soft;

import dev.weft.base.Hashing;
import dev.weft.base.HotPath;
import dev.weft.sim.flow.FlowKey;
import dev.weft.sim.packet.Ethernet;
import dev.weft.sim.packet.Ipv4;
import dev.weft.sim.packet.Ipv6;
import dev.weft.sim.packet.Packet;
import java.util.Arrays;
import java.util.concurrent.TimeUnit;

/**
 * What first fragments had behind the IP header, for the later ones of their packets, which lack it: by ingress,
 * addresses, protocol and identification. Few are kept, the latest of each set of places, and not for long. Any thread,
 * under its own lock: fragments are rare.
 */
@HotPath
public final class FirstFragments {
    private static final int SET_BITS = 10;
    private static final int SETS = 1 << SET_BITS;
    private static final int WAYS = 4;
    private static final int WORDS = 6;
    /** A receiver waits no longer for the rest of a packet: RFC 791 §3.2, RFC 8200 §4.5. */
    private static final long KEPT_NANOS = TimeUnit.SECONDS.toNanos(30);

    // Guarded by this. By place:
    private final long[] packets = new long[SETS * WAYS * WORDS];
    private final long[] seen = new long[SETS * WAYS];
    private final int[] l4 = new int[SETS * WAYS]; // 0: free
    private final long[] wanted = new long[WORDS];

    /** A first fragment teaches; a later one's key is completed. The ingress is in the key. */
    void see(Packet packet, long now) {
        int fragment = packet.key.fragment();
        if (fragment == FlowKey.FIRST_FRAGMENT) {
            int told = l4Of(packet.key);
            if (told != 0) {
                teach(packet, told, now);
            }
        } else if (fragment == FlowKey.LATER_FRAGMENT) {
            complete(packet.key, find(packet, now));
        }
    }

    private synchronized void teach(Packet packet, int told, long now) {
        int set = setOf(packet);
        int victim = set;
        for (int place = set; place < set + WAYS; place++) {
            if (l4[place] == 0 || isWanted(place)) {
                victim = place;
                break;
            }
            if (seen[place] - seen[victim] < 0) {
                victim = place;
            }
        }
        System.arraycopy(wanted, 0, packets, victim * WORDS, WORDS);
        seen[victim] = now;
        l4[victim] = told;
    }

    private synchronized int find(Packet packet, long now) {
        int set = setOf(packet);
        for (int place = set; place < set + WAYS; place++) {
            if (l4[place] != 0 && isWanted(place)) {
                return now - seen[place] <= KEPT_NANOS ? l4[place] : 0;
            }
        }
        return 0;
    }

    /** The first place of the packet's set; the packet becomes the wanted one. */
    private int setOf(Packet packet) {
        FlowKey key = packet.key;
        wanted[0] = key.word(0);
        wanted[1] = key.srcHigh();
        wanted[2] = key.srcLow();
        wanted[3] = key.dstHigh();
        wanted[4] = key.dstLow();
        wanted[5] = (long) key.protocol() << 32 | packet.fragmentId & 0xffff_ffffL;
        long hash = 0;
        for (long word : wanted) {
            hash = Hashing.combine(hash, word);
        }
        return (int) (hash >>> Long.SIZE - SET_BITS) * WAYS;
    }

    private boolean isWanted(int place) {
        int at = place * WORDS;
        return Arrays.equals(packets, at, at + WORDS, wanted, 0, WORDS);
    }

    /** Ports: source 31..16, destination 15..0. ICMP: type 31..24, code 23..16, echo id 15..0. 0 for other protocols. */
    static int l4Of(FlowKey key) {
        if (isIcmp(key)) {
            return key.l4Src() << 24 | key.l4Dst() << 16 | key.icmpId();
        }
        boolean ports = key.protocol() == Ipv4.TCP || key.protocol() == Ipv4.UDP;
        return ports ? key.l4Src() << 16 | key.l4Dst() : 0;
    }

    /** Gives the key of a later fragment what its first one told. */
    public static void complete(FlowKey key, int told) {
        boolean icmp = isIcmp(key);
        int src = icmp ? told >>> 24 : told >>> 16;
        int dst = icmp ? told >>> 16 & 0xff : told & 0xffff;
        key.setTransport(key.protocol(), key.dscp(), FlowKey.LATER_FRAGMENT, 0, src, dst);
        if (icmp) {
            key.setIcmpId(told & 0xffff);
        }
    }

    private static boolean isIcmp(FlowKey key) {
        return key.protocol() == (key.etherType() == Ethernet.IPV4 ? Ipv4.ICMP : Ipv6.ICMPV6);
    }
}
