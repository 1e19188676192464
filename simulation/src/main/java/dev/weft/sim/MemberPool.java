package dev.weft.sim;

import dev.weft.base.Hashing;
import dev.weft.base.HotPath;
import dev.weft.base.IpAddress;
import dev.weft.base.Tag;
import dev.weft.topology.schema.Member;
import dev.weft.topology.schema.Pool;
import java.util.Arrays;
import java.util.HashMap;
import java.util.UUID;
import java.util.stream.IntStream;

/** The members of a pool, compiled. Immutable. Whether one is down is the tables' business. */
@HotPath
final class MemberPool {
    static final int NONE = -1;

    private static final int HIGH = 0;
    private static final int LOW = 1;
    private static final int NAME = 2;
    private static final int PORT = 3;
    private static final int WORDS = 4;

    /** Other members tried for a hash whose own are down. */
    private static final int TRIES = 16;

    final Pool message;
    final long tag;
    final String label;
    /** By member, so that one is read from one line of the cache: high, low, name, port. */
    private final long[] words;

    private final FrozenMap byAddress;
    private final int[] next; // another member of the same address
    private final boolean[] takesNew;
    final MaglevTable table;

    MemberPool(Pool message) {
        this.message = message;
        label = "pool " + message.getName();
        tag = Tag.device(UUID.fromString(message.getId()));
        int count = message.getMembersCount();
        words = new long[count * WORDS];
        next = new int[count];
        long[] names = new long[count];
        takesNew = new boolean[count];
        int[] weights = new int[count];
        var addresses = new FrozenMap.Builder();
        var first = new HashMap<IpAddress, Integer>();
        for (int i = 0; i < count; i++) {
            Member member = message.getMembers(i);
            var address = IpAddress.parse(member.getAddress());
            names[i] = nameOf(tag, address.high(), address.low(), member.getPort());
            words[i * WORDS + HIGH] = address.high();
            words[i * WORDS + LOW] = address.low();
            words[i * WORDS + NAME] = names[i];
            words[i * WORDS + PORT] = member.getPort();
            weights[i] = member.getDraining() ? 0 : Math.max(1, member.getWeight());
            takesNew[i] = !member.getDraining();
            Integer before = first.putIfAbsent(address, i);
            next[i] = NONE;
            if (before == null) {
                addresses.putIfAbsent(address.high(), address.low(), i);
            } else {
                next[i] = next[before];
                next[before] = i;
            }
        }
        byAddress = addresses.build();
        table = MaglevTable.of(names, weights);
    }

    /** By what the tables know a member. */
    static long nameOf(long poolTag, long high, long low, int port) {
        return Hashing.combine(Hashing.combine(Hashing.combine(poolTag, high), low), port);
    }

    /** The same addresses and ports, in whatever order. */
    boolean hasSameMembers(MemberPool other) {
        return tag == other.tag && Arrays.equals(sortedNames(), other.sortedNames());
    }

    private long[] sortedNames() {
        return IntStream.range(0, size())
                .mapToLong(member -> words[member * WORDS + NAME])
                .sorted()
                .toArray();
    }

    int size() {
        return takesNew.length;
    }

    long high(int member) {
        return words[member * WORDS + HIGH];
    }

    long low(int member) {
        return words[member * WORDS + LOW];
    }

    /** The port that a packet to {@code asked} goes to. */
    int port(int member, int asked) {
        int own = ownPort(member);
        return own == 0 ? asked : own;
    }

    boolean isDown(int member, Tables tables) {
        return tables.isDown(words[member * WORDS + NAME]);
    }

    /** The member at this address and port, {@link #NONE} when there is none (any more). */
    int find(long itsHigh, long itsLow, int itsPort, int asked) {
        int member = (int) byAddress.get(itsHigh, itsLow);
        while (member != NONE && port(member, asked) != itsPort) {
            member = next[member];
        }
        return member;
    }

    /** As the topology has it, 0 for none. */
    int ownPort(int member) {
        return (int) words[member * WORDS + PORT];
    }

    /** The member at this address and with this port of its own, {@link #NONE} when there is none (any more). */
    int findOwn(long itsHigh, long itsLow, int itsOwnPort) {
        int member = (int) byAddress.get(itsHigh, itsLow);
        while (member != NONE && ownPort(member) != itsOwnPort) {
            member = next[member];
        }
        return member;
    }

    /** Who serves the connections of this hash: the same one, unless it is down. */
    int choose(long hash, Tables tables) {
        long each = hash;
        for (int i = 0; i < TRIES; i++) {
            int member = table.member(each);
            if (member == MaglevTable.NONE || !isDown(member, tables)) {
                return member;
            }
            each = Hashing.mix(each + 1);
        }
        return anyUp(tables);
    }

    private int anyUp(Tables tables) {
        for (int member = 0; member < size(); member++) {
            if (takesNew[member] && !isDown(member, tables)) {
                return member;
            }
        }
        return NONE;
    }
}
