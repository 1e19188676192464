package dev.weft.sim.service;

import dev.weft.base.ServicePrefix;
import java.util.UUID;

/**
 * Somebody who serves services, as a port's VM said.
 *
 * @param address IPv4 bits
 * @param priority 0 or more
 * @param weight 1..65535
 */
public record ServiceInstance(ServicePrefix prefix, UUID port, int address, int priority, int weight) {
    /** The same, with another part of the packets. */
    public ServiceInstance withShare(int otherPriority, int otherWeight) {
        return new ServiceInstance(prefix, port, address, otherPriority, otherWeight);
    }

    /** The rule that it is. Two instances never are one rule, nor is one that somebody else gave. */
    public ServiceRule rule() {
        return new ServiceRule(ServiceTarget.instance(address, port), priority, weight);
    }
}
