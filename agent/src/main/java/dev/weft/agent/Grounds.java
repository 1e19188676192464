package dev.weft.agent;

import dev.weft.agent.control.Interfaces;
import dev.weft.agent.control.LinkInterfaces;
import dev.weft.datapath.Datapath;
import dev.weft.datapath.DatapathConfig;
import dev.weft.datapath.memory.MemoryDatapath;
import dev.weft.datapath.memory.MemoryFabric;
import dev.weft.datapath.userspace.UserspaceDatapath;

/** The grounds that a configuration can name. */
final class Grounds {
    private Grounds() {}

    static Agent.Ground of(AgentConfig config) {
        return config.datapath().equals("memory") ? new Memory(new MemoryFabric()) : new Userspace();
    }

    static DatapathConfig datapathConfig(AgentConfig config) {
        return DatapathConfig.of(config.workers(), config.underlay())
                .withTunnelPort(config.tunnelPort())
                .withFlowCapacity(config.limits().flows());
    }

    /** Packets stay in the process: for tests, and to try an agent without any right. */
    record Memory(MemoryFabric fabric) implements Agent.Ground {
        @Override
        public Datapath openDatapath(AgentConfig config) {
            return new MemoryDatapath(datapathConfig(config), fabric);
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

    private record Userspace() implements Agent.Ground {
        @Override
        public Datapath openDatapath(AgentConfig config) {
            return new UserspaceDatapath(datapathConfig(config));
        }

        @Override
        public Interfaces openInterfaces() {
            return new LinkInterfaces();
        }

        @Override
        public int tunnelMtu(AgentConfig config) {
            return TunnelMtu.of(config.underlay());
        }
    }
}
