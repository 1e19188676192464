package dev.weft.datapath.bpf;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.weft.datapath.link.Direction;
import dev.weft.datapath.link.LinkException;
import dev.weft.datapath.link.Links;
import dev.weft.datapath.link.TcFilters;
import dev.weft.datapath.link.TestNamespace;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.InetSocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.DatagramChannel;
import java.util.ArrayDeque;
import java.util.Deque;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** Programs at an interface without TCX, seen by datagrams that the namespace sends to itself. */
final class TcFiltersIT {
    private static final int LOOPBACK = 1;
    private static final int PASS = 0;
    private static final int DROP = 2;

    private final Deque<AutoCloseable> opened = new ArrayDeque<>();
    private TestNamespace space;
    private TcFilters filters;
    private DatagramChannel socket;
    private BpfProgram passing;
    private BpfProgram dropping;

    @BeforeEach
    void makeNamespace() {
        TestPrograms.needKernel();
        space = opened(TestNamespace.create());
        try (var links = Links.in(space.namespace())) {
            links.setUp("lo");
        }
        filters = opened(TcFilters.in(space.namespace()));
        socket = opened(space.namespace().call(TcFiltersIT::bound));
        passing = opened(TestPrograms.returning(PASS));
        dropping = opened(TestPrograms.returning(DROP));
    }

    @AfterEach
    void close() throws Exception {
        while (!opened.isEmpty()) {
            opened.pop().close();
        }
    }

    private <T extends AutoCloseable> T opened(T resource) {
        opened.push(resource);
        return resource;
    }

    private static DatagramChannel bound() {
        try {
            var socket = DatagramChannel.open();
            socket.bind(new InetSocketAddress("127.0.0.1", 0)).configureBlocking(false);
            return socket;
        } catch (IOException refused) {
            throw new UncheckedIOException(refused);
        }
    }

    /** Loopback delivers within the send. */
    private boolean delivers() throws IOException {
        socket.send(ByteBuffer.allocate(10), socket.getLocalAddress());
        return socket.receive(ByteBuffer.allocate(10)) != null;
    }

    @Test
    void programStaysUntilItIsDetached() throws IOException {
        filters.attach(LOOPBACK, Direction.INGRESS, dropping.fd());
        assertThat(delivers()).isFalse();
        assertThat(filters.programId(LOOPBACK, Direction.INGRESS)).hasValue(dropping.id());
        assertThat(filters.programId(LOOPBACK, Direction.EGRESS)).isEmpty();
        filters.detach(LOOPBACK, Direction.INGRESS);
        assertThat(delivers()).isTrue();
        assertThat(filters.programId(LOOPBACK, Direction.INGRESS)).isEmpty();
    }

    @Test
    void secondProgramReplacesTheFirst() throws IOException {
        filters.attach(LOOPBACK, Direction.INGRESS, dropping.fd());
        filters.attach(LOOPBACK, Direction.INGRESS, passing.fd());
        assertThat(delivers()).isTrue();
        assertThat(filters.programId(LOOPBACK, Direction.INGRESS)).hasValue(passing.id());
    }

    @Test
    void directionsAreApart() throws IOException {
        filters.attach(LOOPBACK, Direction.INGRESS, dropping.fd());
        filters.attach(LOOPBACK, Direction.EGRESS, passing.fd());
        filters.detach(LOOPBACK, Direction.INGRESS);
        assertThat(delivers()).isTrue();
        assertThat(filters.programId(LOOPBACK, Direction.EGRESS)).hasValue(passing.id());
        filters.detach(LOOPBACK, Direction.EGRESS);
        assertThatThrownBy(() -> filters.detach(LOOPBACK, Direction.EGRESS))
                .isInstanceOf(LinkException.class)
                .hasMessageContaining("detach the program at EGRESS of interface 1");
    }

    @Test
    void absentInterfaceIsTold() {
        assertThatThrownBy(() -> filters.attach(12345, Direction.INGRESS, passing.fd()))
                .isInstanceOf(LinkException.class)
                .hasMessageContaining("add clsact to interface 12345")
                .hasMessageContaining("ENODEV");
    }
}
