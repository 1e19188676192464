package dev.weft.it;

import static org.assertj.core.api.Assertions.assertThat;

import dev.weft.base.IpAddress;
import dev.weft.base.IpPrefix;
import dev.weft.base.MacAddress;
import dev.weft.datapath.link.InterfaceAddress;
import dev.weft.datapath.link.Links;
import dev.weft.datapath.link.TestNamespace;
import dev.weft.datapath.link.UnderlayPath;
import dev.weft.sim.DropReason;
import dev.weft.sim.Outcome;
import dev.weft.sim.Simulator;
import dev.weft.sim.Tables;
import dev.weft.sim.VirtualNetwork;
import dev.weft.sim.flow.ActionList;
import dev.weft.sim.packet.Frames;
import dev.weft.sim.packet.Packet;
import dev.weft.state.ConnectionTable;
import dev.weft.state.Lifetimes;
import dev.weft.topology.ChangeSet;
import dev.weft.topology.TopologyReader;
import java.math.BigInteger;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;
import java.util.UUID;
import java.util.stream.LongStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * The same random routes go into a Weft router and into the kernel's main table; for destinations at the boundaries of
 * every prefix both must choose the same way out. The kernel shares no code with the router.
 *
 * <p>{@code -Dweft.seed=N} replays one seed.
 */
class LongestPrefixKernelIT {
    private static final int EGRESSES = 4;
    private static final int ROUTES_PER_FAMILY = 250;
    private static final String NOWHERE = "no route";
    private static final String ROUTER_MAC = "02:00:00:00:aa:01";
    private static final int INGRESS = 100;

    private TestNamespace namespace;
    private Links links;

    @BeforeEach
    void makeInterfaces() {
        namespace = TestNamespace.create();
        links = Links.in(namespace.namespace());
        for (int i = 0; i < EGRESSES; i++) {
            links.createVeth("e" + i, "p" + i);
            links.setUp("e" + i);
            links.setUp("p" + i);
            links.addAddress("e" + i, InterfaceAddress.parse("192.0.2." + (8 * i + 1) + "/29"));
            links.addAddress(
                    "e" + i,
                    InterfaceAddress.parse("2001:db8:0:" + i + "::1/64").withoutDuplicateDetection());
        }
    }

    @AfterEach
    void close() {
        if (links != null) {
            links.close();
            namespace.close();
        }
    }

    static LongStream seeds() {
        return Stream.of(System.getProperty("weft.seed", "1,2,3").split(",")).mapToLong(Long::parseLong);
    }

    @ParameterizedTest(name = "seed {0}")
    @MethodSource("seeds")
    void kernelAndRouterChooseTheSameWayAtEveryPrefixBoundary(long seed) {
        var random = new SplittableRandom(seed);
        Map<IpPrefix, Integer> routes = new LinkedHashMap<>();
        addRandom(random, routes, true);
        addRandom(random, routes, false);
        routes.forEach((prefix, egress) -> links.addRoute(prefix, gateway(prefix.isV4(), egress), "e" + egress));
        var router = new Router(routes);

        var disagreements = new ArrayList<String>();
        var answers = new HashMap<String, Integer>();
        for (IpPrefix prefix : routes.keySet()) {
            for (IpAddress destination : boundaries(random, prefix)) {
                String kernel = links.pathTo(destination)
                        .map(UnderlayPath::link)
                        .map(link -> link.name())
                        .orElse(NOWHERE);
                String weft = router.egress(destination);
                answers.merge(kernel, 1, Integer::sum);
                if (!kernel.equals(weft)) {
                    disagreements.add(destination + ": kernel " + kernel + ", Weft " + weft);
                }
            }
        }

        assertThat(disagreements)
                .as("seed %d, the kernel's answers: %s", seed, answers)
                .isEmpty();
        assertThat(answers)
                .as("each way out is taken often")
                .containsKeys("e0", "e1", "e2", "e3")
                .hasSizeGreaterThanOrEqualTo(EGRESSES);
    }

    /** Half of the prefixes lie inside an earlier one: nests and neighbours are where a longest match goes wrong. */
    private static void addRandom(SplittableRandom random, Map<IpPrefix, Integer> routes, boolean v4) {
        List<IpPrefix> family = new ArrayList<>();
        if (random.nextBoolean()) {
            family.add(IpPrefix.parse(v4 ? "0.0.0.0/0" : "::/0"));
        }
        while (family.size() < ROUTES_PER_FAMILY) {
            IpPrefix outer = family.isEmpty() || random.nextInt(4) == 0
                    ? IpPrefix.parse(v4 ? "10.0.0.0/8" : "fd00::/16")
                    : family.get(random.nextInt(family.size()));
            IpPrefix inner =
                    inside(random, outer.length() == 0 ? IpPrefix.parse(v4 ? "10.0.0.0/8" : "fd00::/16") : outer);
            if (!family.contains(inner)) {
                family.add(inner);
            }
        }
        family.forEach(prefix -> routes.put(prefix, random.nextInt(EGRESSES)));
    }

    private static IpPrefix inside(SplittableRandom random, IpPrefix outer) {
        int width = outer.isV4() ? 32 : 128;
        int length = random.nextInt(outer.length(), width + 1);
        var address = new IpAddress(
                outer.high() | random.nextLong() & ~IpPrefix.highMask(outer.bits()),
                outer.low() | random.nextLong() & ~IpPrefix.lowMask(outer.bits()));
        return IpPrefix.of(address, length);
    }

