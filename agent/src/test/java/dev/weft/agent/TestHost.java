package dev.weft.agent;

import static org.awaitility.Awaitility.await;

import dev.weft.agent.control.Interfaces;
import dev.weft.datapath.Datapaths;
import dev.weft.datapath.PortStatistics;
import dev.weft.datapath.memory.MemoryDatapath;
import dev.weft.datapath.memory.MemoryFabric;
import java.nio.file.Path;
import java.time.Duration;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import org.jspecify.annotations.Nullable;

/** A host in this process: a real agent on a memory datapath; the test plays its VMs. */
final class TestHost implements AutoCloseable {
    private final MemoryDatapath datapath;
    private final Agent agent;

    private TestHost(MemoryDatapath datapath, Agent agent) {
        this.datapath = datapath;
        this.agent = agent;
    }

    static TestHost start(MemoryFabric fabric, Path folder, String store, String name, String underlay) {
        return start(new HeldGround(fabric, false), folder, store, name, underlay);
    }

    /** A host whose datapath survives its agent, as a kernel's does; started again it is the same machine. */
    static TestHost startSurviving(MemoryFabric fabric, Path folder, String store, String name, String underlay) {
        return start(new HeldGround(fabric, true), folder, store, name, underlay);
    }

    private static TestHost start(HeldGround ground, Path folder, String store, String name, String underlay) {
        var settings = new HashMap<String, Object>(Map.of(
                "name",
                name,
                "underlay",
                underlay,
                "store",
                store,
                "state-dir",
                folder.resolve(name).toString(),
                "datapath",
                "memory",
                "workers",
                2,
                "session-timeout",
                "1 s"));
        Agent agent = Agent.start(AgentConfig.load(settings), ground);
        return new TestHost(java.util.Objects.requireNonNull(ground.opened), agent);
    }

    private static final class HeldGround implements Agent.Ground {
        private final MemoryFabric fabric;
        private final boolean survives;
        private @Nullable MemoryDatapath opened;

        HeldGround(MemoryFabric fabric, boolean survives) {
            this.fabric = fabric;
            this.survives = survives;
        }

        @Override
        public Datapaths.Opened openDatapath(AgentConfig config, UUID host) {
            var settings = Grounds.datapathConfig(config, host);
            var datapath = survives ? MemoryDatapath.inFabric(settings, fabric) : new MemoryDatapath(settings, fabric);
            opened = datapath;
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

    UUID id() {
        return agent.hostId();
    }

    Agent agent() {
        return agent;
    }

    MemoryDatapath datapath() {
        return datapath;
    }

    /** The datapath's number of a virtual port; waits for it. */
    int port(UUID id) {
        await().atMost(Duration.ofSeconds(10)).until(() -> find(id) != null);
        return java.util.Objects.requireNonNull(find(id)).port();
    }

    private @Nullable PortStatistics find(UUID id) {
        return datapath.ports().stream()
                .filter(port -> port.spec().id().equals(id))
                .findFirst()
                .orElse(null);
    }

    void send(UUID port, byte[] frame) {
        datapath.send(port(port), frame);
    }

    /** The next frame that reaches the VM behind the port, null when none does in time. */
    byte @Nullable [] receive(UUID port, Duration within) {
        int number = port(port);
        var taken = new byte[1][];
        try {
            await().atMost(within).pollInterval(Duration.ofMillis(5)).until(() -> {
                taken[0] = datapath.receive(number);
                return taken[0] != null;
            });
        } catch (org.awaitility.core.ConditionTimeoutException none) {
            return null;
        }
        return taken[0];
    }

    long egressUpcalls() {
        return datapath.statistics().tunnelUpcalls();
    }

    @Override
    public void close() {
        agent.close();
    }
}
