package dev.weft.it;

import dev.weft.agent.Agent;
import dev.weft.agent.AgentConfig;
import dev.weft.agent.control.Interfaces;
import dev.weft.agent.lab.LocalStore;
import dev.weft.datapath.DatapathConfig;
import dev.weft.datapath.Datapaths;
import dev.weft.datapath.PortStatistics;
import dev.weft.datapath.memory.MemoryDatapath;
import dev.weft.datapath.memory.MemoryFabric;
import dev.weft.topology.TopologyStore;
import java.nio.file.Path;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.OptionalInt;
import java.util.UUID;

/**
 * Whole agents in this process, joined by a fabric in memory, with a real ZooKeeper between them: everything but the
 * kernel. Needs no root. The caller plays the VMs. Driven by one thread; frames may be sent from any.
 */
public final class MemoryCloud implements AutoCloseable {
    private final MemoryFabric fabric = new MemoryFabric();
    private final Path folder;
    private final Map<String, Agent> agents = new LinkedHashMap<>();
    private final Map<String, MemoryDatapath> datapaths = new LinkedHashMap<>();
    private final LocalStore store;
    private final Deque<AutoCloseable> open = new ArrayDeque<>();

    private MemoryCloud(Path folder) {
        this.folder = folder;
        store = own(LocalStore.start(folder.resolve("zookeeper")));
    }

    /**
     * @param folder for the store's data and the agents' state
     * @param hosts names; the Nth has the underlay address 172.16.0.N
     */
    public static MemoryCloud start(Path folder, String... hosts) {
        var cloud = new MemoryCloud(folder);
        try {
            for (String host : hosts) {
                cloud.startAgent(host);
            }
            return cloud;
        } catch (RuntimeException e) {
            cloud.close();
            throw e;
        }
    }

    private void startAgent(String name) {
        var config = AgentConfig.load(Map.of(
                "name",
                name,
                "underlay",
                "172.16.0." + (agents.size() + 1),
                "store",
                store.connectString(),
                "state-dir",
                folder.resolve(name).toString(),
                "datapath",
                "memory",
                "workers",
                1));
        agents.put(name, own(Agent.start(config, new Ground(name))));
    }

    /** One host of the fabric. */
    private final class Ground implements Agent.Ground {
        private final String host;

        Ground(String host) {
            this.host = host;
        }

        @Override
        public Datapaths.Opened openDatapath(AgentConfig config, UUID id) {
            var datapath = new MemoryDatapath(DatapathConfig.of(config.workers(), config.underlay()), fabric);
            datapaths.put(host, datapath);
            return new Datapaths.Opened(datapath, List.of());
        }

        @Override
        public Interfaces openInterfaces() {
            return Interfaces.always();
        }

        @Override
        public int tunnelMtu(AgentConfig config) {
            return 0;
        }
    }

    private <T extends AutoCloseable> T own(T thing) {
        open.push(thing);
        return thing;
    }

    public String connectString() {
        return store.connectString();
    }

    /** As a person's {@code weft apply} has it: a client of its own. */
    public TopologyStore store() {
        return store.store();
    }

    /** The underlay, where a stranger may join too. */
    public MemoryFabric fabric() {
        return fabric;
    }

    public Agent agent(String host) {
        return agents.get(host);
    }

    public MemoryDatapath datapath(String host) {
        return datapaths.get(host);
    }

    /** The number of the datapath port with this interface, once it is attached. */
    public OptionalInt port(String host, String interfaceName) {
        return datapath(host).ports().stream()
                .filter(port -> port.spec().interfaceName().equals(interfaceName))
                .mapToInt(PortStatistics::port)
                .findFirst();
    }

    /** @return the change number */
    public long apply(String yaml) {
        return store.apply(yaml);
    }

    @Override
    public void close() {
        while (!open.isEmpty()) {
            try {
                open.pop().close();
            } catch (Exception e) { // AutoCloseable says Exception.
                throw new IllegalStateException("the cloud could not be closed: " + e.getMessage(), e);
            }
        }
    }
}
