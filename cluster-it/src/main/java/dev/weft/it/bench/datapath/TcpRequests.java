package dev.weft.it.bench.datapath;

import dev.weft.agent.lab.Commands;
import dev.weft.base.NanoClock;
import dev.weft.datapath.link.NetworkNamespace;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.AtomicLong;

/**
 * TCP connections along a path that are opened, carry one octet there and one back, and are closed by the client: real
 * sockets of this process in the VMs' namespaces, a few clients that each have one connection at a time.
 */
final class TcpRequests implements AutoCloseable {
    static final int CLIENTS = 4;

    private static final int PORT = 7007;
    private static final int BACKLOG = 1024;
    private static final int PATIENCE_MILLIS = 5_000;
    private static final Duration COMMAND_LIMIT = Duration.ofSeconds(10);

    private final Path path;
    private final int servers;
    private final ServerSocket listening;
    private int next;

    /** One run. */
    record Run(long done, long failed, long wallNanos) {
        double perSecond() {
            return done / (wallNanos / 1e9);
        }
    }

    private TcpRequests(Path path, int servers, ServerSocket listening) {
        this.path = path;
        this.servers = servers;
        this.listening = listening;
    }

    /** The receiver is all of the servers from now on. */
    static TcpRequests open(Path path, int servers) {
        expect(path, path.receiver().run(COMMAND_LIMIT, "ip", "route", "replace", "local", "10.8.0.0/16", "dev", "lo"));
        expect(
                path,
                path.sender()
                        .run(
                                COMMAND_LIMIT,
                                "sh",
                                "-c",
                                "echo 1024 65535 > /proc/sys/net/ipv4/ip_local_port_range"
                                        + " && echo 1 > /proc/sys/net/ipv4/tcp_tw_reuse"));
        var requests = new TcpRequests(path, servers, in(path.receiver().namespace(), TcpRequests::listen));
        for (int i = 0; i < CLIENTS; i++) {
            Thread.ofPlatform().daemon().name("bench-server-" + i).start(requests::serve);
        }
        return requests;
    }

    private static void expect(Path path, Commands.Result said) {
        if (!said.ok()) {
            throw new MeasureException(path + " cannot be prepared: " + said.output());
        }
    }

    private static ServerSocket listen() throws IOException {
        return new ServerSocket(PORT, BACKLOG);
    }

    private static <T> T in(String namespace, NetworkNamespace.Body<T, IOException> body) {
        try {
            return NetworkNamespace.named(namespace).call(body);
        } catch (IOException refused) {
            throw new MeasureException("a socket in " + namespace + " was refused: " + refused.getMessage(), refused);
        }
    }

    /** One connection after the other, until the listening socket is closed. */
    private void serve() {
        byte[] octet = new byte[1];
        while (!listening.isClosed()) {
            try (Socket socket = listening.accept()) {
                socket.setSoTimeout(PATIENCE_MILLIS);
                if (socket.getInputStream().read(octet) == 1) {
                    socket.getOutputStream().write(octet);
                    socket.getInputStream().read(octet); // the client closes first
                }
            } catch (IOException failed) {
                // The client counts what it did not get; a closed listening socket ends the loop.
            }
        }
    }

    /** All clients for so long. */
    Run run(long nanos) {
        var done = new AtomicLong();
        var failed = new AtomicLong();
        List<InetAddress> addresses = addresses();
        List<Thread> clients = new ArrayList<>();
        long begin = NanoClock.SYSTEM.nanoTime();
        for (int i = 0; i < CLIENTS; i++) {
            int first = next++;
            clients.add(Thread.ofPlatform()
                    .name("bench-client-" + i)
                    .start(() -> NetworkNamespace.named(path.sender().namespace())
                            .run(() -> ask(addresses, first, begin + nanos, done, failed))));
        }
        clients.forEach(TcpRequests::join);
        return new Run(done.get(), failed.get(), NanoClock.SYSTEM.nanoTime() - begin);
    }

    private List<InetAddress> addresses() {
        List<InetAddress> addresses = new ArrayList<>();
        for (int i = 0; i < servers; i++) {
            addresses.add(InetAddress.ofLiteral(Workload.server(i)));
        }
        return addresses;
    }

    private static void ask(List<InetAddress> servers, int first, long end, AtomicLong done, AtomicLong failed) {
        byte[] octet = new byte[1];
        int server = first;
        while (end - NanoClock.SYSTEM.nanoTime() > 0) {
            try (var socket = new Socket()) {
                socket.setTcpNoDelay(true);
                socket.connect(new InetSocketAddress(servers.get(server++ % servers.size()), PORT), PATIENCE_MILLIS);
                socket.setSoTimeout(PATIENCE_MILLIS);
                socket.getOutputStream().write(octet);
                (socket.getInputStream().read(octet) == 1 ? done : failed).incrementAndGet();
            } catch (IOException lost) {
                failed.incrementAndGet();
            }
        }
    }

    private static void join(Thread thread) {
        try {
            thread.join();
        } catch (InterruptedException interrupted) {
            Thread.currentThread().interrupt();
            throw new MeasureException("interrupted while requests were made", interrupted);
        }
    }

    @Override
    public void close() {
        try {
            listening.close();
        } catch (IOException e) {
            throw new MeasureException("the servers' socket does not close: " + e.getMessage(), e);
        }
    }
}
