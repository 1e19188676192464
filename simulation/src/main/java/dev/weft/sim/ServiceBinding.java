package dev.weft.sim;

import dev.weft.base.HotPath;
import dev.weft.sim.packet.IcmpError;
import dev.weft.sim.service.ServiceEntry;
import dev.weft.sim.service.ServiceSlot;
import dev.weft.sim.service.ServiceTarget;
import dev.weft.state.ConnectionKey;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * Late binding for programs that do not speak Serval: the first packet of a connection to a service's address is resolved
 * by the router's service table, as one that names the service would be. What comes of it stands in the connection's
 * record; packets after it ask no table.
 */
@HotPath
final class ServiceBinding {
    private ServiceBinding() {}

    /**
     * The instance for a connection that begins; null when the packet is dropped, refused or waits.
     *
     * @param hash of what tells the connection from others
     * @param before where the connection is bound to, if it begins again, or its client with other connections; else null
     */
    static @Nullable ServiceTarget choose(
            Simulation sim,
            Router router,
            NatRule rule,
            Port in,
            long hash,
            @Nullable ConnectionKey before,
            boolean v4) {
        BoundService service = Objects.requireNonNull(rule.service());
        if (sim.isExplaining()) {
            sim.explain("service", rule.name(), "stands for service " + service.id);
        }
        ServiceEntry entry = ServiceWalk.find(
                sim,
                router,
                service.table,
                service.id.word0(),
                service.id.word1(),
                service.id.word2(),
                service.id.word3());
        if (entry == null) {
            return refuse(sim, router, in, DropReason.NO_SERVICE);
        }
        ServiceSlot again = before == null ? null : entry.topAt(before.dstHigh(), before.dstLow(), v4);
        ServiceSlot slot = again != null ? again : entry.choose(hash, v4);
        if (slot == null) {
            return refuse(sim, router, in, DropReason.NO_INSTANCE);
        }
        ServiceWalk.apply(sim, router, slot);
        ServiceTarget target = slot.rule().target();
        return switch (target.action()) {
            case FORWARD, DEMUX -> target;
            case DELAY -> {
                sim.out.parkOnService();
                sim.explain(router, "waits for another rule");
                yield null;
            }
            case DROP -> {
                sim.out.addTag(sim.tables.services().tag(service.table));
                sim.drop(router, DropReason.SERVICE_DROPPED);
                yield null;
            }
        };
    }

    private static @Nullable ServiceTarget refuse(Simulation sim, Router router, Port in, DropReason why) {
        sim.drop(router, why);
        sim.icmpError(in, IcmpError.PORT_UNREACHABLE);
        return null;
    }
}
