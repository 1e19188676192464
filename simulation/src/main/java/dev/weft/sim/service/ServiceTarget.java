package dev.weft.sim.service;

import dev.weft.base.IpAddress;
import java.util.Optional;
import java.util.UUID;

/**
 * What a rule does with a packet. Two rules of one entry with equal targets are one rule.
 *
 * @param address IPv4 bits the packet is sent to; 0 of DELAY and DROP
 * @param port where a DEMUX is delivered
 */
public record ServiceTarget(Action action, int address, Optional<UUID> port) {
    /** The kinds of rules. */
    public enum Action {
        /** On to an address, as a service router does it: an instance, or another service router. */
        FORWARD,
        /** To an instance at a port of this host. */
        DEMUX,
        /** Held until the service's controller says what becomes of it. */
        DELAY,
        DROP
    }

    public static final ServiceTarget DELAY = new ServiceTarget(Action.DELAY, 0, Optional.empty());
    public static final ServiceTarget DROP = new ServiceTarget(Action.DROP, 0, Optional.empty());

    public static ServiceTarget forward(int address) {
        return new ServiceTarget(Action.FORWARD, address, Optional.empty());
    }

    public static ServiceTarget demux(int address, UUID port) {
        return new ServiceTarget(Action.DEMUX, address, Optional.of(port));
    }

    /** It says what becomes of all packets, so an entry has one such at most. */
    boolean isExclusive() {
        return action == Action.DELAY || action == Action.DROP;
    }

    /** {@code forward 10.0.1.5}. */
    @Override
    public String toString() {
        return switch (action) {
            case FORWARD -> "forward " + IpAddress.ofV4(address);
            case DEMUX -> "demux " + IpAddress.ofV4(address);
            case DELAY -> "delay";
            case DROP -> "drop";
        };
    }
}
