package dev.weft.sim.match;

import dev.weft.base.IpAddress;
import dev.weft.base.IpPrefix;
import dev.weft.sim.match.Test.AddressSet;
import dev.weft.sim.match.Test.MacPattern;
import dev.weft.sim.match.Test.Range;
import java.util.ArrayList;
import java.util.List;
import java.util.random.RandomGenerator;

/** Rules that overlap in every way, and packets with values at their boundaries and one beside. */
final class RandomRules {
    private static final long V4 = 0xffff_0000_0000L;

    final List<List<Test>> rules = new ArrayList<>();
    private final RandomGenerator random;
    private final List<AddressSet> groups = new ArrayList<>();
    private final List<IpPrefix> addresses = new ArrayList<>();
    private final List<Long> macs = new ArrayList<>(List.of(0L, 0xffff_ffff_ffffL));
    private final List<Integer> numbers = new ArrayList<>(List.of(0, 1, 6, 17, 58, 0xffff));

    RandomRules(RandomGenerator random, int count) {
        this.random = random;
        addresses.add(new IpPrefix(0xfd00L << 48, 0, 16));
        addresses.add(new IpPrefix(0, V4 | 10 << 24, 104));
        for (int i = 0; i < 3; i++) {
            var members = new ArrayList<IpPrefix>();
            for (int j = random.nextInt(1, 100); j > 0; j--) {
                members.add(network());
            }
            groups.add(new AddressSet(members));
        }
        boolean placesOnly = random.nextInt(10) == 0;
        for (int i = 0; i < count; i++) {
            List<Test> rule = placesOnly ? List.of(place(), place()) : rule();
            rules.add(random.nextInt(20) == 0 ? List.of(new Test.Not(rule)) : rule);
        }
    }

    private List<Test> rule() {
        var tests = new ArrayList<Test>();
        int wanted = random.nextInt(1, 64);
        if ((wanted & 0b1100) != 0) {
            tests.add(new Test.Kind(Fields.IP | (random.nextInt(8) == 0 ? Fields.ARP : 0)));
        }
        if ((wanted & 1) != 0 && random.nextInt(4) == 0) {
            tests.add(new Test.Fragment(random.nextInt(1, 8)));
        }
        if ((wanted & 0b11) == 0b11) {
            ports(tests);
        } else if ((wanted & 0b11) == 1) {
            tests.add(new Test.Kind(Fields.IP));
            tests.add(new Test.Values(Fields.PROTOCOL, ranges(random.nextBoolean() ? 20 : 255), inverted()));
        }
        if ((wanted & 0b100) != 0) {
            tests.add(new Test.Networks(Fields.DST, set(), inverted()));
        }
        if ((wanted & 0b1000) != 0) {
            tests.add(new Test.Networks(Fields.SRC, set(), inverted()));
        }
        if ((wanted & 0b110000) == 0b110000) {
            odd(tests);
        }
        return tests;
    }

    private void ports(List<Test> tests) {
        tests.add(new Test.Ports());
        if (random.nextBoolean()) {
            tests.add(new Test.Values(Fields.L4_DST, ranges(0xffff), inverted()));
        }
        if (random.nextInt(3) == 0) {
            tests.add(new Test.Values(Fields.L4_SRC, ranges(0xffff), inverted()));
        }
    }

    private void odd(List<Test> tests) {
        tests.add(
                switch (random.nextInt(8)) {
                    case 0 -> new Test.Macs(Fields.DST_MAC, List.of(mac(), mac()), inverted());
                    case 1 -> new Test.Macs(Fields.SRC_MAC, List.of(mac()), inverted());
                    case 2 -> new Test.Values(Fields.VLAN, ranges(0x1fff), inverted());
                    case 3 -> new Test.Values(Fields.DSCP, ranges(63), inverted());
                    case 4, 5 -> place();
                    case 6 -> new Test.Crossed(0, new int[] {1}, inverted());
                    default -> new Test.Values(Fields.ETHERTYPE, ranges(0xffff), inverted());
                });
    }

    private Test place() {
        int[] ports = {random.nextInt(3), random.nextInt(3, 5)};
        return new Test.Place(random.nextBoolean() ? Fields.IN_PORT : Fields.OUT_PORT, ports, inverted());
    }

    private boolean inverted() {
        return random.nextInt(6) == 0;
    }

