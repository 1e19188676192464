package dev.weft.agent.health;

import dev.weft.base.IpAddress;
import java.io.IOException;
import java.net.ProtocolFamily;
import java.net.StandardProtocolFamily;
import java.nio.channels.DatagramChannel;
import java.nio.channels.SocketChannel;
import java.util.Map;
import java.util.Set;
import java.util.UUID;

/** From where members are asked: a place for each router that balances over them. Thread safe. */
public interface Places extends AutoCloseable {
    /**
     * Makes places for these routers and lets go of all others.
     *
     * @return the interface of this host behind which a place is, by router; without those that could not be made
     */
    Map<UUID, String> follow(Set<UUID> routers);

    /** Whether a place is of use only when its interface is a port of the datapath. */
    boolean needPorts();

    /**
     * A socket in a router's place, not connected.
     *
     * @throws IOException when there is no such place (any more), or no socket to be had
     */
    SocketChannel stream(UUID router, IpAddress to) throws IOException;

    /** As {@link #stream}, for UDP. */
    DatagramChannel datagrams(UUID router, IpAddress to) throws IOException;

    @Override
    void close();

    static ProtocolFamily family(IpAddress of) {
        return of.isV4() ? StandardProtocolFamily.INET : StandardProtocolFamily.INET6;
    }

    /** This process's own network stack, for every router: where no frame leaves the process, there is no other. */
    static Places ownStack() {
        return new Places() {
            @Override
            public Map<UUID, String> follow(Set<UUID> routers) {
                return Map.of();
            }

            @Override
            public boolean needPorts() {
                return false;
            }

            @Override
            public SocketChannel stream(UUID router, IpAddress to) throws IOException {
                return SocketChannel.open(family(to));
            }

            @Override
            public DatagramChannel datagrams(UUID router, IpAddress to) throws IOException {
                return DatagramChannel.open(family(to));
            }

            @Override
            public void close() {
                // Nothing is open.
            }
        };
    }
}
