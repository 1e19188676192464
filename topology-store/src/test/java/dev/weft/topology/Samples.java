package dev.weft.topology;

import dev.weft.topology.schema.Bridge;
import dev.weft.topology.schema.Host;
import dev.weft.topology.schema.Port;
import dev.weft.topology.schema.Router;
import dev.weft.topology.schema.Tenant;
import java.nio.charset.StandardCharsets;
import java.util.UUID;

/** Objects for tests; ids are made from names. */
final class Samples {
    private Samples() {}

    static UUID id(String kind, String name) {
        return UUID.nameUUIDFromBytes((kind + "/" + name).getBytes(StandardCharsets.UTF_8));
    }

    static Tenant tenant(String name) {
        return Tenant.newBuilder()
                .setId(id("tenant", name).toString())
                .setName(name)
                .build();
    }

    static Host host(String name, String underlay) {
        return Host.newBuilder()
                .setId(id("host", name).toString())
                .setName(name)
                .setUnderlay(underlay)
                .build();
    }

    static Bridge bridge(Tenant tenant, String name) {
        return Bridge.newBuilder()
                .setId(id("bridge", tenant.getName() + name).toString())
                .setName(name)
                .setTenantId(tenant.getId())
                .build();
    }

    static Router router(Tenant tenant, String name) {
        return Router.newBuilder()
                .setId(id("router", tenant.getName() + name).toString())
                .setName(name)
                .setTenantId(tenant.getId())
                .build();
    }

    static Port port(Bridge bridge, String name) {
        return Port.newBuilder()
                .setId(id("port", bridge.getTenantId() + name).toString())
                .setName(name)
                .setTenantId(bridge.getTenantId())
                .setBridgeId(bridge.getId())
                .build();
    }

    static Port port(Router router, String name, String address) {
        return Port.newBuilder()
                .setId(id("port", router.getTenantId() + name).toString())
                .setName(name)
                .setTenantId(router.getTenantId())
                .setRouterId(router.getId())
                .addAddresses(address)
                .build();
    }
}
