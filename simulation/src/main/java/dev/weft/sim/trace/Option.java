package dev.weft.sim.trace;

import dev.weft.sim.packet.Ethernet;
import dev.weft.sim.packet.PacketParser;
import dev.weft.sim.sal.SalSource;
import java.util.Locale;
import java.util.Optional;

/** The optional words of an expression with their values, in the order they are printed. */
enum Option {
    TYPE(Value.NUMBER, 0xffff),
    PROTO(Value.NUMBER, 0xff),
    SRC_MAC(Value.MAC, 0),
    DST_MAC(Value.MAC, 0),
    VLAN(Value.NUMBER, 0xfff),
    PRIORITY(Value.NUMBER, 7),
    DEI(Value.NONE, 0),
    TTL(Value.NUMBER, 255),
    DSCP(Value.NUMBER, 63),
    ECN(Value.NUMBER, 3),
    FLOW_LABEL(Value.NUMBER, 0xf_ffff),
    IP_ID(Value.NUMBER, 0xffff_ffffL),
    DF(Value.NONE, 0),
    FRAGMENT(Value.FRAGMENT, 0),
    IP_OPTIONS(Value.OCTETS, 40),
    UDP_SRC(Value.NUMBER, 0xffff),
    UDP_DST(Value.NUMBER, 0xffff),
    UDP_CHECKSUM(Value.NUMBER, 0xffff),
    FLAGS(Value.FLAGS, 0),
    VERNO(Value.NUMBER, 0xffff_ffffL),
    ACKNO(Value.NUMBER, 0xffff_ffffL),
    NONCE(Value.OCTETS, 8),
    SERVICE(Value.SERVICE, 0),
    FROM_SERVICE(Value.SERVICE, 0),
    SOURCE(Value.ADDRESSES, SalSource.MAX_ADDRESSES),
    BARE(Value.NONE, 0),
    TCP_FLAGS(Value.FLAGS, 0),
    SEQ(Value.NUMBER, 0xffff_ffffL),
    ACK(Value.NUMBER, 0xffff_ffffL),
    WINDOW(Value.NUMBER, 0xffff),
    TCP_OPTIONS(Value.OCTETS, 40),
    CODE(Value.NUMBER, 255),
    ID(Value.NUMBER, 0xffff),
    MTU(Value.NUMBER, 0xffff_ffffL),
    REST(Value.NUMBER, 0xffff_ffffL),
    SENDER_MAC(Value.MAC, 0),
    TARGET_MAC(Value.MAC, 0),
    TARGET(Value.ADDRESS, 0),
    TO(Value.ADDRESS, 0),
    LINK_MAC(Value.MAC_OR_NONE, 0),
    CHECKSUM(Value.NUMBER, 0xffff),
    LENGTH(Value.NUMBER, PacketParser.MAX_FRAME_LENGTH - Ethernet.LENGTH),
    DATA(Value.OCTETS, PacketParser.MAX_FRAME_LENGTH - Ethernet.LENGTH),
    PAD(Value.NUMBER, 0xffff),
    /** All words after it are the quoted packet. */
    ABOUT(Value.PACKET, 0);

    enum Value {
        NONE,
        NUMBER,
        MAC,
        MAC_OR_NONE,
        ADDRESS,
        ADDRESSES,
        SERVICE,
        OCTETS,
        FLAGS,
        FRAGMENT,
        PACKET
    }

    final Value value;
    /** Greatest number, or most octets or addresses. */
    final long max;

    final String word;

    Option(Value value, long max) {
        this.value = value;
        this.max = max;
        word = name().toLowerCase(Locale.ROOT).replace('_', '-');
    }

    static Optional<Option> tryParse(String word) {
        for (var option : values()) {
            if (option.word.equals(word)) {
                return Optional.of(option);
            }
        }
        return Optional.empty();
    }
}
