package dev.weft.agent.demo;

import dev.weft.agent.lab.Vm;
import dev.weft.base.NanoClock;
import dev.weft.datapath.link.NetworkNamespace;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Queue;
import java.util.TreeMap;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;

/**
 * Web clients in a VM that ask a service again and again, each time by a new connection. Its threads live inside the VM;
 * what they have seen may be read by another.
 */
final class WebLoad implements AutoCloseable {
    private static final int CLIENTS = 5;
    /** Of one client: together they ask more than all replicas may answer. */
    private static final long PAUSE_NANOS = TimeUnit.MILLISECONDS.toNanos(50);

    private static final int TIMEOUT_MILLIS = 3_000;
    private static final String FAILED = "failed";
    private static final String BUSY = "busy";

    private final InetSocketAddress address;
    private final NanoClock clock;
    private final Queue<Seen> seen = new ConcurrentLinkedQueue<>();
    private final List<Thread> clients = new ArrayList<>();
    private volatile boolean ending;

    /** @param by the replica that answered, or one of the words above */
    private record Seen(long beganNanos, String by) {}

    /** What came of the requests that began within some time. */
    record Tally(Map<String, Integer> served, int busy, int failed) {
        int answers() {
            return served.values().stream().mapToInt(Integer::intValue).sum();
        }
    }

    private WebLoad(InetSocketAddress address, NanoClock clock) {
        this.address = address;
        this.clock = clock;
    }

    static WebLoad start(Vm vm, String address, int port, NanoClock clock) {
        var load = new WebLoad(new InetSocketAddress(address, port), clock);
        var inside = NetworkNamespace.named(vm.namespace());
        for (int i = 0; i < CLIENTS; i++) {
            load.clients.add(
                    Thread.ofPlatform().daemon().name("web-client-" + i).start(() -> inside.run(load::ask)));
        }
        return load;
    }

    private void ask() {
        while (!ending) {
            long begin = clock.nanoTime();
            seen.add(new Seen(begin, request()));
            long left = begin + PAUSE_NANOS - clock.nanoTime();
            if (left > 0) {
                LockSupport.parkNanos(left);
            }
        }
    }

    private String request() {
        try (var socket = new Socket()) {
            socket.setSoTimeout(TIMEOUT_MILLIS);
            socket.connect(address, TIMEOUT_MILLIS);
            socket.getOutputStream().write("GET / HTTP/1.0\r\n\r\n".getBytes(StandardCharsets.US_ASCII));
            String answer = new String(socket.getInputStream().readAllBytes(), StandardCharsets.US_ASCII);
            if (answer.startsWith("HTTP/1.1 200 ")) {
                return answer.substring(answer.indexOf("\r\n\r\n") + 4).strip();
            }
            return answer.startsWith("HTTP/1.1 503 ") ? BUSY : FAILED;
        } catch (IOException refusedOrLost) {
            return FAILED;
        }
    }

    /** How many there have been. */
    int requests() {
        return seen.size();
    }

    /** Of the requests that began between two times. */
    Tally between(long fromNanos, long toNanos) {
        Map<String, Integer> counts = new TreeMap<>();
        for (Seen each : seen) {
            if (each.beganNanos - fromNanos >= 0 && each.beganNanos - toNanos < 0) {
                counts.merge(each.by, 1, Integer::sum);
            }
        }
        int busy = counts.getOrDefault(BUSY, 0);
        int failed = counts.getOrDefault(FAILED, 0);
        counts.remove(BUSY);
        counts.remove(FAILED);
        return new Tally(counts, busy, failed);
    }

    /** When the last request that failed began, in nanoseconds after a time; 0 when none did. */
    long lastFailureAfter(long fromNanos) {
        return seen.stream()
                .filter(each -> each.by.equals(FAILED) && each.beganNanos - fromNanos >= 0)
                .mapToLong(each -> each.beganNanos - fromNanos)
                .max()
                .orElse(0);
    }

    @Override
    public void close() {
        ending = true;
        for (Thread client : clients) {
            try {
                client.join();
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
                return;
            }
        }
    }
}
