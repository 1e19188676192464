package dev.weft.sim.trace;

import java.util.ArrayList;
import java.util.List;
import java.util.OptionalInt;

/** Flag sets as words: {@code syn,ack}; {@code none} for no flag. */
final class Flags {
    /** Lowest bit first (RFC 9293 §3.1). */
    static final Flags TCP = new Flags(List.of("fin", "syn", "rst", "psh", "ack", "urg", "ece", "cwr"), 0);

    /** Of an advertisement, in the top three bits of the octet (RFC 4861 §4.4). */
    static final Flags ND = new Flags(List.of("override", "solicited", "router"), 5);

    /** In the top six bits of CONTROL's octet of flags. */
    static final Flags SAL = new Flags(List.of("fin", "rst", "nack", "ack", "rsyn", "syn"), 2);

    private final List<String> names;
    private final int firstBit;

    private Flags(List<String> names, int firstBit) {
        this.names = names;
        this.firstBit = firstBit;
    }

    List<String> names() {
        return names;
    }

    OptionalInt tryParse(String text) {
        if (text.equals("none")) {
            return OptionalInt.of(0);
        }
        int flags = 0;
        for (String name : text.split(",", -1)) {
            int index = names.indexOf(name);
            if (index < 0) {
                return OptionalInt.empty();
            }
            flags |= 1 << (index + firstBit);
        }
        return OptionalInt.of(flags);
    }

    String print(long flags) {
        var present = new ArrayList<String>();
        for (int i = 0; i < names.size(); i++) {
            if ((flags >>> (i + firstBit) & 1) != 0) {
                present.add(names.get(i));
            }
        }
        return present.isEmpty() ? "none" : String.join(",", present);
    }
}
