package dev.weft.sim.match;

import dev.weft.base.IpAddress;
import dev.weft.base.IpPrefix;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;

/**
 * One condition on a packet. A rule is a list of them, all of which must hold; those that say whether a field is there
 * come before those that read it. Immutable.
 */
public sealed interface Test {
    /** The packet is of one of these kinds: a set of {@link Fields#IPV4} ... */
    record Kind(int kinds) implements Test {}

    /** An IP packet is one of these fragments: a set of {@link Fields#UNFRAGMENTED} ... */
    record Fragment(int fragments) implements Test {}

    /** There are TCP or UDP ports. */
    record Ports() implements Test {}

    /** There are ICMP type and code. */
    record Icmp() implements Test {}

    /** There is a quoted packet. */
    record Quote() implements Test {}

    /** A field of at most 32 bits is in one of the ranges, or in none of them. Ranges are sorted and do not touch. */
    record Values(int field, List<Range> ranges, boolean inverted) implements Test {
        public Values {
            ranges = merged(ranges);
        }
    }

    /** Both ends included; unsigned. */
    record Range(long low, long high) {
        public Range {
            if (low > high) {
                throw new IllegalArgumentException("range " + low + ".." + high + " (expected low <= high)");
            }
        }
    }

    /** An address is in one of the networks, or in none of them. */
    record Networks(int field, AddressSet set, boolean inverted) implements Test {}

    /** A MAC agrees with one of the patterns on its mask, or with none. */
    record Macs(int field, List<MacPattern> patterns, boolean inverted) implements Test {
        public Macs {
            patterns = List.copyOf(patterns);
        }
    }

    /** See {@link Macs}. */
    record MacPattern(long bits, long mask) {}

    /** The packet came in, or goes out, by one of these ports, or by another; an unknown port is neither. */
    record Place(int field, int[] sortedIndices, boolean inverted) implements Test {}

    /** The packet has passed one of these, or none; see {@link Fields#crossed}. */
    record Crossed(int place, int[] sortedIndices, boolean inverted) implements Test {}

    /** Not all of these hold. */
    record Not(List<Test> tests) implements Test {
        public Not {
            tests = List.copyOf(tests);
        }
    }

    /** A set of networks that can be asked. Rules may share it. */
    final class AddressSet {
        private static final IpPrefix V4 = new IpPrefix(0, IpAddress.V4_MARK, 96);

        final List<IpPrefix> networks;
        final Lpm lpm;

        /** What lies inside another one is left out; IPv4 is no part of any IPv6 network. */
        public AddressSet(List<IpPrefix> networks) {
            var kept = new ArrayList<IpPrefix>();
            var sorted = new ArrayList<IpPrefix>();
            networks.forEach(network -> addWithoutMapped(network, sorted));
            sorted.sort(Comparator.comparing(IpPrefix::high, Long::compareUnsigned)
                    .thenComparing(IpPrefix::low, Long::compareUnsigned)
                    .thenComparingInt(IpPrefix::bits));
            for (IpPrefix network : sorted) {
                if (kept.isEmpty() || !kept.getLast().contains(network.network())) {
                    kept.add(network);
                }
            }
            this.networks = List.copyOf(kept);
            lpm = Lpm.of(this.networks);
        }

        public List<IpPrefix> networks() {
            return networks;
        }

        /** A network that IPv4's mapped addresses are part of becomes those halves of it, and of its halves, without. */
        private static void addWithoutMapped(IpPrefix network, List<IpPrefix> to) {
            if (network.bits() >= V4.bits() || !network.contains(V4.network())) {
                to.add(network);
                return;
            }
            for (int bits = network.bits() + 1; bits <= V4.bits(); bits++) {
                long high = V4.high() ^ (bits <= 64 ? 1L << 64 - bits : 0);
                long low = V4.low() ^ (bits > 64 ? 1L << 128 - bits : 0);
                to.add(new IpPrefix(high, low, bits));
            }
        }
    }

    private static List<Range> merged(List<Range> ranges) {
        var sorted = ranges.toArray(new Range[0]);
        Arrays.sort(sorted, Comparator.comparingLong(Range::low));
        var merged = new ArrayList<Range>();
        for (Range range : sorted) {
            Range last = merged.isEmpty() ? null : merged.getLast();
            if (last != null && range.low <= last.high + 1) {
                merged.set(merged.size() - 1, new Range(last.low, Math.max(last.high, range.high)));
            } else {
                merged.add(range);
            }
        }
        return List.copyOf(merged);
    }
}
