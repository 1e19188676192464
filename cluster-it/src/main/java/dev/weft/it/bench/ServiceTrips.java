package dev.weft.it.bench;

import dev.weft.agent.socket.ControlClient;
import dev.weft.base.NanoClock;
import dev.weft.datapath.memory.MemoryDatapath;
import dev.weft.it.MemoryCloud;
import dev.weft.sim.trace.PacketExpression;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.nio.file.Path;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import org.apache.zookeeper.CreateMode;
import org.apache.zookeeper.KeeperException;
import org.apache.zookeeper.ZooDefs;
import org.apache.zookeeper.ZooKeeper;

/**
 * First packets of connections from one VM to another through a whole agent, one at a time: resolved by a service table,
 * or plainly routed. No flow knows any of them. Driven by one thread.
 */
final class ServiceTrips implements AutoCloseable {
    private static final long PATIENCE_NANOS = TimeUnit.SECONDS.toNanos(20);
    private static final long PACKET_NANOS = TimeUnit.SECONDS.toNanos(2);
    private static final int SESSION_MILLIS = 10_000;
    private static final long FLAP_NANOS = TimeUnit.MICROSECONDS.toNanos(500);
    private static final String SENDER = " src-mac 02:00:00:00:01:05 dst-mac 02:00:00:00:ff:01";

    private final NanoClock clock = NanoClock.SYSTEM;
    private final Path folder;
    private final MemoryCloud cloud;
    private final MemoryDatapath datapath;
    private final int client;
    private final ZooKeeper zooKeeper;
    private int connection;
    private int destination;
    private volatile long arrivedAt;

    ServiceTrips(Path folder) throws IOException {
        this.folder = folder;
        cloud = MemoryCloud.start(folder, "h1");
        cloud.apply(network());
        datapath = cloud.datapath("h1");
        client = await("c");
        datapath.setSink(await("b"), (segment, offset, length) -> arrivedAt = clock.nanoTime());
        await("i");
        zooKeeper = new ZooKeeper(cloud.connectString(), SESSION_MILLIS, event -> {});
        long deadline = clock.nanoTime() + PATIENCE_NANOS;
        while (nanos(syn()) < 0) {
            if (deadline - clock.nanoTime() < 0) {
                throw new IOException("no packet arrived within " + PATIENCE_NANOS / 1_000_000_000L + " s");
            }
        }
    }

    private static String network() {
        return """
                tenants: [{name: bench}]
                service_blocks: [{name: bench, owner: bench, prefix: 0x00004000/24}]
                ---
                tenant: bench
                service_tables:
                  - {name: web, instances: true, entries: [{prefix: 0x00004001, rules: [{address: 10.2.0.2}]}]}
                bridges:
                  - name: left
                  - name: right
                    neighbours:
                      - {address: 10.2.0.2, mac: "02:00:00:00:02:09"}
                      - {address: 10.2.0.3, mac: "02:00:00:00:02:09"}
                routers: [{name: router, service_table: web}]
                ports:
                  - {name: c, bridge: left, host: h1, interface: c}
                  - {name: b, bridge: right, host: h1, interface: b, mac: "02:00:00:00:02:09", security: true}
                  - {name: i, bridge: right, host: h1, interface: i, mac: "02:00:00:00:02:0a",
                     addresses: [10.2.200.1/16], allowed_services: [0x00004000/24]}
                  - {name: left-up, bridge: left, peer: left-gateway}
                  - {name: right-up, bridge: right, peer: right-gateway}
                  - {name: left-gateway, router: router, mac: "02:00:00:00:ff:01", addresses: [10.0.1.1/24]}
                  - {name: right-gateway, router: router, mac: "02:00:00:00:ff:02", addresses: [10.2.0.1/16]}
                routes:
                  - {router: router, destination: 10.9.0.0/16, port: right-gateway, gateway: 10.2.0.2}
                  - {router: router, destination: 10.9.0.0/16, port: right-gateway, gateway: 10.2.0.3}
                """;
    }

    private int await(String name) {
        long deadline = clock.nanoTime() + PATIENCE_NANOS;
        while (cloud.port("h1", name).isEmpty()) {
            if (deadline - clock.nanoTime() < 0) {
                throw new IllegalStateException("interface " + name + " was not attached in time");
            }
            LockSupport.parkNanos(TimeUnit.MILLISECONDS.toNanos(5));
        }
        return cloud.port("h1", name).getAsInt();
    }

    /** The first packet of a new connection to a service. */
    MemorySegment syn() {
        return MemorySegment.ofArray(PacketExpression.parse(
                "sal 10.0.1.5:" + ++connection + " > 10.0.1.1:0 flags syn verno 7 service 0x00004001" + SENDER));
    }

    /** The first packet to an address, of which there are two equal ways; as long as a SYN is when it leaves. */
    MemorySegment udp() {
        String address = "10.9." + (destination >>> 8 & 0xff) + "." + (destination & 0xff);
        destination++;
        return MemorySegment.ofArray(
                PacketExpression.parse("udp 10.0.1.5:1000 > " + address + ":53 length 80" + SENDER));
    }

    /** From the sending to the arrival; negative when it did not arrive. */
    long nanos(MemorySegment frame) {
        arrivedAt = 0;
        long begin = clock.nanoTime();
        datapath.send(client, frame, 0, (int) frame.byteSize());
        while (arrivedAt == 0) {
            if (clock.nanoTime() - begin > PACKET_NANOS) {
                return -1;
            }
            Thread.onSpinWait();
        }
        return arrivedAt - begin;
    }

    /** Somebody registers and unregisters another service, 1,000 times a second and more. */
    Thread flap(long nanos) {
        return Thread.ofPlatform().name("bench-flap").start(() -> {
            long end = clock.nanoTime() + nanos;
            try (var agent = ControlClient.connect(folder.resolve("h1").resolve("agent.sock"))) {
                var instance = Map.of("port", "i", "service", "0x00004002");
                for (long next = clock.nanoTime(); end - clock.nanoTime() > 0; next += 2 * FLAP_NANOS) {
                    agent.call("register", instance);
                    agent.call("unregister", instance);
                    LockSupport.parkNanos(Math.max(0, next - clock.nanoTime()));
                }
            }
        });
    }

    /** ZooKeeper's transaction number of a write made now. */
    long transaction() throws IOException {
        try {
            String path = zooKeeper.create(
                    "/bench-count-", new byte[0], ZooDefs.Ids.OPEN_ACL_UNSAFE, CreateMode.EPHEMERAL_SEQUENTIAL);
            return zooKeeper.exists(path, false).getCzxid();
        } catch (KeeperException e) {
            throw new IOException("the store cannot be counted: " + e.getMessage(), e);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IOException("interrupted", e);
        }
    }

    @Override
    public void close() {
        try {
            zooKeeper.close();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
        cloud.close();
    }
}
