package dev.weft.topology;

import dev.weft.base.IpAddress;
import dev.weft.base.IpPrefix;
import dev.weft.topology.schema.Bridge;
import dev.weft.topology.schema.DhcpHost;
import dev.weft.topology.schema.DhcpOption;
import dev.weft.topology.schema.DhcpRoute;
import dev.weft.topology.schema.DhcpSubnet;
import java.nio.charset.StandardCharsets;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.regex.Pattern;

/** What the DHCP subnets of a bridge may say, each for itself and together. */
final class DhcpRules {
    private static final Pattern HEX = Pattern.compile("(?:[0-9a-fA-F]{2})+");
    /** A shorter one has no room for clients besides network, broadcast and server. */
    private static final int LONGEST_SUBNET = 30;

    private static final int MIN_MTU = 576;
    private static final int MAX_MTU = 65_535;
    private static final int MIN_LEASE_SECONDS = 60;
    private static final int MAX_VALUE = 255;
    private static final int MIN_CODE = 1;
    private static final int MAX_CODE = 254;
    /** Options that fields say or that the protocol itself is made of. */
    private static final Map<Integer, String> TAKEN = Map.ofEntries(
            Map.entry(1, "subnet"),
            Map.entry(3, "router"),
            Map.entry(6, "dns"),
            Map.entry(12, "name of a host"),
            Map.entry(15, "domain"),
            Map.entry(26, "mtu"),
            Map.entry(42, "ntp"),
            Map.entry(50, "address of a host"),
            Map.entry(51, "lease_seconds"),
            Map.entry(52, ""),
            Map.entry(53, ""),
            Map.entry(54, "server"),
            Map.entry(55, ""),
            Map.entry(57, ""),
            Map.entry(58, "lease_seconds"),
            Map.entry(59, "lease_seconds"),
            Map.entry(61, ""),
            Map.entry(82, ""),
            Map.entry(121, "routes"));

    private final Rules.Report report;

    DhcpRules(Rules.Report report) {
        this.report = report;
    }

    void check(Bridge bridge) {
        for (int i = 0; i < bridge.getDhcpCount(); i++) {
            var subnet = new SubnetRules(bridge, bridge.getDhcp(i), "dhcp[" + i + "].");
            subnet.check();
            for (int j = 0; j < i; j++) {
                subnet.checkOverlap(bridge.getDhcp(j));
            }
        }
    }

    /** The rules of one subnet. */
    private final class SubnetRules {
        private final Bridge bridge;
        private final DhcpSubnet subnet;
        private final IpPrefix prefix;
        private final String path;

        SubnetRules(Bridge bridge, DhcpSubnet subnet, String path) {
            this.bridge = bridge;
            this.subnet = subnet;
            this.path = path;
            prefix = IpPrefix.parse(subnet.getSubnet());
        }

        void check() {
            if (!prefix.isV4() || prefix.length() > LONGEST_SUBNET || prefix.length() == 0) {
                problem("subnet", subnet.getSubnet(), "expected an IPv4 network of /1 to /30, like 10.0.1.0/24");
                return;
            }
            if (subnet.getRouter().isEmpty() && subnet.getServer().isEmpty()) {
                problem("server", "", "missing: the address to answer from, where there is no router");
            }
            inside("router", subnet.getRouter());
            inside("server", subnet.getServer());
            v4("dns", subnet.getDnsList());
            v4("ntp", subnet.getNtpList());
            checkNumbers();
            for (int i = 0; i < subnet.getRoutesCount(); i++) {
                checkRoute(subnet.getRoutes(i), "routes[" + i + "].");
            }
            checkHosts();
            checkOptions(subnet.getOptionsList(), "options");
        }

        void checkOverlap(DhcpSubnet other) {
            IpPrefix theirs = IpPrefix.parse(other.getSubnet());
            if (other.getVlan() == subnet.getVlan() && theirs.isV4() == prefix.isV4() && theirs.overlaps(prefix)) {
                problem("subnet", subnet.getSubnet(), "overlaps " + theirs + " of the same bridge and VLAN");
            }
        }

