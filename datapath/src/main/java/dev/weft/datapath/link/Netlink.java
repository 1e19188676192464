package dev.weft.datapath.link;

import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_INT_UNALIGNED;
import static java.lang.foreign.ValueLayout.JAVA_LONG;
import static java.lang.foreign.ValueLayout.JAVA_SHORT;

import dev.weft.datapath.kernel.Errno;
import dev.weft.datapath.kernel.Libc;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.function.Consumer;
import java.util.function.Function;

/**
 * One NETLINK_ROUTE socket in one namespace. May be shared: one request at a time, guarded by this object; {@link
 * #receive} is for a subscribed socket and its one reader.
 */
final class Netlink implements AutoCloseable {
    static final int GROUP_LINK = 1; // 1 << RTNLGRP_LINK - 1, and so on
    static final int GROUP_NEIGHBOUR = 1 << 2;
    static final int GROUP_IPV4_ADDRESS = 1 << 4;
    static final int GROUP_IPV4_ROUTE = 1 << 6;
    static final int GROUP_IPV6_ADDRESS = 1 << 8;
    static final int GROUP_IPV6_ROUTE = 1 << 10;
    private static final int SOL_NETLINK = 270;
    private static final int OPTION_CAP_ACK = 10;
    private static final int OPTION_EXT_ACK = 11;
    private static final int OPTION_STRICT_CHECK = 12;
    private static final int RECEIVE_LENGTH = 256 << 10; // the kernel fills dumps up to 32 KiB a datagram
    private static final int SUBSCRIBER_BUFFER_SIZE = 4 << 20;
    private static final int ANSWER_SECONDS = 5;
    private static final int DUMP_ATTEMPTS = 10;

    /** What a look at a subscribed socket found. */
    enum Received {
        NOTHING,
        MESSAGES,
        /** The kernel dropped messages for want of buffer: ask for the whole state again. */
        LOST
    }

    // Immutable after construction.
    private final NetworkNamespace namespace;
    private final int fd;
    private final Arena arena = Arena.ofShared();
    private final MemorySegment incoming = arena.allocate(RECEIVE_LENGTH, 8);
    private final MemorySegment sender = arena.allocate(12, 4); // struct sockaddr_nl
    private final MemorySegment senderLength = arena.allocate(JAVA_INT);
    // Guarded by this.
    private int sequence;
    private boolean closed;

    private Netlink(NetworkNamespace namespace, int fd) {
        this.namespace = namespace;
        this.fd = fd;
    }

    /** For requests. */
    static Netlink in(NetworkNamespace namespace) {
        return new Netlink(namespace, namespace.call(() -> openSocket(0, 0)));
    }

    /** For notifications of these groups; never blocks. */
    static Netlink subscribed(NetworkNamespace namespace, int groups) {
        return new Netlink(namespace, namespace.call(() -> openSocket(Libc.SOCK_NONBLOCK, groups)));
    }

    private static int openSocket(int flags, int groups) {
        int fd = LinkException.check(
                Libc.socket(Libc.AF_NETLINK, Libc.SOCK_RAW | Libc.SOCK_CLOEXEC | flags, 0), "open a netlink socket");
        try (var arena = Arena.ofConfined()) {
            Libc.setOption(fd, SOL_NETLINK, OPTION_CAP_ACK, 1);
            Libc.setOption(fd, SOL_NETLINK, OPTION_EXT_ACK, 1);
            Libc.setOption(fd, SOL_NETLINK, OPTION_STRICT_CHECK, 1);
            if (groups != 0) {
                // Best effort: without the right to it the default buffer stays, and a loss is reported as one.
                Libc.setOption(fd, Libc.SOL_SOCKET, Libc.SO_RCVBUFFORCE, SUBSCRIBER_BUFFER_SIZE);
            }
            var timeval = arena.allocateFrom(JAVA_LONG, ANSWER_SECONDS, 0);
            LinkException.check(
                    Libc.setOption(fd, Libc.SOL_SOCKET, Libc.SO_RCVTIMEO, timeval), "set a netlink time-out");
            var address = arena.allocate(12, 4); // struct sockaddr_nl: family(16) pad(16) port(32) groups(32)
            address.set(JAVA_SHORT, 0, (short) Libc.AF_NETLINK);
            address.set(JAVA_INT, 8, groups);
            LinkException.check(Libc.bind(fd, address), "bind a netlink socket");
            return fd;
        } catch (LinkException refused) {
            Libc.close(fd);
            throw refused;
        }
    }

    int fileDescriptor() {
        return fd;
    }

    NetworkNamespace namespace() {
        return namespace;
    }

