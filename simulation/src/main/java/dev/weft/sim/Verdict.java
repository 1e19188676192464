package dev.weft.sim;

import dev.weft.base.IpAddress;
import dev.weft.base.ServiceId;
import dev.weft.sim.flow.ActionList;
import dev.weft.sim.flow.FlowMask;
import java.util.List;

/** An {@link Outcome} as values of its own, for trace and tests; the packet path reads the outcome itself. */
public sealed interface Verdict {
    /** Frames that a device sends of its own accord. */
    List<Emitted> emits();

    record Forward(ActionList actions, FlowMask mask, boolean cacheable, List<Emitted> emits) implements Verdict {}

    record Drop(DropReason reason, FlowMask mask, boolean cacheable, List<Emitted> emits) implements Verdict {}

    /** The router has to ask for this neighbour first. */
    record Park(int router, int port, IpAddress neighbour, List<Emitted> emits) implements Verdict {}

    /** The service it names waits for a rule that says where it is. */
    record Delay(ServiceId service, List<Emitted> emits) implements Verdict {}

    /** A device took it for itself. */
    record Consumed(List<Emitted> emits) implements Verdict {}

    /** A frame to leave a virtual port, or to come in by it; or the packet itself, which the port's guard has to judge. */
    record Emitted(int port, boolean enters, boolean guarded, byte[] frame) {}
}
