package dev.weft.sim.match;

import dev.weft.base.Hashing;
import dev.weft.base.IpPrefix;
import dev.weft.sim.match.Classifier.Listed;
import dev.weft.sim.match.Classifier.Part;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * Sorts rules into a {@link Classifier}. Used once. Equal parts are made once: the many members of a set that some rules
 * ask for all lead to the same part.
 */
final class ClassifierBuilder {
    /** So few are quicker held against the packet one by one. */
    static final int SHORT_LIST = 6;

    private final List<List<Test>> tests;
    /** By rule, then field as in {@link AskedPrefixes#FIELDS}. */
    private final AskedPrefixes[] asked;

    private final Program.Writer writer = new Program.Writer();
    private final Map<Key, Part> parts = new HashMap<>();
    private final Map<ListKey, Integer> lists = new HashMap<>();

    private ClassifierBuilder(List<List<Test>> tests) {
        this.tests = tests;
        asked = new AskedPrefixes[tests.size()];
        Arrays.setAll(asked, i -> AskedPrefixes.of(tests.get(i)));
    }

    static Classifier build(List<List<Test>> rules) {
        int[] all = new int[rules.size()];
        Arrays.setAll(all, i -> i);
        var builder = new ClassifierBuilder(rules);
        Part root = all.length == 0 ? null : builder.part(all, 0);
        return new Classifier(builder.writer.finish(), root, all.length);
    }

    /** What a part is made of. */
    private record Key(int[] rules, int used, int hash) {
        static Key of(int[] rules, int used) {
            return new Key(rules, used, 31 * Arrays.hashCode(rules) + used);
        }

        @Override
        public boolean equals(@Nullable Object other) {
            return other instanceof Key key && used == key.used && Arrays.equals(rules, key.rules);
        }

        @Override
        public int hashCode() {
            return hash;
        }
    }

    private record ListKey(Key key, int number) {}

    AskedPrefixes asked(int rule) {
        return asked[rule];
    }

    /** @param used set of the fields sorted by already */
    Part part(int[] rules, int used) {
        var key = Key.of(rules, used);
        Part made = parts.get(key);
        if (made == null) {
            int field = rules.length <= SHORT_LIST ? -1 : choose(rules, used);
            made = field < 0
                    ? new Listed(rules[0], list(rules, used, 0))
                    : new LevelBuilder(this, field, used).build(rules);
            parts.put(key, made);
        }
        return made;
    }

    /**
     * A rule that a field has been sorted by, and that asks for it, need not be held against the field again.
     *
     * @param number what {@link Program#number} shall say
     */
    int list(int[] rules, int used, int number) {
        return lists.computeIfAbsent(new ListKey(Key.of(rules, used), number), key -> {
            int list = writer.begin();
            for (int rule : rules) {
                writer.rule(rule, asked[rule].without(tests.get(rule), used));
            }
            writer.end(list, number);
            return list;
        });
    }

    /** The field that leaves the fewest rules on one path; -1 when none tells any of them apart. */
    private int choose(int[] rules, int used) {
        int best = -1;
        int bestLeft = rules.length;
        for (int field = 0; field < AskedPrefixes.FIELDS.length; field++) {
            if ((used & 1 << field) == 0) {
                int left = leftBy(rules, field, bestLeft);
                if (left < bestLeft) {
                    best = field;
                    bestLeft = left;
                }
            }
        }
        return best;
    }

    /** Rules that do not ask for the field, and the most that ask for one same prefix first. */
    private int leftBy(int[] rules, int field, int enough) {
        int anywhere = 0;
        for (int rule : rules) {
            anywhere += asked[rule].asks(field) ? 0 : 1;
        }
        if (anywhere >= enough) {
            return anywhere;
        }
        long[] first = new long[rules.length - anywhere];
        int count = 0;
        for (int rule : rules) {
            if (asked[rule].asks(field)) {
                IpPrefix prefix = asked[rule].prefixes(field)[0];
                first[count++] = Hashing.combine(Hashing.combine(prefix.high(), prefix.low()), prefix.bits());
            }
        }
        Arrays.sort(first);
        int most = 0;
        int run = 0;
        for (int i = 0; i < count; i++) {
            run = i > 0 && first[i - 1] == first[i] ? run + 1 : 1;
            most = Math.max(most, run);
        }
        return anywhere + most;
    }
}
