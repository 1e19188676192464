package dev.weft.topology;

import java.io.IOException;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Properties;
import org.apache.zookeeper.server.embedded.ExitHandler;
import org.apache.zookeeper.server.embedded.ZooKeeperServerEmbedded;
import org.jspecify.annotations.Nullable;

/**
 * A real ZooKeeper server inside this process, for one machine and for tests. {@link #stop} and {@link #start} keep port
 * and data, so that an outage can be tried. Thread safe.
 */
public final class EmbeddedZooKeeper implements AutoCloseable {
    /** Sessions live between 2 and 20 ticks (ZooKeeper's rule): 1 s to 60 s here holds the default of 6 s. */
    private static final int TICK_MILLIS = 500;

    private static final int MIN_SESSION_MILLIS = 1_000;
    private static final int MAX_SESSION_MILLIS = 60_000;
    private static final Duration START_TIMEOUT = Duration.ofSeconds(30);

    private final Path dataDir;
    private final String bindAddress;
    private final int port;
    // Guarded by this.
    private @Nullable ZooKeeperServerEmbedded server;

    private EmbeddedZooKeeper(Path dataDir, String bindAddress, int port) {
        this.dataDir = dataDir;
        this.bindAddress = bindAddress;
        this.port = port;
    }

    /**
     * Starts a server.
     *
     * @param dataDir made when missing; what lies there is taken up again
     * @param port 0 chooses a free one
     * @throws TopologyException when the directory or the port cannot be used
     */
    public static EmbeddedZooKeeper start(Path dataDir, String bindAddress, int port) {
        var zooKeeper = new EmbeddedZooKeeper(dataDir, bindAddress, port == 0 ? freePort(bindAddress) : port);
        zooKeeper.start();
        return zooKeeper;
    }

    /** Starts again after {@link #stop}, on the same port and data. */
    public synchronized void start() {
        if (server != null) {
            return;
        }
        try {
            Files.createDirectories(dataDir);
            // A fresh object each time: the server writes into the properties it is given.
            ZooKeeperServerEmbedded started = ZooKeeperServerEmbedded.builder()
                    .baseDir(dataDir)
                    .configuration(properties())
                    .exitHandler(ExitHandler.LOG_ONLY)
                    .build();
            started.start(START_TIMEOUT.toMillis());
            server = started;
        } catch (Exception failed) { // The server's API throws Exception.
            throw new TopologyException(
                    "embedded ZooKeeper cannot start on " + bindAddress + ":" + port + " with data in " + dataDir
                            + " (expected a free port and a writable directory): " + failed.getMessage(),
                    failed);
        }
    }

    public synchronized void stop() {
        if (server != null) {
            server.close();
            server = null;
        }
    }

    @Override
    public void close() {
        stop();
    }

    public int port() {
        return port;
    }

    /** For clients on this machine or, with a routable bind address, elsewhere. */
    public String connectString() {
        String host = bindAddress.equals("0.0.0.0") || bindAddress.equals("::") ? "127.0.0.1" : bindAddress;
        return (host.indexOf(':') >= 0 ? "[" + host + "]" : host) + ":" + port;
    }

    private Properties properties() {
        var properties = new Properties();
        properties.setProperty("dataDir", dataDir.resolve("data").toString());
        properties.setProperty("clientPort", Integer.toString(port));
        properties.setProperty("clientPortAddress", bindAddress);
        properties.setProperty("tickTime", Integer.toString(TICK_MILLIS));
        properties.setProperty("minSessionTimeout", Integer.toString(MIN_SESSION_MILLIS));
        properties.setProperty("maxSessionTimeout", Integer.toString(MAX_SESSION_MILLIS));
        properties.setProperty("maxClientCnxns", "0");
        properties.setProperty("admin.enableServer", "false");
        properties.setProperty("autopurge.snapRetainCount", "3");
        properties.setProperty("autopurge.purgeInterval", "1");
        return properties;
    }

    private static int freePort(String bindAddress) {
        try (var probe = new ServerSocket()) {
            probe.bind(new InetSocketAddress(bindAddress, 0));
            return probe.getLocalPort();
        } catch (IOException none) {
            throw new TopologyException(
                    "no free port on " + bindAddress + " (expected an address of this machine): " + none.getMessage(),
                    none);
        }
    }
}
