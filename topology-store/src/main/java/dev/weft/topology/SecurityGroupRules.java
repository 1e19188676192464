package dev.weft.topology;

import dev.weft.base.IpPrefix;
import dev.weft.topology.schema.Port;
import dev.weft.topology.schema.SecurityGroup;
import dev.weft.topology.schema.SecurityRule;
import java.util.List;
import java.util.Set;

/** What security groups and the ports in them must say. Formats and references were checked before. */
final class SecurityGroupRules {
    private final Rules.Report report;

    SecurityGroupRules(Rules.Report report) {
        this.report = report;
    }

    void check(SecurityGroup group) {
        if (group.getDenyEgress() && group.getEgressCount() > 0) {
            report.of(
                    group,
                    "deny_egress",
                    "true",
                    "goes without saying where there are egress rules: only what these let through leaves; remove it");
        }
        check(group, "ingress", group.getIngressList());
        check(group, "egress", group.getEgressList());
    }

    private void check(SecurityGroup group, String list, List<SecurityRule> rules) {
        for (int i = 0; i < rules.size(); i++) {
            String field = list + "[" + i + "]";
            checkBehindIp(group, field, rules.get(i));
            checkFamily(group, field, rules.get(i));
        }
    }

    private void checkBehindIp(SecurityGroup group, String field, SecurityRule rule) {
        boolean ports = rule.getPortCount() > 0;
        boolean icmp = rule.getIcmpCount() > 0;
        if (ports && icmp) {
            report.of(
                    group, field, "", "no packet has both ports and an ICMP type (expected conditions on one of them)");
            return;
        }
        List<String> protocols = rule.getProtocolList();
        Set<String> fitting = ports ? Set.of("tcp", "udp") : Set.of("icmp", "icmpv6");
        if ((ports || icmp) && !protocols.isEmpty() && protocols.stream().noneMatch(fitting::contains)) {
            report.of(
                    group,
                    field + ".protocol",
                    String.join(", ", protocols),
                    "has no " + (ports ? "ports (expected tcp or udp)" : "ICMP type (expected icmp or icmpv6)"));
        }
    }

    private void checkFamily(SecurityGroup group, String field, SecurityRule rule) {
        if (rule.getFamily() == SecurityRule.Family.ANY) {
            return;
        }
        boolean v4 = rule.getFamily() == SecurityRule.Family.IPV4;
        for (String remote : rule.getRemoteList()) {
            IpPrefix network = MatchText.network(remote);
            if (network.isV4() != v4) {
                report.of(
                        group,
                        field + ".remote",
                        remote,
                        "expected a network of family " + (v4 ? "ipv4" : "ipv6") + ", as the rule says");
            }
        }
    }

    void checkPort(Port port) {
        if (port.getSecurityGroupIdsCount() == 0) {
            return;
        }
        if (port.getBridgeId().isEmpty() || !port.getPeerId().isEmpty()) {
            report.of(
                    port,
                    "security_groups",
                    "",
                    "only bridge ports with a VM behind them have security groups; remove them, or use a chain");
        } else if (port.getStateful()) {
            report.of(
                    port,
                    "stateful",
                    "true",
                    "lets in answers only, so that rules of the security groups would never count; remove one of the"
                            + " two");
        }
    }
}
