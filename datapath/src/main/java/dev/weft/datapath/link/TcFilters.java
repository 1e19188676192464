package dev.weft.datapath.link;

import dev.weft.datapath.kernel.Libc;
import java.util.Optional;
import java.util.OptionalInt;

/**
 * Programs at interfaces by a clsact qdisc and its filters, for kernels without TCX links (before 6.6). May be shared;
 * one request at a time. A filter stays when its maker ends, until it is detached or its interface goes.
 *
 * <p>Layouts: struct tcmsg {@code family(8) pad(24) index(32) handle(32) parent(32) info(32)} with TCA_ attributes
 * (linux/rtnetlink.h, pkt_cls.h).
 */
public final class TcFilters implements AutoCloseable {
    private static final int NEW_QDISC = 36;
    private static final int DELETE_QDISC = 37;
    private static final int NEW_FILTER = 44;
    private static final int DELETE_FILTER = 45;
    private static final int GET_FILTER = 46;
    private static final int HEADER_LENGTH = 20;
    private static final int KIND = 1;
    private static final int OPTIONS = 2;
    private static final int BPF_DESCRIPTOR = 6;
    private static final int BPF_NAME = 7;
    private static final int BPF_FLAGS = 8;
    private static final int BPF_ID = 11;
    private static final int DIRECT_ACTION = 1; // the program's result is the verdict
    private static final int CLSACT_HANDLE = 0xFFFF_0000;
    private static final int CLSACT_PARENT = 0xFFFF_FFF1;
    private static final int INGRESS_PARENT = 0xFFFF_FFF2;
    private static final int EGRESS_PARENT = 0xFFFF_FFF3;
    // Priority 1 in the upper half, all protocols (ETH_P_ALL, network order) in the lower; one filter, of handle 1.
    private static final int FIRST_OF_ALL_PROTOCOLS = 1 << 16 | Short.toUnsignedInt(Short.reverseBytes((short) 3));
    private static final int HANDLE = 1;

    private final Netlink netlink;

    private TcFilters(Netlink netlink) {
        this.netlink = netlink;
    }

    public static TcFilters in(NetworkNamespace namespace) {
        return new TcFilters(Netlink.in(namespace));
    }

    /** Runs the program on every packet that goes this way; one attached before is replaced without a gap. */
    public void attach(int ifindex, Direction direction, int programFd) {
        var qdisc = message(
                        NEW_QDISC, MessageWriter.ACK | MessageWriter.CREATE, ifindex, CLSACT_HANDLE, CLSACT_PARENT, 0)
                .attribute(KIND, "clsact");
        netlink.change("add clsact to interface " + ifindex, qdisc);
        var filter = filter(NEW_FILTER, MessageWriter.ACK | MessageWriter.CREATE, ifindex, direction);
        int options = filter.attribute(KIND, "bpf").open(OPTIONS | MessageWriter.NESTED);
        filter.attribute(BPF_DESCRIPTOR, programFd)
                .attribute(BPF_NAME, "weft")
                .attribute(BPF_FLAGS, DIRECT_ACTION)
                .close(options);
        netlink.change("attach a program at " + direction + " of interface " + ifindex, filter);
    }

    /** The kernel's number of our program there; empty when there is none. */
    public OptionalInt programId(int ifindex, Direction direction) {
        var found = netlink.dump(
                "list filters at " + direction + " of interface " + ifindex,
                message(GET_FILTER, MessageWriter.DUMP, ifindex, 0, parent(direction), 0),
                TcFilters::ours);
        return found.isEmpty() ? OptionalInt.empty() : OptionalInt.of(found.getFirst());
    }

    private static Optional<Integer> ours(Message message) {
        if (message.type() != NEW_FILTER || message.intAt(8) != HANDLE || message.intAt(16) != FIRST_OF_ALL_PROTOCOLS) {
            return Optional.empty();
        }
        var id = message.attributesAfter(HEADER_LENGTH).nested(OPTIONS).number(BPF_ID);
        return id.isPresent() ? Optional.of(id.getAsInt()) : Optional.empty();
    }

    /** Takes our program off, and the qdisc too when it holds no other filter. */
    public void detach(int ifindex, Direction direction) {
        netlink.change(
                "detach the program at " + direction + " of interface " + ifindex,
                filter(DELETE_FILTER, MessageWriter.ACK, ifindex, direction));
        if (isEmpty(ifindex, Direction.INGRESS) && isEmpty(ifindex, Direction.EGRESS)) {
            netlink.change(
                    "remove clsact from interface " + ifindex,
                    message(DELETE_QDISC, MessageWriter.ACK, ifindex, CLSACT_HANDLE, CLSACT_PARENT, 0));
        }
    }

    private boolean isEmpty(int ifindex, Direction direction) {
        return netlink.dump(
                        "list filters of interface " + ifindex,
                        message(GET_FILTER, MessageWriter.DUMP, ifindex, 0, parent(direction), 0),
                        message ->
                                message.type() == NEW_FILTER ? Optional.of(message.type()) : Optional.<Integer>empty())
                .isEmpty();
    }

    private static MessageWriter filter(int type, int flags, int ifindex, Direction direction) {
        return message(type, flags, ifindex, HANDLE, parent(direction), FIRST_OF_ALL_PROTOCOLS);
    }

    private static MessageWriter message(int type, int flags, int ifindex, int handle, int parent, int info) {
        return new MessageWriter(type, flags)
                .putByte(Libc.AF_UNSPEC)
                .putByte(0)
                .putShort(0)
                .putInt(ifindex)
                .putInt(handle)
                .putInt(parent)
                .putInt(info);
    }

    private static int parent(Direction direction) {
        return switch (direction) {
            case INGRESS -> INGRESS_PARENT;
            case EGRESS -> EGRESS_PARENT;
        };
    }

    @Override
    public void close() {
        netlink.close();
    }
}
