package dev.weft.sim;

import com.google.protobuf.ByteString;
import dev.weft.base.Hashing;
import dev.weft.base.IpAddress;
import dev.weft.base.IpPrefix;
import dev.weft.base.MacAddress;
import dev.weft.sim.packet.Dhcp;
import dev.weft.topology.schema.DhcpHost;
import dev.weft.topology.schema.DhcpOption;
import dev.weft.topology.schema.DhcpRoute;
import dev.weft.topology.schema.DhcpSubnet;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import org.jspecify.annotations.Nullable;

/** Makes the DHCP server of one VLAN of a bridge. */
final class DhcpCompiler {
    /** A locally administered unicast MAC. */
    private static final long LOCAL_MAC = 0x0200_0000_0000L;

    private static final int MAX_VALUE = 0xff;

    private final long mac;
    private final Map<IpAddress, Long> macs;
    private final @Nullable ServiceNames names;
    private final List<DhcpServer.Subnet> subnets = new ArrayList<>();
    private final FrozenMap.Builder numbers = new FrozenMap.Builder();
    private final List<DhcpServer.Client> clients = new ArrayList<>();

    /**
     * @param macs of the routers' addresses in the VLAN
     * @param names that those routers are asked for; null when there are none
     */
    DhcpCompiler(UUID bridge, Map<IpAddress, Long> macs, @Nullable ServiceNames names) {
        this.macs = macs;
        this.names = names;
        mac = LOCAL_MAC
                | Hashing.combine(~bridge.getMostSignificantBits(), bridge.getLeastSignificantBits()) & 0xff_ffff_ffffL;
    }

    long mac() {
        return mac;
    }

    /** Where the subnet's server answers from. */
    static IpAddress server(DhcpSubnet subnet) {
        return IpAddress.parse(subnet.getServer().isEmpty() ? subnet.getRouter() : subnet.getServer());
    }

    void add(DhcpSubnet subnet, List<Station> stations) {
        var prefix = IpPrefix.parse(subnet.getSubnet());
        int number = subnets.size();
        IpAddress server = server(subnet);
        subnets.add(new DhcpServer.Subnet(
                (int) IpPrefix.lowMask(prefix.bits()),
                server.v4Bits(),
                macs.getOrDefault(server, mac),
                subnet.getMtu(),
                subnet.getLeaseSeconds(),
                common(subnet)));
        MemorySegment options = own(subnet.getOptionsList(), "", List.of());
        for (Station station : stations) {
            station.addresses.stream()
                    .map(each -> each.address())
                    .filter(address -> address.isV4() && prefix.contains(address))
                    .findFirst()
                    .ifPresent(address -> add(station.mac, new DhcpServer.Client(number, address.v4Bits(), options)));
        }
        for (DhcpHost host : subnet.getHostsList()) {
            MemorySegment its = own(subnet.getOptionsList(), host.getName(), host.getOptionsList());
            int address = IpAddress.parse(host.getAddress()).v4Bits();
            add(MacAddress.parse(host.getMac()).bits(), new DhcpServer.Client(number, address, its));
        }
    }

    /** Who is a client already stays what it is. */
    private void add(long clientMac, DhcpServer.Client client) {
        numbers.putIfAbsent(0, clientMac, clients.size());
        clients.add(client);
    }

    DhcpServer build() {
        return new DhcpServer(
                mac,
                subnets.toArray(DhcpServer.Subnet[]::new),
                numbers.build(),
                clients.toArray(DhcpServer.Client[]::new));
    }

    /** By weight: what a client cannot do without comes first. */
    private MemorySegment common(DhcpSubnet subnet) {
        return segment(
                option(Dhcp.ROUTER, octets(subnet.getRouter().isEmpty() ? List.of() : List.of(subnet.getRouter()))),
                option(Dhcp.DNS, octets(dns(subnet))),
                option(Dhcp.ROUTES, routes(subnet)),
                option(Dhcp.DOMAIN, ByteString.copyFromUtf8(domain(subnet))),
                option(Dhcp.NTP, octets(subnet.getNtpList())));
    }

    /** Where the subnet says none: its router, if that is one of ours and there is something to ask it for. */
    private List<String> dns(DhcpSubnet subnet) {
        return subnet.getDnsCount() == 0 && answersNames(subnet) ? List.of(subnet.getRouter()) : subnet.getDnsList();
    }

    private String domain(DhcpSubnet subnet) {
        return subnet.getDomain().isEmpty() && names != null && answersNames(subnet)
                ? names.domain()
                : subnet.getDomain();
    }

    private boolean answersNames(DhcpSubnet subnet) {
        return names != null && !subnet.getRouter().isEmpty() && macs.containsKey(IpAddress.parse(subnet.getRouter()));
    }

    /** RFC 3442; a client that takes it ignores the router option, so the default route is among them. */
    private static ByteString routes(DhcpSubnet subnet) {
        ByteString routes = ByteString.EMPTY;
        for (DhcpRoute route : subnet.getRoutesList()) {
            routes = routes.concat(route(IpPrefix.parse(route.getDestination()), route.getGateway()));
        }
        return routes.isEmpty() || subnet.getRouter().isEmpty()
                ? routes
                : routes.concat(route(IpPrefix.parse("0.0.0.0/0"), subnet.getRouter()));
    }

    private static ByteString route(IpPrefix destination, String gateway) {
        int length = destination.length();
        return octet(length)
                .concat(ByteString.copyFrom(destination.network().octets(), 0, (length + 7) / 8))
                .concat(octets(List.of(gateway)));
    }

    private static MemorySegment own(List<DhcpOption> general, String name, List<DhcpOption> special) {
        Map<Integer, ByteString> options = new LinkedHashMap<>();
        if (!name.isEmpty()) {
            options.put(Dhcp.HOST_NAME, ByteString.copyFromUtf8(name));
        }
        special.forEach(option -> options.putIfAbsent(option.getCode(), value(option)));
        general.forEach(option -> options.putIfAbsent(option.getCode(), value(option)));
        return segment(options.entrySet().stream()
                .map(each -> option(each.getKey(), each.getValue()))
                .toArray(ByteString[]::new));
    }

    private static ByteString value(DhcpOption option) {
        return option.getHex().isEmpty()
                ? option.getTextBytes()
                : ByteString.copyFrom(HexFormat.of().parseHex(option.getHex()));
    }

    /** A long value is told in parts (RFC 3396). */
    private static ByteString option(int code, ByteString value) {
        ByteString all = ByteString.EMPTY;
        for (int from = 0; from < value.size(); from += MAX_VALUE) {
            ByteString part = value.substring(from, Math.min(value.size(), from + MAX_VALUE));
            all = all.concat(octet(code)).concat(octet(part.size())).concat(part);
        }
        return all;
    }

    private static ByteString octets(List<String> addresses) {
        ByteString all = ByteString.EMPTY;
        for (String text : addresses) {
            all = all.concat(ByteString.copyFrom(IpAddress.parse(text).octets()));
        }
        return all;
    }

    private static ByteString octet(int value) {
        return ByteString.copyFrom(new byte[] {(byte) value});
    }

    private static MemorySegment segment(ByteString... parts) {
        ByteString all = ByteString.EMPTY;
        for (ByteString part : parts) {
            all = all.concat(part);
        }
        return MemorySegment.ofArray(all.toByteArray());
    }
}
