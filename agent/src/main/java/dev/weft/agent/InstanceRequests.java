package dev.weft.agent;

import dev.weft.agent.control.ControlSide;
import dev.weft.base.IpAddress;
import dev.weft.base.ServicePrefix;
import dev.weft.topology.InterfaceAddress;
import dev.weft.topology.TableKind.InstanceValue;
import dev.weft.topology.TopologySnapshot;
import dev.weft.topology.TopologyStore;
import dev.weft.topology.schema.Host;
import dev.weft.topology.schema.Port;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;

/** Answers {@code register}, {@code unregister} and {@code instances}. */
final class InstanceRequests {

    private final ControlSide control;
    private final TopologyStore store;

    InstanceRequests(ControlSide control, TopologyStore store) {
        this.control = control;
        this.store = store;
    }

    /** Arguments: {@code port}, {@code service}, and, optional, {@code address}, {@code priority}, {@code weight}. */
    Map<String, ?> register(Map<String, String> arguments) {
        Port port = port(arguments);
        ServicePrefix service = service(arguments);
        int priority = Arguments.number(arguments, "priority", 0);
        int weight = Arguments.number(arguments, "weight", 1);
        InstanceValue value;
        try {
            value = new InstanceValue(address(arguments, port), priority, weight);
        } catch (IllegalArgumentException wrong) {
            throw new AgentException(wrong.getMessage(), wrong);
        }
        settle(control.instances().register(service, UUID.fromString(port.getId()), value));
        return Map.of(
                "service", service.toString(),
                "port", port.getName(),
                "address", IpAddress.ofV4(value.address()).toString());
    }

    /** Arguments: {@code port}, {@code service}. */
    Map<String, ?> unregister(Map<String, String> arguments) {
        Port port = port(arguments);
        ServicePrefix service = service(arguments);
        settle(control.instances().unregister(service, UUID.fromString(port.getId())));
        return Map.of("service", service.toString(), "port", port.getName());
    }

    /** No arguments. */
    Map<String, ?> list() {
        TopologySnapshot snapshot = store.snapshot();
        var failing = control.instances().failing();
        List<Map<String, Object>> rows = new ArrayList<>();
        control.instances().all().forEach((key, entry) -> {
            var row = new LinkedHashMap<String, Object>();
            row.put("service", key.prefix().toString());
            row.put(
                    "port",
                    snapshot.find(Port.class, key.port())
                            .map(Port::getName)
                            .orElse(key.port().toString()));
            row.put("address", IpAddress.ofV4(entry.value().address()).toString());
            row.put("priority", entry.value().priority());
            row.put("weight", entry.value().weight());
            row.put(
                    "host",
                    snapshot.find(Host.class, entry.host())
                            .map(Host::getName)
                            .orElse(entry.host().toString()));
            row.put("health", failing.contains(key) ? "down" : "up");
            rows.add(row);
        });
        rows.sort(Comparator.comparing(row -> row.get("service") + " " + row.get("port")));
        return Map.of("instances", rows);
    }

    private Port port(Map<String, String> arguments) {
        return PortNames.find(store.snapshot(), Arguments.required(arguments, "port", "the port of the instance"));
    }

    private static ServicePrefix service(Map<String, String> arguments) {
        String text = Arguments.required(arguments, "service", "a service like 0x00004001");
        try {
            return ServicePrefix.parse(text);
        } catch (IllegalArgumentException wrong) {
            throw new AgentException(wrong.getMessage(), wrong);
        }
    }

    /** As told, or the port's first. */
    private static int address(Map<String, String> arguments, Port port) {
        String told = arguments.get("address");
        if (told != null) {
            return IpAddress.tryParse(told)
                    .filter(IpAddress::isV4)
                    .orElseThrow(() -> new AgentException("address '" + told + "' (expected an IPv4 address)"))
                    .v4Bits();
        }
        return port.getAddressesList().stream()
                .map(text -> InterfaceAddress.parse(text).address())
                .filter(IpAddress::isV4)
                .findFirst()
                .orElseThrow(() -> new AgentException(
                        "port '" + port.getName() + "' says no IPv4 address; give one with the registration"))
                .v4Bits();
    }

    private static void settle(CompletableFuture<String> answer) {
        String refusal = Answers.await(answer, "the agent", "the request failed");
        if (!refusal.isEmpty()) {
            throw new AgentException(refusal);
        }
    }
}