        private void checkNumbers() {
            int mtu = subnet.getMtu();
            if (mtu != 0 && (mtu < MIN_MTU || mtu > MAX_MTU)) {
                problem(
                        "mtu",
                        Integer.toUnsignedString(mtu),
                        "expected 576..65535, or 0 for the largest that the tunnels take");
            }
            int lease = subnet.getLeaseSeconds();
            if (lease != 0 && lease < MIN_LEASE_SECONDS) {
                problem("lease_seconds", Integer.toUnsignedString(lease), "expected 60 or more, or 0 for a day");
            }
            if (subnet.getVlan() < 0 || subnet.getVlan() > VlanRange.MAX) {
                problem(
                        "vlan",
                        Integer.toUnsignedString(subnet.getVlan()),
                        "expected a VLAN id 1..4094, or 0 for untagged");
            }
            if (subnet.getDomain().getBytes(StandardCharsets.UTF_8).length > MAX_VALUE) {
                problem("domain", subnet.getDomain(), "expected at most 255 octets");
            }
        }

        private void checkRoute(DhcpRoute route, String at) {
            if (!IpPrefix.parse(route.getDestination()).isV4()) {
                problem(at + "destination", route.getDestination(), "expected an IPv4 network");
            }
            inside(at + "gateway", route.getGateway());
        }

        private void checkHosts() {
            Set<String> macs = new HashSet<>();
            Set<String> addresses = new HashSet<>();
            addresses.add(subnet.getRouter());
            addresses.add(subnet.getServer());
            for (int i = 0; i < subnet.getHostsCount(); i++) {
                DhcpHost host = subnet.getHosts(i);
                String at = "hosts[" + i + "].";
                if (!macs.add(host.getMac())) {
                    problem(at + "mac", host.getMac(), "stands twice (expected one address for a MAC)");
                }
                if (!addresses.add(host.getAddress())) {
                    problem(at + "address", host.getAddress(), "is another's (expected one of its own)");
                }
                inside(at + "address", host.getAddress());
                checkOptions(host.getOptionsList(), at + "options");
            }
        }

        private void checkOptions(List<DhcpOption> options, String at) {
            for (int i = 0; i < options.size(); i++) {
                DhcpOption option = options.get(i);
                String here = at + "[" + i + "].";
                String code = Integer.toUnsignedString(option.getCode());
                if (option.getCode() < MIN_CODE || option.getCode() > MAX_CODE) {
                    problem(here + "code", code, "expected 1..254");
                } else if (TAKEN.containsKey(option.getCode())) {
                    String field = TAKEN.get(option.getCode());
                    problem(
                            here + "code",
                            code,
                            field.isEmpty()
                                    ? "is the protocol's own; remove it"
                                    : "is said by " + field + "; use that");
                }
                if (option.getText().isEmpty() == option.getHex().isEmpty()) {
                    problem(here + "text", option.getText(), "expected either text or hex");
                } else if (!option.getHex().isEmpty()
                        && !HEX.matcher(option.getHex()).matches()) {
                    problem(here + "hex", option.getHex(), "expected pairs of hexadecimal digits, like 0a000105");
                } else if (length(option) > MAX_VALUE) {
                    problem(here + "text", "", "has " + length(option) + " octets (expected at most 255)");
                }
            }
        }

        private static int length(DhcpOption option) {
            return option.getHex().isEmpty()
                    ? option.getText().getBytes(StandardCharsets.UTF_8).length
                    : option.getHex().length() / 2;
        }

        /** A host's address: neither the network's nor the one of all. */
        private void inside(String field, String text) {
            if (text.isEmpty()) {
                return;
            }
            IpAddress address = IpAddress.parse(text);
            long last = prefix.low() | ~IpPrefix.lowMask(prefix.bits());
            if (!prefix.contains(address) || address.low() == prefix.low() || address.low() == last) {
                problem(field, text, "expected the address of a host in " + prefix);
            }
        }

        private void v4(String field, List<String> texts) {
            for (int i = 0; i < texts.size(); i++) {
                if (!IpAddress.parse(texts.get(i)).isV4()) {
                    problem(field + "[" + i + "]", texts.get(i), "expected an IPv4 address");
                }
            }
        }

        private void problem(String field, String value, String expected) {
            report.of(bridge, path + field, value, expected);
        }
    }
}
