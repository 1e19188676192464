package dev.weft.agent.control;

import dev.weft.base.IpAddress;
import dev.weft.base.ServicePrefix;
import dev.weft.topology.InterfaceAddress;
import dev.weft.topology.TableKind.InstanceKey;
import dev.weft.topology.TableKind.InstanceValue;
import dev.weft.topology.TopologySnapshot;
import dev.weft.topology.schema.Port;
import dev.weft.topology.schema.ServiceInstance;
import java.util.HashMap;
import java.util.Map;
import java.util.Optional;
import java.util.UUID;

/** The instances that the topology says are behind ports of a host. */
final class DeclaredInstances {
    private DeclaredInstances() {}

    static Map<InstanceKey, InstanceValue> of(TopologySnapshot snapshot, UUID host) {
        Map<InstanceKey, InstanceValue> declared = new HashMap<>();
        for (Port port : snapshot.ports()) {
            if (port.getInstancesCount() > 0 && port.getHostId().equals(host.toString())) {
                for (ServiceInstance instance : port.getInstancesList()) {
                    var key =
                            new InstanceKey(ServicePrefix.parse(instance.getService()), UUID.fromString(port.getId()));
                    address(port, instance)
                            .ifPresent(address -> declared.put(
                                    key,
                                    new InstanceValue(
                                            address, instance.getPriority(), Math.max(1, instance.getWeight()))));
                }
            }
        }
        return declared;
    }

    private static Optional<Integer> address(Port port, ServiceInstance instance) {
        if (!instance.getAddress().isEmpty()) {
            return Optional.of(IpAddress.parse(instance.getAddress()).v4Bits());
        }
        return port.getAddressesList().stream()
                .map(text -> InterfaceAddress.parse(text).address())
                .filter(IpAddress::isV4)
                .findFirst()
                .map(IpAddress::v4Bits);
    }
}
