package dev.weft.sim.service;

import dev.weft.base.HotPath;
import dev.weft.base.IpAddress;
import java.util.Optional;
import java.util.UUID;

/**
 * What a rule does with a packet. Two rules of one entry with equal targets are one rule.
 *
 * @param address IPv4 bits the packet is sent to; 0 of DELAY and DROP
 * @param high with {@code low}, where connections over IPv6 are sent that do not speak Serval; 0 when nowhere
 * @param instance the port of the instance that registered itself; empty of what the topology says
 */
@HotPath
public record ServiceTarget(Action action, int address, long high, long low, Optional<UUID> instance) {
    /** The kinds of rules. */
    public enum Action {
        /** On to an instance or another service router, which see the way it came. */
        FORWARD,
        /** To an instance, as if it had been sent there. */
        DEMUX,
        /** Held until there is another rule for it. */
        DELAY,
        DROP
    }

    public static final ServiceTarget DELAY = new ServiceTarget(Action.DELAY, 0, 0, 0, Optional.empty());
    public static final ServiceTarget DROP = new ServiceTarget(Action.DROP, 0, 0, 0, Optional.empty());

    public static ServiceTarget forward(int address) {
        return new ServiceTarget(Action.FORWARD, address, 0, 0, Optional.empty());
    }

    public static ServiceTarget demux(int address) {
        return new ServiceTarget(Action.DEMUX, address, 0, 0, Optional.empty());
    }

    /** FORWARD to what registered itself. */
    public static ServiceTarget instance(int address, UUID port) {
        return new ServiceTarget(Action.FORWARD, address, 0, 0, Optional.of(port));
    }

    /** The same, which has an IPv6 address, too. */
    public ServiceTarget withV6(IpAddress v6) {
        return new ServiceTarget(action, address, v6.high(), v6.low(), instance);
    }

    /** Whether it can be reached over this family. */
    public boolean isReachable(boolean v4) {
        return !isExclusive() && (v4 || (high | low) != 0);
    }

    /** Whether it is reached over this family at the address. */
    public boolean isAt(long itsHigh, long itsLow, boolean v4) {
        return isReachable(v4) && high(v4) == itsHigh && low(v4) == itsLow;
    }

    public long high(boolean v4) {
        return v4 ? 0 : high;
    }

    /** As in {@link IpAddress}. */
    public long low(boolean v4) {
        return v4 ? IpAddress.V4_MARK | address & 0xffff_ffffL : low;
    }

    /** It says what becomes of all packets, so an entry has one such at most. */
    public boolean isExclusive() {
        return action == Action.DELAY || action == Action.DROP;
    }

    /** {@code forward to 10.0.1.5}. */
    @Override
    public String toString() {
        return switch (action) {
            case FORWARD -> (instance.isEmpty() ? "forward to " : "instance at ") + IpAddress.ofV4(address);
            case DEMUX -> "demux to " + IpAddress.ofV4(address);
            case DELAY -> "delay";
            case DROP -> "drop";
        };
    }
}
