package dev.weft.it.bench.datapath;

import dev.weft.agent.Agent;
import dev.weft.agent.AgentConfig;
import dev.weft.agent.control.Interfaces;
import dev.weft.agent.control.LinkInterfaces;
import dev.weft.agent.lab.LabHost;
import dev.weft.agent.lab.LocalStore;
import dev.weft.base.NanoClock;
import dev.weft.datapath.Datapath;
import dev.weft.datapath.DatapathConfig;
import dev.weft.datapath.Datapaths;
import dev.weft.datapath.link.NetworkNamespace;
import java.nio.file.Path;
import java.time.Duration;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import java.util.function.BooleanSupplier;

/**
 * Hosts of the lab with a whole agent each, all in this process, over a datapath that is opened in the host's namespace;
 * ZooKeeper is embedded. Driven by one thread.
 */
final class WeftHosts implements AutoCloseable {
    private static final Duration PATIENCE = Duration.ofSeconds(20);
    /** Outer Ethernet, IPv4, UDP and VXLAN, less the inner Ethernet header: what a frame must leave of the underlay. */
    private static final int TUNNEL_MTU = Baselines.UNDERLAY_MTU - 36;

    private final String kind;
    private final LocalStore store;
    private final Path folder;
    private final Map<LabHost, Agent> agents = new LinkedHashMap<>();
    private final Map<LabHost, Datapath> datapaths = new HashMap<>();
    private int upcallQueueBytes;

    WeftHosts(BenchLab lab, String kind) {
        this.kind = kind;
        folder = lab.folder().resolve("weft-" + lab.nextNumber());
        store = LocalStore.start(folder.resolve("store"));
    }

    /** Memory for upcalls that wait, of each worker to come. */
    void setUpcallQueueBytes(int bytes) {
        upcallQueueBytes = bytes;
    }

    /**
     * @param underlay its address, on an interface of the host's namespace
     * @param overrides of the agent's configuration, such as {@code limits.flows}
     */
    Agent start(LabHost host, String underlay, Map<String, ?> overrides) {
        var config = new HashMap<String, Object>(Map.of(
                "name",
                host.name(),
                "underlay",
                underlay,
                "store",
                store.connectString(),
                "state-dir",
                folder.resolve(host.name()).toString(),
                "workers",
                1,
                "datapath",
                kind));
        config.putAll(overrides);
        var agent = Agent.start(AgentConfig.load(config), new Ground(host));
        agents.put(host, agent);
        return agent;
    }

    /** One host of the lab. */
    private final class Ground implements Agent.Ground {
        private final LabHost host;

        Ground(LabHost host) {
            this.host = host;
        }

        /** Without the host's id: what is not pinned goes with this process, however it ends. */
        @Override
        public Datapaths.Opened openDatapath(AgentConfig config, UUID id) {
            var usual = DatapathConfig.of(config.workers(), config.underlay())
                    .withTunnelPort(config.tunnelPort())
                    .withFlowCapacity(config.limits().flows())
                    .withNamespace(host.namespace());
            DatapathConfig wanted = upcallQueueBytes == 0 ? usual : usual.withUpcallQueueBytes(upcallQueueBytes);
            // Inside: a kind that lives in its process is where its threads and sockets are made.
            Datapaths.Opened opened = NetworkNamespace.named(host.namespace()).call(() -> Datapaths.open(kind, wanted));
            datapaths.put(host, opened.datapath());
            return opened;
        }

        @Override
        public Interfaces openInterfaces() {
            return new LinkInterfaces();
        }

        @Override
        public int tunnelMtu(AgentConfig config) {
            return TUNNEL_MTU;
        }
    }

    Datapath datapath(LabHost host) {
        Datapath datapath = datapaths.get(host);
        if (datapath == null) {
            throw new IllegalArgumentException("host " + host.name() + " runs no agent");
        }
        return datapath;
    }

    /** Applies the network and returns once every agent has it and has attached {@code ports} interfaces in all. */
    void apply(String yaml, int ports) {
        long change = store.apply(yaml);
        await(
                "change " + change + " in every agent",
                () -> agents.values().stream()
                        .allMatch(agent -> ((Number) agent.status().getOrDefault("change", 0L)).longValue() >= change));
        await(
                ports + " attached ports",
                () -> agents.values().stream().mapToInt(WeftHosts::attached).sum() == ports);
    }

    private static int attached(Agent agent) {
        return (int) ((List<?>) agent.status().getOrDefault("ports", List.of()))
                .stream()
                        .filter(port -> port instanceof Map<?, ?> row && "up".equals(row.get("state")))
                        .count();
    }

    static void await(String what, BooleanSupplier condition) {
        long begin = NanoClock.SYSTEM.nanoTime();
        while (!condition.getAsBoolean()) {
            if (NanoClock.SYSTEM.nanoTime() - begin > PATIENCE.toNanos()) {
                throw new MeasureException("no " + what + " within " + PATIENCE.toSeconds() + " s");
            }
            LockSupport.parkNanos(TimeUnit.MILLISECONDS.toNanos(5));
        }
    }

    @Override
    public void close() {
        agents.values().forEach(Agent::close);
        store.close();
    }
}
