package dev.weft.datapath.ebpf;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static java.lang.foreign.ValueLayout.JAVA_INT;

import dev.weft.base.HotPath;
import dev.weft.base.IpAddress;
import dev.weft.base.MacAddress;
import dev.weft.datapath.bpf.BpfException;
import dev.weft.datapath.bpf.BpfMap;
import dev.weft.datapath.ebpf.Layout.Remote;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Arrays;
import java.util.List;

/**
 * Hosts at the other ends of tunnels, by index. A new one is reached through the kernel's device until its outer headers
 * are known ({@link #direct}). Any thread; a known one is found without a lock. An index is never given away again.
 */
final class RemoteTable {
    /** No room for one more. */
    static final int FULL = -1;

    private static final int IPV4_HEADER_WORDS = 10;

    private static final ValueLayout.OfLong BE_LONG = ValueLayout.JAVA_LONG_UNALIGNED.withOrder(ByteOrder.BIG_ENDIAN);

    /** Known hosts. Replaced whole; indices are places in it. */
    private record Known(long[] high, long[] low) {
        int indexOf(long h, long l) {
            for (int i = 0; i < high.length; i++) {
                if (low[i] == l && high[i] == h) {
                    return i;
                }
            }
            return FULL;
        }
    }

    private final BpfMap map;
    private final boolean v6;
    private final Runnable onNew;
    private volatile Known known = new Known(new long[0], new long[0]);

    /** @param onNew is told of a host that was not known; called from any thread, returns at once */
    RemoteTable(BpfMap map, IpAddress underlay, Runnable onNew) {
        this.map = map;
        v6 = !underlay.isV4();
        this.onNew = onNew;
    }

    /** Takes over the hosts an earlier process knew: flows name them by index. */
    synchronized void restore() {
        var highs = new long[Layout.MAX_REMOTES];
        var lows = new long[Layout.MAX_REMOTES];
        int count = 0;
        try (var arena = Arena.ofConfined()) {
            var key = arena.allocate(JAVA_INT);
            var value = arena.allocate(Remote.SIZE, 8);
            while (count < Layout.MAX_REMOTES) {
                key.set(JAVA_INT, 0, count);
                BpfException.check(map.lookup(key.address(), value.address()), "read remote host " + count);
                highs[count] = value.get(BE_LONG, Remote.DST);
                lows[count] = value.get(BE_LONG, Remote.DST + 8);
                if ((highs[count] | lows[count]) == 0) {
                    break;
                }
                count++;
            }
        }
        known = new Known(Arrays.copyOf(highs, count), Arrays.copyOf(lows, count));
    }

    @HotPath
    int indexOf(long high, long low) {
        int index = known.indexOf(high, low);
        return index == FULL ? add(high, low) : index;
    }

    private int add(long high, long low) {
        int index;
        synchronized (this) {
            Known now = known;
            index = now.indexOf(high, low);
            if (index != FULL || now.high.length == Layout.MAX_REMOTES) {
                return index;
            }
            index = now.high.length;
            throughDevice(index, new IpAddress(high, low));
            var highs = Arrays.copyOf(now.high, index + 1);
            var lows = Arrays.copyOf(now.low, index + 1);
            highs[index] = high;
            lows[index] = low;
            known = new Known(highs, lows);
        }
        onNew.run();
        return index;
    }

    /** All that are known, by index. */
    List<IpAddress> all() {
        Known now = known;
        var all = new IpAddress[now.high.length];
        for (int i = 0; i < all.length; i++) {
            all[i] = new IpAddress(now.high[i], now.low[i]);
        }
        return List.of(all);
    }

    /** The kernel finds the way itself, packet by packet. */
    void throughDevice(int index, IpAddress remote) {
        try (var arena = Arena.ofConfined()) {
            var value = value(arena, remote, v6 ? Remote.V6 : 0);
            write(arena, index, value);
        }
    }

    /** Everything of the outer headers is known. */
    void direct(int index, IpAddress remote, IpAddress source, int ifindex, MacAddress to, MacAddress from, int mtu) {
        try (var arena = Arena.ofConfined()) {
            var value = value(arena, remote, Remote.DIRECT | (v6 ? Remote.V6 : 0));
            value.set(JAVA_INT, Remote.IFINDEX, ifindex);
            putAddress(value, Remote.SRC, source);
            putMac(value, Remote.DST_MAC, to);
            putMac(value, Remote.SRC_MAC, from);
            value.set(JAVA_INT, Remote.V4_SUM, v6 ? 0 : headerSum(source, remote));
            value.set(JAVA_INT, Remote.MTU, mtu);
            write(arena, index, value);
        }
    }

    private static MemorySegment value(Arena arena, IpAddress remote, int flags) {
        var value = arena.allocate(Remote.SIZE, 8);
        value.set(JAVA_INT, Remote.FLAGS, flags);
        putAddress(value, Remote.DST, remote);
        return value;
    }

    private void write(Arena arena, int index, MemorySegment value) {
        var key = arena.allocateFrom(JAVA_INT, index);
        BpfException.check(map.update(key.address(), value.address(), BpfMap.ANY), "write remote host " + index);
    }

    private static void putAddress(MemorySegment value, long at, IpAddress address) {
        var octets = ByteBuffer.allocate(16).putLong(address.high()).putLong(address.low());
        MemorySegment.copy(octets.array(), 0, value, JAVA_BYTE, at, 16);
    }

    private static void putMac(MemorySegment value, long at, MacAddress mac) {
        for (int i = 0; i < 6; i++) {
            value.set(JAVA_BYTE, at + i, (byte) (mac.bits() >>> 40 - 8 * i));
        }
    }

    /** Of the outer IPv4 header as the program writes it, length and checksum 0, in the order of its memory (RFC 1071 §2). */
    private static int headerSum(IpAddress source, IpAddress destination) {
        var header = ByteBuffer.allocate(2 * IPV4_HEADER_WORDS)
                .putInt(0x4500_0000)
                .putInt(0x0000_4000)
                .putInt(0x4011_0000)
                .putInt((int) source.low())
                .putInt((int) destination.low())
                .flip()
                .order(ByteOrder.nativeOrder());
        int sum = 0;
        while (header.hasRemaining()) {
            sum += header.getShort() & 0xffff;
        }
        return sum;
    }
}
