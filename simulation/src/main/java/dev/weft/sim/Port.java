package dev.weft.sim;

import dev.weft.base.Hashing;
import dev.weft.base.HotPath;
import dev.weft.base.IpAddress;
import dev.weft.base.IpPrefix;
import dev.weft.base.MacAddress;
import dev.weft.base.Tag;
import dev.weft.topology.InterfaceAddress;
import java.util.Arrays;
import java.util.List;
import java.util.Objects;
import java.util.UUID;
import org.jspecify.annotations.Nullable;

/** A port, compiled. Immutable, shared by all workers. Other ports and the device are dense indices. */
@HotPath
final class Port {
    static final int NONE = -1;

    /** A locally administered unicast MAC. */
    private static final long LOCAL_MAC = 0x0200_0000_0000L;

    final int index;
    final UUID id;
    final String name;
    final boolean onBridge;
    final int device;
    /** Interior: the port at the other end; else {@link #NONE}. */
    final int peer;
    /** Exterior: it has a host. */
    final boolean bound;
    /** See {@link HealthPort}. */
    final boolean forChecks;
    /** Of exterior ports only. */
    final boolean stateful;
    /** Exterior: Serval's control packets to its VM are judged first. */
    final boolean servalGuarded;
    /** By its owner: nothing passes. */
    final boolean disabled;
    /** Of router ports; 0 on a bridge. */
    final long mac;
    /** Longest IP packet that leaves by it; 0: any. */
    final int mtu;
    /** Of bridge ports; plain on a router. */
    final PortVlans vlans;
    /** Of exterior bridge ports whose VM the topology describes. */
    final @Nullable Station station;

    /** Of index; {@link CompiledChain#NONE} when there is none. */
    final int inboundChain;

    final int outboundChain;
    /** Its security groups. */
    final Guard guard;

    final long tag;
    final long locationTag;
    private final long[] addresses; // high, low
    private final int[] networkBits;
    private final dev.weft.topology.schema.Port message;

    Port(
            int index,
            dev.weft.topology.schema.Port message,
            boolean onBridge,
            int device,
            int peer,
            int inboundChain,
            int outboundChain,
            Guard guard) {
        this.index = index;
        this.message = message;
        this.onBridge = onBridge;
        this.device = device;
        this.peer = peer;
        this.inboundChain = inboundChain;
        this.outboundChain = outboundChain;
        this.guard = guard;
        id = UUID.fromString(message.getId());
        name = message.getName();
        bound = !message.getHostId().isEmpty();
        forChecks = HealthPort.is(message);
        stateful = bound && message.getStateful();
        servalGuarded = stateful || bound && message.getServalGuard();
        disabled = message.getDisabled();
        mac = onBridge ? 0 : macOf(message);
        mtu = message.getMtu();
        vlans = PortVlans.of(message);
        station = Station.of(message);
        tag = Tag.device(id);
        locationTag = Tag.location(id);
        List<String> all = onBridge ? List.of() : message.getAddressesList();
        addresses = new long[2 * all.size()];
        networkBits = new int[all.size()];
        for (int i = 0; i < all.size(); i++) {
            var address = InterfaceAddress.parse(all.get(i));
            addresses[2 * i] = address.address().high();
            addresses[2 * i + 1] = address.address().low();
            networkBits[i] = address.network().bits();
        }
    }

    /** The MAC a router port answers with: its own, or one made from its id, the same on every host. */
    static long macOf(dev.weft.topology.schema.Port port) {
        if (!port.getMac().isEmpty()) {
            return MacAddress.parse(port.getMac()).bits();
        }
        var id = UUID.fromString(port.getId());
        return LOCAL_MAC | Hashing.combine(id.getMostSignificantBits(), id.getLeastSignificantBits()) & 0xff_ffff_ffffL;
    }

    /** Whether what its VM sends is recorded, since answers are told apart here. */
    boolean tracks() {
        return stateful || guard.stateful();
    }

    /** Of bound ports. */
    UUID host() {
        return UUID.fromString(message.getHostId());
    }

    int addressCount() {
        return networkBits.length;
    }

    long addressHigh(int i) {
        return addresses[2 * i];
    }

    long addressLow(int i) {
        return addresses[2 * i + 1];
    }

    /** The i-th address's subnet, in the 128-bit form. */
    int networkBits(int i) {
        return networkBits[i];
    }

    boolean owns(long high, long low) {
        for (int i = 0; i < networkBits.length; i++) {
            if (addresses[2 * i] == high && addresses[2 * i + 1] == low) {
                return true;
            }
        }
        return false;
    }

    /** Inside one of the port's subnets. */
    boolean isOnLink(long high, long low) {
        return subnetOf(high, low) != NONE;
    }

    private int subnetOf(long high, long low) {
        for (int i = 0; i < networkBits.length; i++) {
            int bits = networkBits[i];
            if (((addresses[2 * i] ^ high) & IpPrefix.highMask(bits)) == 0
                    && ((addresses[2 * i + 1] ^ low) & IpPrefix.lowMask(bits)) == 0) {
                return i;
            }
        }
        return NONE;
    }

    /**
     * Which of the port's addresses speaks to this one: the one of the same subnet, else the first of the family, else
     * {@link #NONE}.
     */
    int addressFor(long high, long low) {
        int same = subnetOf(high, low);
        if (same != NONE) {
            return same;
        }
        boolean v4 = IpAddress.isV4(high, low);
        for (int i = 0; i < networkBits.length; i++) {
            if (IpAddress.isV4(addresses[2 * i], addresses[2 * i + 1]) == v4) {
                return i;
            }
        }
        return NONE;
    }

    boolean isFrom(dev.weft.topology.schema.Port other, int otherDevice, int otherPeer, Guard otherGuard) {
        return device == otherDevice
                && peer == otherPeer
                && guard.equals(otherGuard)
                && (message == other || message.equals(other));
    }

    /** Whether a packet could tell the difference; the name and which host it is are none of its business. */
    boolean behavesAs(Port other) {
        return onBridge == other.onBridge
                && device == other.device
                && peer == other.peer
                && bound == other.bound
                && stateful == other.stateful
                && servalGuarded == other.servalGuarded
                && disabled == other.disabled
                && inboundChain == other.inboundChain
                && outboundChain == other.outboundChain
                && guard.equals(other.guard)
                && mac == other.mac
                && mtu == other.mtu
                && vlans.equals(other.vlans)
                && Objects.equals(station, other.station)
                && Arrays.equals(addresses, other.addresses)
                && Arrays.equals(networkBits, other.networkBits);
    }
}
