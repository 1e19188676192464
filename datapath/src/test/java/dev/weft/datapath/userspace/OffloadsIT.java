package dev.weft.datapath.userspace;

import static org.assertj.core.api.Assertions.assertThat;

import dev.weft.base.IpAddress;
import dev.weft.datapath.DatapathConfig;
import dev.weft.datapath.PortSpec;
import dev.weft.datapath.TestFrames;
import dev.weft.datapath.link.NetworkNamespace;
import dev.weft.datapath.userspace.TestNetwork.Machine;
import dev.weft.sim.flow.ActionList;
import dev.weft.sim.flow.FlowKey;
import dev.weft.sim.flow.FlowMask;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.DatagramPacket;
import java.net.DatagramSocket;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.Channels;
import java.nio.channels.ServerSocketChannel;
import java.nio.channels.SocketChannel;
import java.util.Arrays;
import java.util.Random;
import java.util.Set;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.NullUnmarked;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.pcap4j.core.NotOpenException;
import org.pcap4j.core.PcapHandle;

/** Real TCP stacks with segmentation and checksum offload on, behind two datapaths joined by the tunnel. */
@NullUnmarked
class OffloadsIT {
    private static final IpAddress HOST_A = IpAddress.parse("127.7.1.1");
    private static final IpAddress HOST_B = IpAddress.parse("127.7.1.2");
    private static final int VM_MTU = 1450;
    private static final int BYTES = 8 << 20;

    private TestNetwork network;
    private UserspaceDatapath a;
    private UserspaceDatapath b;
    private Machine client;
    private Machine server;
    private int tunnelPort;
    private int portA;
    private int portB;