    /** First and last address of a prefix, the ones just outside, and one within. */
    private static List<IpAddress> boundaries(SplittableRandom random, IpPrefix prefix) {
        BigInteger first = number(prefix.network());
        int hostBits = 128 - prefix.bits();
        BigInteger last = first.add(BigInteger.ONE.shiftLeft(hostBits)).subtract(BigInteger.ONE);
        BigInteger within = first.add(
                new BigInteger(128, new java.util.Random(random.nextLong())).mod(BigInteger.ONE.shiftLeft(hostBits)));
        return Stream.of(first.subtract(BigInteger.ONE), first, within, last, last.add(BigInteger.ONE))
                .filter(number -> number.signum() >= 0 && number.bitLength() <= 128)
                .map(LongestPrefixKernelIT::address)
                .filter(address -> isForwardable(address, prefix.isV4()))
                .toList();
    }

    /** Both sides have rules of their own for other addresses; here only the choice of a route is compared. */
    private static boolean isForwardable(IpAddress address, boolean v4) {
        if (address.isV4() != v4) {
            return false;
        }
        int leading = address.octets()[0] & 0xff;
        return v4
                ? leading == 9 || leading == 10 || leading == 11
                : address.high() >>> 48 >= 0xfcff && address.high() >>> 48 <= 0xfd01;
    }

    private static BigInteger number(IpAddress address) {
        return unsigned(address.high()).shiftLeft(64).or(unsigned(address.low()));
    }

    private static BigInteger unsigned(long word) {
        return new BigInteger(Long.toUnsignedString(word));
    }

    private static IpAddress address(BigInteger number) {
        return new IpAddress(number.shiftRight(64).longValue(), number.longValue());
    }

    private static IpAddress gateway(boolean v4, int egress) {
        return IpAddress.parse(v4 ? "192.0.2." + (8 * egress + 2) : "2001:db8:0:" + egress + "::2");
    }

    /** The same as a Weft router, all of whose neighbours are known. */
    private static final class Router {
        private final Simulator simulator;
        private final VirtualNetwork network;
        private final Map<Integer, String> nameOfPort = new HashMap<>();
        private final Outcome outcome = new Outcome();

        Router(Map<IpPrefix, Integer> routes) {
            var snapshot = ChangeSet.offlineSnapshot(
                    new TopologyReader().text("routes.yaml", yaml(routes)).desired());
            network = VirtualNetwork.compile(snapshot, VirtualNetwork.EMPTY);
            var connections = new ConnectionTable(new ConnectionTable.Limits(16, 16, 16), Lifetimes.STANDARD, 1, 1);
            var tables = new Tables(connections, Tables.Limits.STANDARD, 1);
            UUID routerId = UUID.fromString(snapshot.routers().iterator().next().getId());
            int index = network.routerIndex(routerId);
            for (var port : snapshot.ports()) {
                int portIndex = network.portIndex(UUID.fromString(port.getId()));
                boolean ingress = port.getName().equals("in");
                int egress = ingress ? 0 : Integer.parseInt(port.getName().substring(1));
                int number = ingress ? INGRESS : 1 + egress;
                tables.setLocalPort(portIndex, number);
                nameOfPort.put(number, port.getName());
                if (!ingress) {
                    for (boolean v4 : List.of(true, false)) {
                        IpAddress gateway = gateway(v4, egress);
                        tables.learnNeighbour(
                                index,
                                gateway.high(),
                                gateway.low(),
                                0x0200_0000_0100L + egress,
                                portIndex,
                                Tables.NEVER);
                    }
                }
            }
            simulator = new Simulator(tables, 0);
            simulator.setNetwork(network);
        }

        private static String yaml(Map<IpPrefix, Integer> routes) {
            var text = new StringBuilder("tenant: t\nrouters: [{name: r}]\nports:\n");
            text.append("  - {name: in, router: r, mac: \"").append(ROUTER_MAC);
            text.append("\", host: h, interface: in, addresses: [198.51.100.1/24, \"2001:db8:ff::1/64\"]}\n");
            for (int i = 0; i < EGRESSES; i++) {
                text.append(
                        "  - {name: e%d, router: r, host: h, interface: e%d, addresses: [192.0.2.%d/29, \"2001:db8:0:%d::1/64\"]}\n"
                                .formatted(i, i, 8 * i + 1, i));
            }
            text.append("routes:\n");
            routes.forEach((prefix, egress) ->
                    text.append("  - {router: r, destination: \"%s\", port: e%d, gateway: \"%s\"}\n"
                            .formatted(prefix, egress, gateway(prefix.isV4(), egress))));
            return text.toString();
        }

        String egress(IpAddress destination) {
            String to = destination.isV4() ? destination + ":53" : "[" + destination + "]:53";
            Packet packet = Frames.udp(destination.isV4() ? "198.51.100.9:1000" : "[2001:db8:ff::9]:1000", to)
                    .to(MacAddress.parse(ROUTER_MAC).bits())
                    .packet();
            packet.key.setIngress(INGRESS, 0);
            simulator.simulate(packet, simulator.tables().portOfDatapathPort(INGRESS), 0, outcome);
            return switch (outcome.kind()) {
                case FORWARD -> output(outcome.actions);
                case DROP -> outcome.dropReason() == DropReason.NO_ROUTE ? NOWHERE : "dropped: " + outcome.dropReason();
                case PARK, CONSUMED -> outcome.kind().toString();
            };
        }

        private String output(ActionList actions) {
            for (int i = 0; i < actions.length(); i += ActionList.size(actions.word(i))) {
                if (ActionList.operation(actions.word(i)) == ActionList.OUTPUT) {
                    return nameOfPort.getOrDefault(ActionList.port(actions.word(i)), "?");
                }
            }
            return "no output in " + actions;
        }
    }
}
