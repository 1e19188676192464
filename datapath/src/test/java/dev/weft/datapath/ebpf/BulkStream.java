package dev.weft.datapath.ebpf;

import static org.assertj.core.api.Assertions.assertThat;

import dev.weft.datapath.link.NetworkNamespace;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.InetSocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.Channels;
import java.nio.channels.ServerSocketChannel;
import java.nio.channels.SocketChannel;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.Random;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;

/** A TCP stream between two machines whose content is judged by its hash. */
final class BulkStream {
    private static final int PORT = 80;
    private static final int PATIENCE_SECONDS = 60;

    private BulkStream() {}

    static void send(String client, String server, String serverAddress, int bytes) {
        var sent = new byte[bytes];
        new Random(42).nextBytes(sent);
        var address = new InetSocketAddress(serverAddress, PORT);
        try (ServerSocketChannel listening = NetworkNamespace.named(server)
                .call(() -> ServerSocketChannel.open().bind(address))) {
            var received = CompletableFuture.supplyAsync(() -> readAll(listening));
            try (SocketChannel connection = NetworkNamespace.named(client).call(SocketChannel::open)) {
                connection.connect(address);
                var left = ByteBuffer.wrap(sent);
                while (left.hasRemaining()) {
                    connection.write(left);
                }
            }
            assertThat(hash(received.get(PATIENCE_SECONDS, TimeUnit.SECONDS))).isEqualTo(hash(sent));
        } catch (IOException broken) {
            throw new UncheckedIOException("the stream to " + address + " broke", broken);
        } catch (Exception failed) {
            throw new AssertionError("the stream to " + address + " did not arrive", failed);
        }
    }

    private static byte[] readAll(ServerSocketChannel listening) {
        try (SocketChannel connection = listening.accept()) {
            return Channels.newInputStream(connection).readAllBytes();
        } catch (IOException broken) {
            throw new UncheckedIOException("the server lost its connection", broken);
        }
    }

    private static byte[] hash(byte[] octets) throws NoSuchAlgorithmException {
        return MessageDigest.getInstance("SHA-256").digest(octets);
    }
}
