package dev.weft.agent.worker;

import dev.weft.base.NanoClock;
import dev.weft.sim.StickyClients;
import dev.weft.sim.Tables;

/**
 * Has clients of sticky balancers stay where they are, and tells the siblings: a client's next connection may be theirs.
 * Other hosts find out by themselves, in the copies of connections that they have. Not thread safe: touched only by its
 * worker thread.
 */
final class Stickiness {
    // Immutable after construction.
    private final StickyClients clients;
    private final NanoClock clock;
    private final StickyClients.Listener tellSiblings;

    Stickiness(Tables tables, Siblings siblings, NanoClock clock) {
        this.clock = clock;
        clients = tables.stickyClients();
        tellSiblings = (rule, clientHigh, clientLow, memberHigh, memberLow, memberPort) ->
                siblings.tell(new Command.ClientStays(rule, clientHigh, clientLow, memberHigh, memberLow, memberPort));
    }

    /** A pool or a service table: before the next packet is simulated. */
    void poolChanged(long poolTag) {
        clients.poolChanged(poolTag, clock.nanoTime(), tellSiblings);
    }

    void heard(Command.ClientStays of) {
        clients.stay(
                of.rule(),
                of.clientHigh(),
                of.clientLow(),
                of.memberHigh(),
                of.memberLow(),
                of.memberPort(),
                clock.nanoTime());
    }

    void refresh(long nowNanos) {
        clients.refresh(nowNanos, tellSiblings);
    }
}
