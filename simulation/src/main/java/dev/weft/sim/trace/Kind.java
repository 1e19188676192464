package dev.weft.sim.trace;

import static dev.weft.sim.trace.Option.*;

import java.util.Collections;
import java.util.EnumSet;
import java.util.Locale;
import java.util.Set;

/** The first word of an expression, and the options it takes. */
enum Kind {
    UDP(EnumSet.of(CHECKSUM), true),
    TCP(EnumSet.of(FLAGS, SEQ, ACK, WINDOW, TCP_OPTIONS, CHECKSUM), true),
    SAL(
            EnumSet.of(
                    PROTO,
                    FLAGS,
                    VERNO,
                    ACKNO,
                    NONCE,
                    SERVICE,
                    FROM_SERVICE,
                    SOURCE,
                    UDP_SRC,
                    UDP_DST,
                    UDP_CHECKSUM,
                    BARE,
                    TCP_FLAGS,
                    SEQ,
                    ACK,
                    WINDOW,
                    TCP_OPTIONS,
                    CHECKSUM),
            true),
    ICMP(EnumSet.of(CODE, ID, SEQ, MTU, REST, CHECKSUM, ABOUT), true),
    ICMP6(EnumSet.of(CODE, ID, SEQ, MTU, REST, CHECKSUM, ABOUT), true),
    ARP(EnumSet.of(SENDER_MAC, TARGET_MAC), false),
    ND(EnumSet.of(FLAGS, TARGET, TO, LINK_MAC, CHECKSUM), true),
    IP(EnumSet.of(PROTO), true),
    ETH(EnumSet.of(TYPE), false);

    private static final Set<Option> LINK = EnumSet.of(SRC_MAC, DST_MAC, VLAN, PRIORITY, DEI, PAD);
    private static final Set<Option> NETWORK = EnumSet.of(TTL, DSCP, ECN, FLOW_LABEL, IP_ID, DF, FRAGMENT, IP_OPTIONS);

    final String word;
    private final Set<Option> options;
    private final boolean ip;

    Kind(Set<Option> options, boolean ip) {
        word = name().toLowerCase(Locale.ROOT);
        this.options = options;
        this.ip = ip;
    }

    boolean isIp() {
        return ip;
    }

    boolean hasPayload() {
        return this != ARP && this != ND;
    }

    /** In the order of printing. */
    Set<Option> options() {
        var all = EnumSet.copyOf(options);
        all.addAll(LINK);
        if (ip) {
            all.addAll(NETWORK);
        }
        if (hasPayload()) {
            all.add(LENGTH);
            all.add(DATA);
        }
        if (this == ND) {
            all.remove(FRAGMENT);
            all.remove(DF);
            all.remove(IP_ID);
            all.remove(IP_OPTIONS);
        }
        if (this == ETH) {
            all.remove(PAD);
        }
        return Collections.unmodifiableSet(all);
    }
}
