package dev.weft.datapath.ebpf;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static java.lang.foreign.ValueLayout.JAVA_INT;

import dev.weft.base.IpAddress;
import dev.weft.datapath.TunnelKeyRules;
import dev.weft.datapath.bpf.BpfException;
import dev.weft.datapath.bpf.BpfMap;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.HashSet;
import java.util.Set;

/** Own tunnel keys and known peers, in the kernel's maps. Any thread, one lock. */
final class TunnelKeys {
    private static final ValueLayout.OfLong BE_LONG = ValueLayout.JAVA_LONG_UNALIGNED.withOrder(ByteOrder.BIG_ENDIAN);
    private static final int ADDRESS_SIZE = 16;

    private final KernelTables tables;
    // Guarded by this.
    private final Set<IpAddress> peers = new HashSet<>();
    /** Bound before this process, which has not bound them again yet. */
    private final Set<Integer> survivors = new HashSet<>();

    TunnelKeys(KernelTables tables) {
        this.tables = tables;
        if (tables.found()) {
            restore();
        }
    }

    private void restore() {
        try (var arena = Arena.ofConfined()) {
            var key = arena.allocate(JAVA_INT);
            for (long from = 0; tables.tunnelKeys.nextKey(from, key.address()) >= 0; from = key.address()) {
                survivors.add(key.get(JAVA_INT, 0));
            }
            var peer = arena.allocate(ADDRESS_SIZE, 8);
            for (long from = 0; tables.peers.nextKey(from, peer.address()) >= 0; from = peer.address()) {
                peers.add(new IpAddress(peer.get(BE_LONG, 0), peer.get(BE_LONG, 8)));
            }
        }
    }

    synchronized void bind(int key, int target) {
        TunnelKeyRules.check(key, target);
        survivors.remove(key);
        try (var arena = Arena.ofConfined()) {
            var name = arena.allocateFrom(JAVA_INT, key);
            var value = arena.allocateFrom(JAVA_INT, target);
            BpfException.check(
                    tables.tunnelKeys.update(name.address(), value.address(), BpfMap.ANY), "bind tunnel key " + key);
        }
    }

    synchronized void unbind(int key) {
        survivors.remove(key);
        try (var arena = Arena.ofConfined()) {
            tables.tunnelKeys.delete(arena.allocateFrom(JAVA_INT, key).address());
        }
    }

    synchronized void dropSurvivors() {
        Set.copyOf(survivors).forEach(this::unbind);
    }

    synchronized void setPeers(Set<IpAddress> addresses) {
        try (var arena = Arena.ofConfined()) {
            var yes = arena.allocateFrom(JAVA_BYTE, (byte) 1);
            for (IpAddress gone : Set.copyOf(peers)) {
                if (!addresses.contains(gone)) {
                    tables.peers.delete(octets(arena, gone).address());
                    peers.remove(gone);
                }
            }
            for (IpAddress peer : addresses) {
                if (peers.add(peer)) {
                    BpfException.check(
                            tables.peers.update(octets(arena, peer).address(), yes.address(), BpfMap.ANY),
                            "know peer " + peer);
                }
            }
        }
    }

    private static MemorySegment octets(Arena arena, IpAddress address) {
        byte[] octets = ByteBuffer.allocate(ADDRESS_SIZE)
                .putLong(address.high())
                .putLong(address.low())
                .array();
        return arena.allocateFrom(JAVA_BYTE, octets);
    }
}
