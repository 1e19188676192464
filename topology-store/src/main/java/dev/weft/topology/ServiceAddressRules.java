package dev.weft.topology;

import com.google.protobuf.Message;
import dev.weft.base.IpAddress;
import dev.weft.base.ServiceId;
import dev.weft.base.ServicePrefix;
import dev.weft.topology.schema.Balancer;
import dev.weft.topology.schema.Router;
import dev.weft.topology.schema.Service;
import dev.weft.topology.schema.ServicePort;
import java.util.HashSet;
import java.util.Set;
import java.util.UUID;

/** What an address must say so that a router can send its connections to the instances of a service. */
final class ServiceAddressRules {
    private static final int MAX_PORT = 0xffff;
    private static final int MAX_ADDRESSES = 16;
    private static final int MAX_PORTS = 64;

    private final Draft draft;
    private final Rules.Report report;

    ServiceAddressRules(Draft draft, Rules.Report report) {
        this.draft = draft;
        this.report = report;
    }

    void check(Balancer balancer) {
        if (!balancer.getService().isEmpty()) {
            checkService(balancer, balancer.getTenantId(), balancer.getRouterId(), balancer.getService());
        }
    }

    void check(Service service) {
        checkService(service, service.getTenantId(), service.getRouterId(), service.getService());
        checkAddresses(service);
        if (service.getPortsCount() == 0) {
            report.of(service, "ports", "", "missing: what it is asked at, like {protocol: tcp, port: 80}");
        }
        if (service.getPortsCount() > MAX_PORTS) {
            report.of(service, "ports", service.getPortsCount() + " ports", "expected " + MAX_PORTS + " at most");
        }
        for (int i = 0; i < service.getPortsCount(); i++) {
            checkPort(service, service.getPorts(i), "ports[" + i + "]");
        }
    }

    private void checkService(Message object, String tenant, String router, String text) {
        var prefix = ServicePrefix.parse(text);
        if (prefix.bits() != ServiceId.BITS) {
            report.of(object, "service", text, "expected one service, not a prefix, like 0x00004001");
        } else if (!ServiceRules.isGranted(draft, tenant, prefix)) {
            report.of(
                    object,
                    "service",
                    text,
                    "is in no service block of the tenant (expected a service that was granted to it)");
        }
        draft.get(new ObjectRef(Schema.kindOf(Router.class), UUID.fromString(router)))
                .map(Router.class::cast)
                .filter(each -> each.getServiceTableId().isEmpty())
                .ifPresent(each -> report.of(
                        object,
                        "router",
                        each.getName(),
                        "has no service table (expected a router with service_table, which says who serves it)"));
    }

    private void checkAddresses(Service service) {
        if (service.getAddressesCount() == 0) {
            report.of(service, "addresses", "", "missing: what stands for the service, like 10.96.0.80");
        }
        if (service.getAddressesCount() > MAX_ADDRESSES) {
            report.of(
                    service,
                    "addresses",
                    service.getAddressesCount() + " addresses",
                    "expected " + MAX_ADDRESSES + " at most");
        }
        Set<String> seen = new HashSet<>();
        for (int i = 0; i < service.getAddressesCount(); i++) {
            String text = service.getAddresses(i);
            var address = IpAddress.parse(text);
            if (IpAddress.isGroup(address.high(), address.low())) {
                report.of(service, "addresses[" + i + "]", text, "is a group address (expected unicast)");
            } else if (!seen.add(text)) {
                report.of(service, "addresses[" + i + "]", text, "is there twice (expected once)");
            }
        }
    }

    private void checkPort(Service service, ServicePort port, String path) {
        if (!port.getProtocol().equals("tcp") && !port.getProtocol().equals("udp")) {
            report.of(service, path + ".protocol", port.getProtocol(), "expected tcp or udp");
        }
        if (port.getTargetPort() < 0 || port.getTargetPort() > MAX_PORT) {
            String text = Integer.toUnsignedString(port.getTargetPort());
            report.of(service, path + ".target_port", text, "expected 1..65535, or 0 for the one that was asked for");
        }
    }
}
