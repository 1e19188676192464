package dev.weft.datapath.memory;

import dev.weft.base.HotPath;
import dev.weft.base.IpAddress;
import dev.weft.datapath.DatapathException;
import dev.weft.datapath.soft.AddressMap;
import java.lang.foreign.MemorySegment;
import java.util.ArrayDeque;
import java.util.HashMap;
import java.util.Map;
import java.util.UUID;
import java.util.concurrent.atomic.LongAdder;
import org.jspecify.annotations.Nullable;

/** The underlay between memory datapaths, by address. Safe from any thread. */
public final class MemoryFabric {
    // Guarded by this.
    private final Map<IpAddress, MemoryDatapath> members = new HashMap<>();
    private final ArrayDeque<Held> held = new ArrayDeque<>();
    private final Map<UUID, MemoryDatapath> survivors = new HashMap<>();

    // Shared.
    private volatile AddressMap<MemoryDatapath> byAddress = AddressMap.of(Map.of());
    private volatile Weather weather = (fromHigh, fromLow, toHigh, toLow, key) -> Fate.DELIVER;
    private final LongAdder lost = new LongAdder();

    /** What becomes of a frame under way. */
    public enum Fate {
        DELIVER,
        /** Lost. */
        LOSE,
        /** Kept until {@link #release}. */
        HOLD
    }

    /** Decides each frame's fate. Called on the sender's thread. */
    @FunctionalInterface
    public interface Weather {
        Fate of(long fromHigh, long fromLow, long toHigh, long toLow, int key);
    }

    private record Held(long fromHigh, long fromLow, long toHigh, long toLow, int key, byte[] frame) {}

    public void setWeather(Weather weather) {
        this.weather = weather;
    }

    /** Frames lost: told so by the weather, or sent to an address nobody has. */
    public long lost() {
        return lost.sum();
    }

    /** Delivers what was held, in the order it was sent, whatever the weather is now. Returns how many. */
    public int release() {
        int released = 0;
        for (Held next = nextHeld(); next != null; next = nextHeld()) {
            deliver(
                    next.fromHigh,
                    next.fromLow,
                    next.toHigh,
                    next.toLow,
                    next.key,
                    MemorySegment.ofArray(next.frame),
                    0,
                    next.frame.length);
            released++;
        }
        return released;
    }

    private synchronized @Nullable Held nextHeld() {
        return held.poll();
    }

    synchronized @Nullable MemoryDatapath survivor(UUID host) {
        return survivors.get(host);
    }

    synchronized void keep(UUID host, MemoryDatapath datapath) {
        survivors.put(host, datapath);
    }

    synchronized void forget(UUID host, MemoryDatapath datapath) {
        survivors.remove(host, datapath);
    }

    synchronized void join(IpAddress address, MemoryDatapath datapath) {
        if (members.putIfAbsent(address, datapath) != null) {
            throw new DatapathException(
                    "underlay address " + address + " is taken in this fabric; give each host its own");
        }
        byAddress = AddressMap.of(members);
    }

    synchronized void leave(IpAddress address, MemoryDatapath datapath) {
        members.remove(address, datapath);
        byAddress = AddressMap.of(members);
    }

    @HotPath
    void send(IpAddress from, long toHigh, long toLow, int key, MemorySegment segment, long offset, int length) {
        switch (weather.of(from.high(), from.low(), toHigh, toLow, key)) {
            case DELIVER -> deliver(from.high(), from.low(), toHigh, toLow, key, segment, offset, length);
            case LOSE -> lost.increment();
            case HOLD -> hold(from, toHigh, toLow, key, segment, offset, length);
        }
    }

    private synchronized void hold(
            IpAddress from, long toHigh, long toLow, int key, MemorySegment segment, long offset, int length) {
        var frame = new byte[length];
        MemorySegment.copy(segment, offset, MemorySegment.ofArray(frame), 0, length);
        held.add(new Held(from.high(), from.low(), toHigh, toLow, key, frame));
    }

    @HotPath
    private void deliver(
            long fromHigh,
            long fromLow,
            long toHigh,
            long toLow,
            int key,
            MemorySegment segment,
            long offset,
            int length) {
        MemoryDatapath target = byAddress.get(toHigh, toLow);
        if (target == null) {
            lost.increment();
        } else {
            target.fromFabric(fromHigh, fromLow, key, segment, offset, length);
        }
    }
}
