package dev.weft.topology;

import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** VLAN ids from {@code first} to {@code last}, both included: {@code 10} or {@code 100-199} (IEEE 802.1Q §9.6). */
public record VlanRange(int first, int last) {
    /** 0 marks a tag that carries a priority only. */
    public static final int MIN = 1;

    /** 4095 is reserved. */
    public static final int MAX = 4094;

    private static final Pattern TEXT = Pattern.compile("([1-9][0-9]{0,3})(?:-([1-9][0-9]{0,3}))?");

    public VlanRange {
        if (first < MIN || last > MAX || first > last) {
            throw new IllegalArgumentException(
                    "VLANs " + first + "-" + last + " (expected within 1..4094, the lower first)");
        }
    }

    public static VlanRange parse(String text) {
        return tryParse(text)
                .orElseThrow(() -> new IllegalArgumentException(
                        "VLANs '" + text + "' (expected an id 1..4094 or a range of them, like 100-199)"));
    }

    public static Optional<VlanRange> tryParse(String text) {
        Matcher matcher = TEXT.matcher(text);
        if (!matcher.matches()) {
            return Optional.empty();
        }
        int first = Integer.parseInt(matcher.group(1));
        int last = matcher.group(2) == null ? first : Integer.parseInt(matcher.group(2));
        return last > MAX || first > last ? Optional.empty() : Optional.of(new VlanRange(first, last));
    }

    public boolean contains(int vlan) {
        return vlan >= first && vlan <= last;
    }

    @Override
    public String toString() {
        return first == last ? Integer.toString(first) : first + "-" + last;
    }
}
