package dev.weft.it.bench;

import dev.weft.base.ServiceId;
import dev.weft.base.ServicePrefix;
import dev.weft.sim.service.ServiceRule;
import dev.weft.sim.service.ServiceTable;
import dev.weft.sim.service.ServiceTarget;
import java.util.SplittableRandom;

/**
 * A service table of many prefixes: those of 1,000 tenants, each with a first 32 bits of its own, of given lengths in
 * turn, and ids that lie under them. The shortest lengths have fewer prefixes than their share; the longer make up for it.
 */
final class ServiceWorkload {
    /** Lookups in turn; more than any cache holds. */
    static final int IDS = 1 << 18;

    private static final int TENANTS = 1_000;

    final ServiceTable table = new ServiceTable();
    final ServicePrefix[] prefixes;
    private final long[] ids = new long[4 * IDS];

    /** @param lengths of prefixes, how many different: 256 divided by it is their distance */
    ServiceWorkload(int count, int lengths, long seed) {
        var random = new SplittableRandom(seed);
        long[] tenants = random.longs(TENANTS).toArray();
        prefixes = new ServicePrefix[count];
        int step = ServiceId.BITS / lengths;
        for (int turn = 0; table.size() < count; turn++) {
            int bits = step * (turn % lengths + 1);
            var prefix = new ServicePrefix(any(random, tenants), bits);
            int before = table.size();
            table.put(prefix, new ServiceRule(ServiceTarget.forward(turn), 1, 1));
            if (table.size() > before) {
                prefixes[before] = prefix;
            }
        }
        for (int i = 0; i < IDS; i++) {
            var prefix = prefixes[random.nextInt(count)];
            for (int word = 0; word < 4; word++) {
                ids[4 * i + word] =
                        prefix.id().word(word) | random.nextLong() & ~ServicePrefix.mask(prefix.bits(), word);
            }
        }
    }

    private static ServiceId any(SplittableRandom random, long[] tenants) {
        long tenant = tenants[random.nextInt(tenants.length)] & 0xffff_ffff_0000_0000L;
        return new ServiceId(
                tenant | random.nextLong() >>> 32, random.nextLong(), random.nextLong(), random.nextLong());
    }

    /** Looks up all ids; how many have an entry. */
    long lookUpAll() {
        long found = 0;
        for (int at = 0; at < ids.length; at += 4) {
            found += table.find(ids[at], ids[at + 1], ids[at + 2], ids[at + 3]) == null ? 0 : 1;
        }
        return found;
    }

    /** One lookup, of the id at this place. */
    boolean lookUp(int index) {
        int at = 4 * (index & IDS - 1);
        return table.find(ids[at], ids[at + 1], ids[at + 2], ids[at + 3]) != null;
    }
}