    private AddressSet set() {
        if (random.nextInt(5) == 0) {
            return groups.get(random.nextInt(groups.size()));
        }
        var networks = new ArrayList<IpPrefix>();
        for (int i = random.nextInt(8) == 0 ? 3 : 1; i > 0; i--) {
            networks.add(network());
        }
        return new AddressSet(networks);
    }

    /** Often inside one that there is. */
    private IpPrefix network() {
        long high = 0;
        long low = V4 | 10 << 24 | random.nextInt(4) << 16 | random.nextInt(4) << 8 | random.nextInt(8);
        int bits = 96 + random.nextInt(33);
        if (random.nextInt(4) == 0) {
            high = 0xfd00L << 48 | random.nextInt(4);
            low = random.nextInt(4);
            bits = random.nextInt(129);
        } else if (!addresses.isEmpty() && random.nextBoolean()) {
            IpPrefix around = addresses.get(random.nextInt(addresses.size()));
            high = around.high();
            low = around.low() | random.nextInt(256);
            bits = Math.min(128, around.bits() + random.nextInt(9));
        }
        var network = new IpPrefix(high, low, bits);
        addresses.add(network);
        return network;
    }

    private List<Range> ranges(int most) {
        var ranges = new ArrayList<Range>();
        for (int i = random.nextInt(6) == 0 ? random.nextInt(1, 12) : 1; i > 0; i--) {
            int low =
                    random.nextInt(3) == 0 ? numbers.get(random.nextInt(numbers.size())) & most : random.nextInt(most);
            int high = random.nextBoolean() ? low : Math.min(most, low + random.nextInt(most + 1));
            ranges.add(new Range(low, high));
            numbers.add(low);
            numbers.add(high);
        }
        return ranges;
    }

    private MacPattern mac() {
        long mask = random.nextBoolean() ? 0xffff_ffff_ffffL : random.nextLong() & 0xffff_ffff_ffffL;
        long bits = macs.get(random.nextInt(macs.size())) ^ random.nextInt(4) & mask;
        macs.add(bits);
        return new MacPattern(bits & mask, mask);
    }

    FakePacket packet() {
        var packet = new FakePacket();
        packet.kind = 1 << random.nextInt(random.nextInt(3) == 0 ? 4 : 2);
        packet.fragment = random.nextInt(4) == 0 ? 1 << random.nextInt(3) : Fields.UNFRAGMENTED;
        for (int field : FakePacket.ADDRESSES) {
            if (packet.kind != Fields.OTHER) {
                address(packet, field);
            }
        }
        for (int field : FakePacket.NUMBERS) {
            packet.high[field] = number((1 << Fields.width(field)) - 1);
        }
        packet.high[Fields.PROTOCOL] = random.nextBoolean() ? 6 : packet.high[Fields.PROTOCOL];
        for (int field : FakePacket.MACS) {
            packet.high[field] = macs.get(random.nextInt(macs.size())) ^ random.nextInt(2);
        }
        packet.high[Fields.IN_PORT] = random.nextInt(5) - 1;
        packet.high[Fields.OUT_PORT] = random.nextInt(5) - 1;
        packet.crossed = new int[] {random.nextInt(3)};
        return packet;
    }

    private void address(FakePacket packet, int field) {
        boolean v4 = packet.kind != Fields.IPV6;
        IpPrefix near = addresses.get(random.nextInt(addresses.size()));
        while (near.isV4() != v4) {
            near = addresses.get(random.nextInt(addresses.size()));
        }
        long last = near.low() | ~IpPrefix.lowMask(near.bits());
        packet.high[field] = near.high();
        packet.low[field] = switch (random.nextInt(5)) {
            case 0 -> near.low();
            case 1 -> near.low() - 1;
            case 2 -> last;
            case 3 -> last + 1;
            default -> near.low() | random.nextInt(256);
        };
        if (v4) {
            packet.low[field] = V4 | packet.low[field] & 0xffff_ffffL; // one before 0.0.0.0 is 255.255.255.255
        } else if (IpAddress.isV4(packet.high[field], packet.low[field])) {
            packet.high[field] = 1; // no IPv6 packet has such an address
        }
    }

    private long number(int most) {
        return numbers.get(random.nextInt(numbers.size())) + random.nextInt(3) - 1 & most;
    }
}
