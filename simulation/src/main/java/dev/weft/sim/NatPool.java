package dev.weft.sim;

import dev.weft.base.IpAddress;
import java.util.UUID;

/** The addresses and ports that a source rule gives out. Immutable; for whoever claims blocks of them. */
public final class NatPool {
    private final NatRule rule;

    NatPool(NatRule rule) {
        this.rule = rule;
    }

    /** By which outcomes and blocks call it. */
    public long tag() {
        return rule.tag();
    }

    /** Of the rule's object. */
    public UUID id() {
        return rule.id();
    }

    public String name() {
        return rule.name();
    }

    public int firstPort() {
        return rule.firstPort();
    }

    public int lastPort() {
        return rule.lastPort();
    }

    public long addressCount() {
        return rule.addressCount();
    }

    /** @param index 0..{@link #addressCount()}-1 */
    public IpAddress address(long index) {
        return new IpAddress(rule.addresses().get(rule.networkOf(index)).high(), rule.lowOf(index));
    }
}
