package dev.weft.datapath.ebpf;

import static dev.weft.datapath.TestFrames.udp;
import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static java.lang.foreign.ValueLayout.JAVA_INT_UNALIGNED;
import static org.assertj.core.api.Assertions.assertThat;

import dev.weft.datapath.link.Links;
import dev.weft.datapath.link.NetworkNamespace;
import dev.weft.datapath.link.PacketSocket;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.charset.StandardCharsets;
import java.util.HexFormat;
import java.util.UUID;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;

/** A process that is killed while its flows forward, and the one that follows it: no packet is lost, none is reordered. */
class EbpfKillIT {
    private static final int WINDOW = 32;
    private static final long LOST_NANOS = TimeUnit.SECONDS.toNanos(5);
    private static final int NUMBER = 42; // of the packet, behind the UDP header

    /** Sends numbered packets and takes them at the other end, never more than a window ahead of what arrived. */
    private static final class Stream implements AutoCloseable {
        private final Arena arena = Arena.ofConfined();
        private final MemorySegment out;
        private final MemorySegment in = arena.allocate(2048);
        private final PacketSocket sender;
        private final PacketSocket receiver;
        private int sent;
        private int received;

        Stream(String vms, String from, String to, byte[] frame) {
            out = arena.allocate(frame.length);
            MemorySegment.copy(frame, 0, out, JAVA_BYTE, 0, frame.length);
            var machines = NetworkNamespace.named(vms);
            try (var links = Links.in(machines)) {
                sender = PacketSocket.open(machines, links.get(from).ifindex());
                receiver = PacketSocket.open(machines, links.get(to).ifindex());
            }
        }

        /** Returns when that many packets more have arrived; fails when one does not, or comes out of order. */
        void run(int packets) {
            int until = received + packets;
            long deadline = System.nanoTime() + LOST_NANOS;
            while (received < until) {
                if (sent - received < WINDOW) {
                    out.set(JAVA_INT_UNALIGNED, NUMBER, sent);
                    assertThat(sender.send(out, 0, out.byteSize())).isEqualTo((int) out.byteSize());
                    sent++;
                }
                if (receiver.receive(in) > 0) {
                    assertThat(in.get(JAVA_INT_UNALIGNED, NUMBER)).isEqualTo(received);
                    received++;
                    deadline = System.nanoTime() + LOST_NANOS;
                }
                assertThat(System.nanoTime() - deadline)
                        .as("packet %d of %d sent is lost", received, sent)
                        .isNegative();
            }
        }

        @Override
        public void close() {
            sender.close();
            receiver.close();
            arena.close();
        }
    }

    @Test
    void aKilledProcessAndItsSuccessorLoseNoPacketOfAnEstablishedFlow() throws IOException, InterruptedException {
        String id = UUID.randomUUID().toString();
        byte[] frame = udp("10.0.0.1", 1000, "10.0.0.2", 53, 64, 60);
        try (var underlay = new EbpfUnderlay()) {
            String address = EbpfUnderlay.address(1).toString();
            String namespace = underlay.host(EbpfUnderlay.address(1));
            String from = underlay.addVeth(namespace);
            String to = underlay.addVeth(namespace);
            Process first = start(id, address, namespace, from, to, frame);
            try (var stream = new Stream(underlay.vms(), from, to, frame)) {
                stream.run(2_000);
                first.destroyForcibly(); // SIGKILL: nothing of it runs any more
                stream.run(20_000);
                first.waitFor();
                stream.run(2_000);
                succeed(stream, id, address, namespace, from, to);
            } finally {
                first.destroyForcibly().waitFor();
                EbpfDatapath.remove(UUID.fromString(id));
            }
        }
    }

    private static void succeed(Stream stream, String id, String address, String namespace, String from, String to) {
        var datapath = new EbpfDatapath(ForwardingProcess.config(id, address, namespace));
        try {
            stream.run(2_000);
            datapath.attach(ForwardingProcess.port(namespace, from));
            datapath.attach(ForwardingProcess.port(namespace, to));
            var seat = datapath.worker(0);
            int adopted = seat.readSurvivors(
                    (survivor, key, mask, actions, used) ->
                            assertThat(seat.adopt(7, survivor)).isTrue(),
                    10);
            assertThat(adopted).isEqualTo(1);
            assertThat(datapath.dropUnadopted()).isZero();
            stream.run(2_000);
            assertThat(datapath.flows()).singleElement().matches(flow -> flow.packets() >= 28_000);
        } finally {
            datapath.remove();
        }
    }

    private static Process start(String id, String address, String namespace, String from, String to, byte[] frame)
            throws IOException {
        var process = new ProcessBuilder(
                        ProcessHandle.current().info().command().orElseThrow(),
                        "--enable-native-access=ALL-UNNAMED",
                        "-cp",
                        System.getProperty("java.class.path"),
                        ForwardingProcess.class.getName(),
                        id,
                        address,
                        namespace,
                        from,
                        to,
                        HexFormat.of().formatHex(frame))
                .redirectErrorStream(true)
                .start();
        var said = new StringBuilder();
        var output = new BufferedReader(new InputStreamReader(process.getInputStream(), StandardCharsets.UTF_8));
        String line = output.readLine();
        while (line != null && !line.equals(ForwardingProcess.READY)) {
            said.append(line).append('\n');
            line = output.readLine();
        }
        assertThat(line).as("the process ended: %s", said).isNotNull();
        return process;
    }
}
