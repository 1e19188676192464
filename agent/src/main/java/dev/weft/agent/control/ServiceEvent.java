package dev.weft.agent.control;

import dev.weft.base.ServiceId;
import dev.weft.sim.service.ServiceInstance;
import java.util.UUID;

/** What a controller of services may want to know. Ports and tables are ids; whoever shows an event names them. */
public sealed interface ServiceEvent {
    /** Packets that name the service may be sent to it from now on, or are to be shared otherwise. */
    record Up(ServiceInstance instance) implements ServiceEvent {}

    /** @param failed it is there, but fails its health check */
    record Down(ServiceInstance instance, boolean failed) implements ServiceEvent {}

    /** Packets wait at this host, since a DELAY rule holds for the service. */
    record Unresolved(UUID table, ServiceId service, UUID host) implements ServiceEvent {}

    /** No packets have come for a while that would have to wait, or they have somewhere to go now. */
    record Settled(UUID table, ServiceId service, UUID host) implements ServiceEvent {}

    /** The network is another one; every worker of this host has switched or is about to. */
    record Topology(long change) implements ServiceEvent {}

    /** A port of this host came up, or did not, or went down, or is gone. */
    record Interface(UUID port, String state) implements ServiceEvent {}

    /** The reader was too slow: so many events were left out here. */
    record Gap(long events) implements ServiceEvent {}
}
