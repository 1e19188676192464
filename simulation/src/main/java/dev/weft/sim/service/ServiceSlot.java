package dev.weft.sim.service;

import dev.weft.base.HotPath;

/** A rule in its place, and what it was used for. Belongs to its table's worker. */
@HotPath
public final class ServiceSlot {
    private ServiceRule rule;
    private long packets;
    private long bytes;

    ServiceSlot(ServiceRule rule) {
        this.rule = rule;
    }

    public ServiceRule rule() {
        return rule;
    }

    void setRule(ServiceRule rule) {
        this.rule = rule;
    }

    void count(int length) {
        packets++;
        bytes += length;
    }

    /** That this rule was applied to: of DROP, those dropped. */
    public long packets() {
        return packets;
    }

    public long bytes() {
        return bytes;
    }
}