    @BeforeEach
    void makeNetwork() throws IOException {
        network = TestNetwork.createOrSkip();
        client = network.addMachine("10.5.0.1", VM_MTU, 1500);
        server = network.addMachine("10.5.0.2", VM_MTU, 1500);
        try (var probe = new DatagramSocket(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0))) {
            tunnelPort = probe.getLocalPort();
        }
        a = new UserspaceDatapath(DatapathConfig.of(1, HOST_A).withTunnelPort(tunnelPort));
        b = new UserspaceDatapath(DatapathConfig.of(1, HOST_B).withTunnelPort(tunnelPort));
        portA = join(a, client, HOST_B, 2, 1);
        portB = join(b, server, HOST_A, 1, 2);
    }

    @AfterEach
    void close() {
        if (a != null) {
            a.close();
            b.close();
        }
        if (network != null) {
            network.close();
        }
    }

    /** All that comes from the machine goes through the tunnel. */
    private int join(UserspaceDatapath host, Machine machine, IpAddress remote, int remoteKey, int ownKey) {
        int port = host.attach(new PortSpec(UUID.randomUUID(), machine.hostInterface(), network.hostNamespace(), 1000));
        host.setPeers(Set.of(remote));
        host.bindTunnelKey(ownKey, port);
        var key = new FlowKey();
        key.setIngress(port, 0);
        var mask = new FlowMask();
        mask.clear();
        var actions = new ActionList();
        actions.tunnel(remote.high(), remote.low(), remoteKey, 0);
        host.worker(0).install(1, key, mask, actions);
        return port;
    }

    @Test
    void tcpArrivesWholeInFramesThatAWireCouldCarry() throws Exception {
        PcapHandle tap = network.listen(server.namespace(), "eth0");
        PcapHandle before = network.listen(network.hostNamespace(), client.hostInterface());
        byte[] sent = new byte[BYTES];
        new Random(42).nextBytes(sent);
        long missesBefore = misses();
        try (ServerSocketChannel listening = NetworkNamespace.named(server.namespace())
                .call(() -> ServerSocketChannel.open().bind(new InetSocketAddress(server.address(), 80)))) {
            var received = CompletableFuture.supplyAsync(() -> readAll(listening));
            try (SocketChannel connection =
                    NetworkNamespace.named(client.namespace()).call(SocketChannel::open)) {
                connection.connect(new InetSocketAddress(server.address(), 80));
                var bytes = ByteBuffer.wrap(sent);
                while (bytes.hasRemaining()) {
                    connection.write(bytes);
                }
            }
            assertThat(Arrays.equals(received.get(60, TimeUnit.SECONDS), sent)).isTrue();
        }
        assertThat(longest(before))
                .as("the client's stack leaves segmentation to its interface")
                .isGreaterThan(TestFrames.ETHERNET + VM_MTU);
        int judged = 0;
        for (byte[] frame = tap.getNextRawPacket(); frame != null; frame = tap.getNextRawPacket()) {
            if (frame[12] == 0x08 && frame[13] == 0x00) {
                judge(frame);
                judged++;
            }
        }
        tap.close();
        assertThat(judged).isGreaterThan(100);
        assertThat(a.ports().getFirst().receivedPackets())
                .as("cut before they were counted")
                .isGreaterThan(BYTES / VM_MTU);
        assertThat(misses()).isEqualTo(missesBefore);
        assertThat(a.ports().getFirst().port()).isEqualTo(portA);
        assertThat(b.ports().getFirst().port()).isEqualTo(portB);
    }

    private long misses() {
        return a.statistics().misses() + b.statistics().misses();
    }

    private static int longest(PcapHandle tap) throws NotOpenException {
        int longest = 0;
        for (byte[] frame = tap.getNextRawPacket(); frame != null; frame = tap.getNextRawPacket()) {
            longest = Math.max(longest, frame.length);
        }
        tap.close();
        return longest;
    }

    private static void judge(byte[] frame) {
        assertThat(frame.length).isLessThanOrEqualTo(TestFrames.ETHERNET + VM_MTU);
        assertThat(TestFrames.sum(frame, TestFrames.ETHERNET, 20, 0)).isEqualTo(0xffff);
        int total = (frame[16] & 0xff) << 8 | frame[17] & 0xff;
        assertThat(TestFrames.transportSum(Arrays.copyOf(frame, TestFrames.ETHERNET + total)))
                .isEqualTo(0xffff);
    }

    private static byte[] readAll(ServerSocketChannel listening) {
        try (SocketChannel connection = listening.accept()) {
            return Channels.newInputStream(connection).readAllBytes();
        } catch (IOException broken) {
            throw new UncheckedIOException("the server lost its connection", broken);
        }
    }

    /** Control: before and after, the host at the other end of the cable does answer. */
    @Test
    void whileAttachedTheHostsOwnStackHearsNothingFromTheVm() throws Exception {
        Assumptions.assumeTrue(a.isGuarded(), "skipped: no TCX program may be attached here (Linux 6.6, CAP_BPF)");
        network.run(
                "ip", "-n", network.hostNamespace(), "address", "add", "10.5.0.9/24", "dev", client.hostInterface());
        assertThat(reaches("10.5.0.9")).isFalse();
        a.detach(portA);
        assertThat(reaches("10.5.0.9")).isTrue();
    }

    private boolean reaches(String address) throws IOException {
        return NetworkNamespace.named(client.namespace())
                .call(() -> InetAddress.getByName(address).isReachable(500));
    }

    @Test
    void hostileDatagramsAreCountedAndTheTunnelLivesOn() throws Exception {
        var random = new Random(7);
        try (var sender = new DatagramSocket(new InetSocketAddress(HOST_B.toInetAddress(), 0))) {
            for (int i = 0; i < 500; i++) {
                var bytes = new byte[random.nextInt(0, 100)];
                random.nextBytes(bytes);
                if (i % 2 == 0 && bytes.length >= 8) {
                    ByteBuffer.wrap(bytes).putInt(0x0800_0000).putInt(0x100);
                }
                sender.send(new DatagramPacket(
                        bytes, bytes.length, new InetSocketAddress(HOST_A.toInetAddress(), tunnelPort)));
            }
        }
        tcpArrivesWholeInFramesThatAWireCouldCarry();
        assertThat(a.statistics().drops().get("bad-tunnel-header")).isPositive();
    }
}
