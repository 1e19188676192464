package dev.weft.agent.demo;

import dev.weft.agent.lab.Vm;
import dev.weft.datapath.link.NetworkNamespace;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.UncheckedIOException;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.nio.charset.StandardCharsets;

/** A client of Memcached in a VM: one connection, its text protocol. */
final class Memcached implements AutoCloseable {
    static final int PORT = 11211;

    private static final int TIMEOUT_MILLIS = 10_000;

    private final Socket socket;
    private final BufferedReader in;

    private Memcached(Socket socket) throws IOException {
        this.socket = socket;
        in = new BufferedReader(new InputStreamReader(socket.getInputStream(), StandardCharsets.US_ASCII));
    }

    /** The socket is the VM's: it is opened inside. */
    static Memcached connect(Vm vm, String address) {
        try {
            return NetworkNamespace.named(vm.namespace()).call(() -> {
                var socket = new Socket();
                socket.connect(new InetSocketAddress(address, PORT), TIMEOUT_MILLIS);
                socket.setSoTimeout(TIMEOUT_MILLIS);
                return new Memcached(socket);
            });
        } catch (IOException e) {
            throw new UncheckedIOException("no connection to " + address, e);
        }
    }

    void set(String key, String value) {
        String answer = ask("set " + key + " 0 0 " + value.length() + "\r\n" + value);
        if (!answer.equals("STORED")) {
            throw new IllegalStateException("set " + key + " was answered with '" + answer + "' (expected STORED)");
        }
    }

    /** Whether it is there. */
    boolean has(String key) {
        String line = ask("get " + key);
        boolean found = line.startsWith("VALUE ");
        while (!line.equals("END")) {
            line = read();
        }
        return found;
    }

    private String ask(String command) {
        try {
            socket.getOutputStream().write((command + "\r\n").getBytes(StandardCharsets.US_ASCII));
            return read();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private String read() {
        try {
            String line = in.readLine();
            if (line == null) {
                throw new IOException("Memcached closed the connection");
            }
            return line;
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    @Override
    public void close() {
        try {
            socket.close();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
