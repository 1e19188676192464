package dev.weft.datapath.userspace;

import dev.weft.datapath.DatapathConfig;
import dev.weft.datapath.TestHost;
import java.io.UncheckedIOException;
import java.net.DatagramSocket;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.SocketException;

/** What the hosts of one test share: the loopback's addresses, a tunnel port and the namespaces of their VMs. */
final class UserspaceUnderlay implements AutoCloseable {
    private final int tunnelPort = freePort();
    private final TestNetwork network = TestNetwork.createOrSkip();

    private static int freePort() {
        try (var probe = new DatagramSocket(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0))) {
            return probe.getLocalPort();
        } catch (SocketException refused) {
            throw new UncheckedIOException(refused);
        }
    }

    TestHost open(DatapathConfig config) {
        return new UserspaceHost(network, new UserspaceDatapath(config.withTunnelPort(tunnelPort)));
    }

    @Override
    public void close() {
        network.close();
    }
}
