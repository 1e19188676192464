package dev.weft.agent.health;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import com.sun.net.httpserver.HttpServer;
import dev.weft.base.IpAddress;
import java.io.IOException;
import java.net.DatagramSocket;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.time.Duration;
import java.util.List;
import java.util.Set;
import java.util.UUID;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** Real members on this machine's loopback. */
class HealthChecksTest {
    private static final Duration SOON = Duration.ofSeconds(20);
    private static final IpAddress LOOPBACK = IpAddress.parse("127.0.0.1");
    private static final UUID ROUTER = new UUID(1, 3);
    private static final UUID POOL = new UUID(1, 2);

    private final List<Boolean> changes = new CopyOnWriteArrayList<>();
    private final HealthChecks checks =
            new HealthChecks(Places.ownStack(), router -> true, (target, up) -> changes.add(up));

    @AfterEach
    void close() {
        checks.close();
    }

    private static Target target(Target.Kind kind, int port, String path) {
        return new Target(
                POOL, ROUTER, LOOPBACK, port, kind, port, Duration.ofMillis(100), Duration.ofMillis(500), 2, 2, path);
    }

    @Test
    void tcpMemberIsDownWhenNobodyListensAndUpAgainWhenSomebodyDoes() throws IOException {
        int port;
        try (var listening = new ServerSocket(0, 50, InetAddress.getLoopbackAddress())) {
            port = listening.getLocalPort();
            checks.follow(Set.of(target(Target.Kind.TCP, port, "")));
            listening.accept().close();
            assertThat(changes).isEmpty();
        }
        await().atMost(SOON).until(() -> changes.equals(List.of(false)));
        try (var again = new ServerSocket()) {
            again.setReuseAddress(true);
            again.bind(new InetSocketAddress(InetAddress.getLoopbackAddress(), port));
            await().atMost(SOON).until(() -> changes.equals(List.of(false, true)));
        }
    }

    @Test
    void httpMemberIsWellAsLongAsItSaysSo() throws IOException {
        var status = new AtomicInteger(200);
        var server = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
        var asked = new AtomicInteger();
        server.createContext("/health", exchange -> {
            asked.incrementAndGet();
            exchange.sendResponseHeaders(status.get(), -1);
            exchange.close();
        });
        server.start();
        try {
            checks.follow(Set.of(target(Target.Kind.HTTP, server.getAddress().getPort(), "/health")));
            await().atMost(SOON).until(() -> asked.get() > 3);
            assertThat(changes).isEmpty();
            status.set(503);
            await().atMost(SOON).until(() -> changes.equals(List.of(false)));
            status.set(204);
            await().atMost(SOON).until(() -> changes.equals(List.of(false, true)));
        } finally {
            server.stop(0);
        }
    }

    @Test
    void udpMemberIsDownWhenItsHostRefuses() throws IOException {
        int port;
        try (var socket = new DatagramSocket(0, InetAddress.getLoopbackAddress())) {
            port = socket.getLocalPort();
        }
        checks.follow(Set.of(target(Target.Kind.UDP, port, "")));
        await().atMost(SOON).until(() -> changes.equals(List.of(false)));
    }

    @Test
    void targetThatIsFollowedNoLongerIsNotAsked() throws IOException {
        try (var listening = new ServerSocket(0, 50, InetAddress.getLoopbackAddress())) {
            checks.follow(Set.of(target(Target.Kind.TCP, listening.getLocalPort(), "")));
            listening.accept().close();
            checks.follow(Set.of());
        }
        checks.follow(Set.of(target(Target.Kind.UDP, 1, "")));
        await().atMost(SOON).until(() -> changes.size() == 1); // the other one: time has passed
        assertThat(changes).containsExactly(false);
    }
}
