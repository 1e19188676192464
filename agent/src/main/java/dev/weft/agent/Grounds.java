package dev.weft.agent;

import dev.weft.agent.control.Interfaces;
import dev.weft.agent.control.LinkInterfaces;
import dev.weft.agent.health.NamespacePlaces;
import dev.weft.agent.health.Places;
import dev.weft.datapath.DatapathConfig;
import dev.weft.datapath.Datapaths;
import dev.weft.datapath.link.LinkMonitor;
import dev.weft.datapath.link.NetworkNamespace;
import java.time.Duration;
import java.util.UUID;

/** The grounds that a configuration can name. */
final class Grounds {
    private Grounds() {}

    static Agent.Ground of(AgentConfig config) {
        return config.datapath().equals("memory") ? new Memory() : new Machine();
    }

    static DatapathConfig datapathConfig(AgentConfig config, UUID host) {
        return DatapathConfig.of(config.workers(), config.underlay())
                .withHost(host)
                .withTunnelPort(config.tunnelPort())
                .withFlowCapacity(config.limits().flows());
    }

    /** Packets stay in the process: to try an agent without any right. */
    private record Memory() implements Agent.Ground {
        @Override
        public Datapaths.Opened openDatapath(AgentConfig config, UUID host) {
            return Datapaths.open("memory", datapathConfig(config, host));
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

    /** This machine's interfaces, and the datapath that is asked for or best. */
    private record Machine() implements Agent.Ground {
        /** A namespace and a cable each. */
        private static final int MOST_PLACES = 256;

        private static final Duration LOOK_AGAIN = Duration.ofSeconds(1);

        @Override
        public Datapaths.Opened openDatapath(AgentConfig config, UUID host) {
            return Datapaths.open(config.datapath(), datapathConfig(config, host));
        }

        @Override
        public Interfaces openInterfaces() {
            return new LinkInterfaces();
        }

        @Override
        public int tunnelMtu(AgentConfig config) {
            return TunnelMtu.of(config.underlay());
        }

        @Override
        public Places openPlaces(UUID host) {
            return new NamespacePlaces(host, MOST_PLACES);
        }

        @Override
        public AutoCloseable watchTunnel(AgentConfig config, Runnable changed) {
            LinkMonitor monitor = LinkMonitor.start(event -> changed.run(), LOOK_AGAIN);
            monitor.watch(NetworkNamespace.own());
            return monitor;
        }
    }
}
