package dev.weft.agent;

import dev.weft.agent.worker.RuleLog;
import dev.weft.base.IpAddress;
import dev.weft.base.MacAddress;
import dev.weft.base.NanoClock;
import dev.weft.sim.DropReason;
import dev.weft.sim.VirtualNetwork;
import dev.weft.sim.flow.FlowKey;
import dev.weft.sim.packet.Ethernet;
import dev.weft.sim.packet.Ipv4;
import dev.weft.sim.packet.Ipv6;
import dev.weft.topology.TopologySnapshot;
import dev.weft.topology.schema.Tenant;
import java.time.Instant;
import java.time.InstantSource;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;
import java.util.UUID;
import java.util.function.Supplier;

/** Puts entries of rule logs into words: who decided what about which packet, when. Not thread safe. */
final class RuleLines {
    private final Supplier<TopologySnapshot> topology;
    private final NanoClock clock;
    private final InstantSource time;

    /** @param clock that workers stamp entries with */
    RuleLines(Supplier<TopologySnapshot> topology, NanoClock clock, InstantSource time) {
        this.topology = topology;
        this.clock = clock;
        this.time = time;
    }

    /** Empty when the rule has gone with its network. */
    Optional<Map<String, Object>> line(RuleLog.Entry entry) {
        return entry.network().rule(entry.chain(), entry.position()).map(rule -> line(entry, rule));
    }

    private Map<String, Object> line(RuleLog.Entry entry, VirtualNetwork.NamedRule rule) {
        var line = new LinkedHashMap<String, Object>();
        Instant at = time.instant().minusNanos(Math.max(0, clock.nanoTime() - entry.nanos()));
        line.put("time", at.toString());
        line.put("tenant", tenant(rule.tenantId()));
        line.put("chain", rule.chain());
        line.put("rule", rule.rule().isEmpty() ? "end" : rule.rule());
        line.put("action", rule.action());
        line.put("outcome", outcome(entry));
        VirtualNetwork network = entry.network();
        line.put("port", network.hasPort(entry.port()) ? network.portName(entry.port()) : "");
        line.put("packet", packet(entry.key()));
        return line;
    }

    private String tenant(String id) {
        return topology.get().tenant(UUID.fromString(id)).map(Tenant::getName).orElse(id);
    }

    private static String outcome(RuleLog.Entry entry) {
        DropReason why = entry.dropReason();
        return switch (entry.kind()) {
            case FORWARD -> "forwarded";
            case DROP -> why == null ? "dropped" : "dropped: " + why.label();
            case CONSUMED -> "answered";
            case PARK -> "waits";
        };
    }

    private static String packet(FlowKey key) {
        return switch (key.etherType()) {
            case Ethernet.IPV4, Ethernet.IPV6 -> ip(key);
            case Ethernet.ARP -> "arp " + addresses(key);
            default ->
                "eth type 0x%04x src-mac %s dst-mac %s"
                        .formatted(
                                key.etherType(), MacAddress.toString(key.srcMac()), MacAddress.toString(key.dstMac()));
        };
    }

    private static String ip(FlowKey key) {
        boolean v4 = key.etherType() == Ethernet.IPV4;
        if (key.fragment() == FlowKey.LATER_FRAGMENT) {
            return "ip " + addresses(key) + " proto " + key.protocol() + " fragment";
        }
        if (key.protocol() == Ipv4.TCP || key.protocol() == Ipv4.UDP) {
            String name = key.protocol() == Ipv4.TCP ? "tcp " : "udp ";
            return name
                    + end(key.srcHigh(), key.srcLow(), key.l4Src())
                    + " > "
                    + end(key.dstHigh(), key.dstLow(), key.l4Dst());
        }
        if (key.protocol() == (v4 ? Ipv4.ICMP : Ipv6.ICMPV6)) {
            return (v4 ? "icmp type " : "icmp6 type ") + key.l4Src() + " " + addresses(key) + " code " + key.l4Dst();
        }
        return "ip " + addresses(key) + " proto " + key.protocol();
    }

    private static String addresses(FlowKey key) {
        return IpAddress.toString(key.srcHigh(), key.srcLow()) + " > "
                + IpAddress.toString(key.dstHigh(), key.dstLow());
    }

    private static String end(long high, long low, int port) {
        String address = IpAddress.toString(high, low);
        return (address.indexOf(':') < 0 ? address : "[" + address + "]") + ":" + port;
    }
}