    /** A change: returns when the kernel has done it, throws when it refused. */
    synchronized void change(String tried, MessageWriter request) {
        exchange(tried, request, message -> Optional.empty());
    }

    /** A question with one answer. */
    synchronized <T> T ask(String tried, MessageWriter request, Function<Message, Optional<T>> decode) {
        var answers = exchange(tried, request, decode);
        if (answers.isEmpty()) {
            throw new LinkException(tried + " in " + namespace + ": the kernel answered nothing");
        }
        return answers.getFirst();
    }

    /** A question with many answers; asked anew when the answers changed under way. */
    synchronized <T> List<T> dump(String tried, MessageWriter request, Function<Message, Optional<T>> decode) {
        for (int attempt = 0; attempt < DUMP_ATTEMPTS; attempt++) {
            var exchange = new Exchange<>(tried, decode);
            run(exchange, request);
            if (!exchange.interrupted) {
                return exchange.answers;
            }
        }
        throw new LinkException(tried + " in " + namespace + ": changed during each of " + DUMP_ATTEMPTS
                + " attempts to read it; try again when it is calmer");
    }

    private <T> List<T> exchange(String tried, MessageWriter request, Function<Message, Optional<T>> decode) {
        var exchange = new Exchange<>(tried, decode);
        run(exchange, request);
        return exchange.answers;
    }

    private void run(Exchange<?> exchange, MessageWriter request) {
        if (closed) {
            throw new LinkException(exchange.tried + ": the netlink socket is closed");
        }
        sequence++;
        exchange.sequence = sequence;
        var bytes = request.finish(sequence);
        long sent = Libc.send(fd, bytes.address(), bytes.byteSize(), 0);
        LinkException.check((int) sent, exchange.tried + " in " + namespace);
        while (!exchange.done) {
            long length = receiveDatagram();
            if (length < 0) {
                int errno = Errno.EAGAIN.is(length) ? Errno.ETIMEDOUT.number : (int) -length;
                throw LinkException.of(errno, exchange.tried + " in " + namespace);
            }
            Message.walk(incoming.asSlice(0, length), exchange);
        }
    }

    /** Hands over what has arrived, one datagram at most. */
    Received receive(Consumer<Message> sink) {
        long length = receiveDatagram();
        if (Errno.EAGAIN.is(length)) {
            return Received.NOTHING;
        }
        if (Errno.ENOBUFS.is(length)) {
            return Received.LOST;
        }
        LinkException.check((int) length, "read notifications of " + namespace);
        Message.walk(incoming.asSlice(0, length), sink);
        return Received.MESSAGES;
    }

    /** Length of a datagram that the kernel itself sent, or a negative errno. */
    private long receiveDatagram() {
        while (true) {
            senderLength.set(JAVA_INT, 0, (int) sender.byteSize());
            long length = Libc.receiveFrom(
                    fd, incoming.address(), RECEIVE_LENGTH, Libc.MSG_TRUNC, sender.address(), senderLength.address());
            if (Errno.EINTR.is(length)) {
                continue;
            }
            if (length > RECEIVE_LENGTH) {
                throw new LinkException("netlink datagram of " + length + " bytes in " + namespace + " (expected up to "
                        + RECEIVE_LENGTH + ")");
            }
            // Another process may send to our port; only port 0 is the kernel.
            if (length < 0 || sender.get(JAVA_INT_UNALIGNED, 4) == 0) {
                return length;
            }
        }
    }

    @Override
    public synchronized void close() {
        if (!closed) {
            closed = true;
            Libc.close(fd);
            arena.close();
        }
    }

    /** One request and what came back for it. */
    private final class Exchange<T> implements Consumer<Message> {
        private final String tried;
        private final Function<Message, Optional<T>> decode;
        private final List<T> answers = new ArrayList<>();
        private int sequence;
        private boolean interrupted;
        private boolean done;

        Exchange(String tried, Function<Message, Optional<T>> decode) {
            this.tried = tried;
            this.decode = decode;
        }

        @Override
        public void accept(Message message) {
            if (message.sequence() != sequence || done) {
                return; // the tail of an exchange given up earlier
            }
            interrupted |= message.interrupted();
            switch (message.type()) {
                case Message.ERROR, Message.DONE -> {
                    done = true;
                    if (message.errno() != 0) {
                        throw LinkException.of(message.errno(), tried + " in " + namespace, message.errorText());
                    }
                }
                case Message.OVERRUN -> throw LinkException.of(Errno.ENOBUFS.number, tried + " in " + namespace);
                default -> decode.apply(message).ifPresent(answers::add);
            }
        }
    }
}
