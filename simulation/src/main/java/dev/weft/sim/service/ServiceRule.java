package dev.weft.sim.service;

/**
 * One way to treat the packets of a service.
 *
 * @param priority the highest of an entry counts; the others stand by
 * @param weight the share among the targets of one priority, 1 at least
 */
public record ServiceRule(ServiceTarget target, int priority, int weight) {
    /** Sums of weights stay below 2^31 with as many rules as an entry may have. */
    public static final int MAX_WEIGHT = 0xffff;

    public ServiceRule {
        if (weight < 1 || weight > MAX_WEIGHT) {
            throw new IllegalArgumentException(
                    "weight " + weight + " of " + target + " (expected 1.." + MAX_WEIGHT + ")");
        }
    }
}
