package dev.weft.datapath.bpf;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.weft.datapath.link.Direction;
import dev.weft.datapath.link.Links;
import dev.weft.datapath.link.TestNamespace;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.InetSocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.DatagramChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayDeque;
import java.util.Deque;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A program of ours decides over datagrams that the namespace sends to itself. */
final class BpfLinkIT {
    private static final int PASS = 0;
    private static final int DROP = 2;

    private final Deque<AutoCloseable> opened = new ArrayDeque<>();

    @TempDir
    Path folder;

    private TestNamespace space;
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
        socket = opened(space.namespace().call(BpfLinkIT::bound));
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

    private BpfLink attach(BpfProgram program) {
        return BpfLink.tcx(space.namespace(), 1, Direction.INGRESS, program.fd());
    }

    @Test
    void programDecidesWhileItsLinkIsHeld() throws IOException {
        assertThat(delivers()).isTrue();
        try (var link = attach(dropping)) {
            assertThat(delivers()).isFalse();
            assertThat(link.info().ifindex()).isEqualTo(1);
            assertThat(link.info().programId()).isEqualTo(dropping.id());
            assertThat(link.info().attached()).isTrue();
        }
        assertThat(delivers()).isTrue();
    }

    @Test
    void directionsAreApart() throws IOException {
        try (var in = attach(passing);
                var out = BpfLink.tcx(space.namespace(), 1, Direction.EGRESS, passing.fd())) {
            assertThat(out.info().id()).isNotEqualTo(in.info().id());
            in.detach();
            assertThat(out.info().attached()).isTrue();
            assertThat(delivers()).isTrue();
        }
    }

    @Test
    void programIsSwapped() throws IOException {
        try (var link = attach(dropping)) {
            link.update(passing.fd());
            assertThat(delivers()).isTrue();
            assertThat(link.info().programId()).isEqualTo(passing.id());
            link.update(dropping.fd());
            assertThat(delivers()).isFalse();
            link.detach();
            assertThat(delivers()).isTrue();
            assertThat(link.info().attached()).isFalse();
        }
    }

    @Test
    void vanishedInterfaceIsTold() {
        try (var links = Links.in(space.namespace())) {
            links.createVeth("x0", "x1");
            int ifindex = links.get("x0").ifindex();
            try (var link = BpfLink.tcx(space.namespace(), ifindex, Direction.INGRESS, passing.fd())) {
                assertThat(link.info().ifindex()).isEqualTo(ifindex);
                links.delete("x0");
                assertThat(link.info().attached()).isFalse();
            }
            assertThatThrownBy(() -> BpfLink.tcx(space.namespace(), ifindex, Direction.INGRESS, passing.fd()))
                    .isInstanceOf(BpfException.class)
                    .hasMessageContaining("attach a program at INGRESS of interface " + ifindex)
                    .hasMessageContaining("ENODEV");
        }
    }

    @Test
    void pinnedLinkMapAndProgramOutliveTheirHolders() throws IOException {
        BpfFileSystem.mount(folder);
        try {
            var pins = BpfFileSystem.of(folder, "host-1");
            try (var link = attach(dropping);
                    var map = BpfMap.create(BpfMapType.ARRAY, "kept", 4, 4, 1, 0)) {
                link.pin(pins.pin("link"));
                map.pin(pins.pin("map"));
                dropping.pin(pins.pin("program"));
                assertThatThrownBy(() -> map.pin(pins.pin("map")))
                        .hasMessageContaining("pin map kept as " + pins.pin("map"))
                        .hasMessageContaining("EEXIST");
            }
            assertThat(delivers()).isFalse();
            assertThat(pins.list()).containsExactly("link", "map", "program");
            try (var link = BpfLink.pinned(pins.pin("link")).orElseThrow();
                    var map = BpfMap.pinned(pins.pin("map")).orElseThrow();
                    var program = BpfProgram.pinned(pins.pin("program")).orElseThrow()) {
                assertThat(map.name()).isEqualTo("kept");
                assertThat(link.info().programId()).isEqualTo(program.id());
            }
            assertThat(BpfMap.pinned(pins.pin("nothing"))).isEmpty();
            assertThatThrownBy(() -> BpfMap.pinned(pins.pin("link")))
                    .isInstanceOf(BpfException.class)
                    .hasMessageContaining("expected a bpf map");
            pins.unpin("link");
            assertThat(delivers()).isTrue();
            pins.remove();
            assertThat(Files.exists(pins.folder())).isFalse();
        } finally {
            BpfFileSystem.unmount(folder);
        }
        assertThat(BpfFileSystem.isMounted(folder)).isFalse();
    }

    @Test
    void folderOfPinsIsNamedByPlainLetters() {
        assertThatThrownBy(() -> BpfFileSystem.of(folder, "../up"))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("expected letters, digits, '-' and '_'");
    }
}
