package dev.weft.agent;

import com.typesafe.config.Config;
import com.typesafe.config.ConfigException;
import com.typesafe.config.ConfigFactory;
import com.typesafe.config.ConfigParseOptions;
import dev.weft.base.IpAddress;
import dev.weft.datapath.Datapaths;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Map;

/**
 * Everything an agent can be told, parsed once at start. What each key means is in {@code reference.conf}.
 *
 * @param name of this host, unique in the store
 * @param underlay where other hosts send tunnel packets to
 * @param store ZooKeeper's connection string
 * @param stateDir holds the host id; made when missing
 * @param socket path of the control socket
 * @param datapath one of {@link Datapaths#names}
 * @param workers 1..127
 */
public record AgentConfig(
        String name,
        IpAddress underlay,
        String store,
        Path stateDir,
        Path socket,
        String datapath,
        int workers,
        int tunnelPort,
        Duration sessionTimeout,
        Duration deletionHold,
        Duration grace,
        Limits limits) {
    private static final String ROOT = "weft.agent";
    private static final int MAX_WORKERS = 127;
    private static final int DEFAULT_WORKERS_AT_MOST = 4;
    private static final Path HOSTNAME = Path.of("/proc/sys/kernel/hostname");

    /**
     * How much of everything one worker, or one port, may hold.
     *
     * @param flows of all workers together
     * @param flowIdle a flow unused for so long goes
     * @param upcallsPerSecond misses one port may cause
     * @param floodsPerSecond frames of one port that flows send to a group or to several
     * @param connections one worker remembers
     * @param connectionsPerPort of these, one stateful port's share
     * @param statefulPorts that may have connections at one time
     * @param parked packets one worker may have waiting
     * @param parkedPerPort of these, one port's share
     * @param errorsPerSecond ICMP errors one port may be answered with
     * @param learnedPerPort MACs and addresses one port may have written to the store
     * @param neighbours questions and answers one worker may have under way
     * @param macsPerPort MACs a worker learns from one port
     * @param backchannel commands that may wait for one worker
     * @param ruleLogs lines of the log that one rule may cause a worker to write each second
     */
    public record Limits(
            int flows,
            Duration flowIdle,
            int upcallsPerSecond,
            int floodsPerSecond,
            int connections,
            int connectionsPerPort,
            int statefulPorts,
            int parked,
            int parkedPerPort,
            int errorsPerSecond,
            int learnedPerPort,
            int neighbours,
            int macsPerPort,
            int backchannel,
            int ruleLogs) {
        static Limits read(Config config) {
            return new Limits(
                    positive(config, "flows"),
                    config.getDuration("flow-idle"),
                    positive(config, "upcalls-per-second"),
                    positive(config, "floods-per-second"),
                    positive(config, "connections"),
                    positive(config, "connections-per-port"),
                    positive(config, "stateful-ports"),
                    positive(config, "parked"),
                    positive(config, "parked-per-port"),
                    positive(config, "errors-per-second"),
                    positive(config, "learned-per-port"),
                    positive(config, "neighbours"),
                    positive(config, "macs-per-port"),
                    positive(config, "backchannel"),
                    positive(config, "rule-logs-per-second"));
        }
    }

    public AgentConfig {
        if (workers < 1 || workers > MAX_WORKERS) {
            throw new AgentException("workers " + workers + " (expected 1.." + MAX_WORKERS + ")");
        }
        if (!Datapaths.names().contains(datapath)) {
            throw new AgentException(
                    "datapath '" + datapath + "' (expected one of " + String.join(", ", Datapaths.names()) + ")");
        }
    }

    /**
     * @param overrides values by key below {@code weft.agent}, such as {@code name}; they go before file and defaults
     * @throws AgentException naming the key and what it may hold
     */
    public static AgentConfig load(Map<String, ?> overrides) {
        return of(ConfigFactory.load(), overrides);
    }

    /** As {@link #load(Map)}, with a HOCON file between the overrides and the defaults. */
    public static AgentConfig load(Path file, Map<String, ?> overrides) {
        try {
            Config parsed = ConfigFactory.parseFile(
                    file.toFile(), ConfigParseOptions.defaults().setAllowMissing(false));
            return of(ConfigFactory.load(parsed), overrides);
        } catch (ConfigException broken) {
            throw new AgentException("configuration " + file + " cannot be read: " + broken.getMessage(), broken);
        }
    }

    private static AgentConfig of(Config config, Map<String, ?> overrides) {
        try {
            return read(ConfigFactory.parseMap(overrides).withFallback(config.getConfig(ROOT)));
        } catch (ConfigException broken) {
            throw new AgentException("configuration " + ROOT + ": " + broken.getMessage(), broken);
        }
    }

    private static AgentConfig read(Config config) {
        Path stateDir = Path.of(config.getString("state-dir"));
        String socket = config.getString("socket");
        int workers = config.getInt("workers");
        return new AgentConfig(
                name(config.getString("name")),
                underlay(config.getString("underlay")),
                config.getString("store"),
                stateDir,
                socket.isEmpty() ? stateDir.resolve("agent.sock") : Path.of(socket),
                config.getString("datapath"),
                workers == 0 ? defaultWorkers() : workers,
                positive(config, "tunnel-port"),
                config.getDuration("session-timeout"),
                config.getDuration("deletion-hold"),
                config.getDuration("grace"),
                Limits.read(config.getConfig("limits")));
    }

    private static int positive(Config config, String key) {
        int value = config.getInt(key);
        if (value < 1) {
            throw new AgentException(key + " = " + value + " (expected 1 or more)");
        }
        return value;
    }

    private static IpAddress underlay(String text) {
        return IpAddress.tryParse(text)
                .orElseThrow(() -> new AgentException("underlay '" + text
                        + "' (expected this host's IPv4 or IPv6 address in the fabric); give --underlay ADDRESS"));
    }

    private static String name(String given) {
        if (!given.isEmpty()) {
            return given;
        }
        try {
            return Files.readString(HOSTNAME).strip();
        } catch (IOException e) {
            throw new AgentException("this machine's name cannot be read; give --name NAME", e);
        }
    }

    private static int defaultWorkers() {
        return Math.clamp(Runtime.getRuntime().availableProcessors() - 1, 1, DEFAULT_WORKERS_AT_MOST);
    }
}
