package dev.weft.datapath.link;

import static java.lang.foreign.ValueLayout.JAVA_INT;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import dev.weft.base.IpAddress;
import dev.weft.base.IpPrefix;
import dev.weft.datapath.kernel.Libc;
import dev.weft.datapath.link.LinkEvent.AddressesChanged;
import dev.weft.datapath.link.LinkEvent.LinkAppeared;
import dev.weft.datapath.link.LinkEvent.LinkChanged;
import dev.weft.datapath.link.LinkEvent.LinkGone;
import java.io.IOException;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.TimeUnit;
import java.util.function.Predicate;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.Test;

final class LinkMonitorIT {
    private static final Duration LIMIT = Duration.ofSeconds(10);
    private static final Duration LONG_RETRY = Duration.ofHours(1);
    private static final int SO_RCVBUF = 8;

    private final List<LinkEvent> events = new CopyOnWriteArrayList<>();

    private void awaitEvent(Predicate<LinkEvent> wanted) {
        await().atMost(LIMIT).untilAsserted(() -> assertThat(events).anyMatch(wanted));
    }

    private static Predicate<LinkEvent> appeared(String name) {
        return event -> event instanceof LinkAppeared && event.link().name().equals(name);
    }

    private static Predicate<LinkEvent> gone(String name) {
        return event -> event instanceof LinkGone && event.link().name().equals(name);
    }

    @Test
    void reportsWhatIsThereThenWhatChanges() {
        try (var space = TestNamespace.create();
                var links = Links.in(space.namespace())) {
            links.createVeth("x0", "x1");
            try (var monitor = LinkMonitor.start(events::add, LONG_RETRY)) {
                monitor.watch(space.namespace());
                awaitEvent(appeared("x0"));
                awaitEvent(appeared("lo"));
                links.createVeth("y0", "y1");
                awaitEvent(appeared("y0"));
                links.setMtu("y0", 1400);
                awaitEvent(event -> event instanceof LinkChanged(var where, var before, var now)
                        && now.name().equals("y0")
                        && before.mtu() == 1500
                        && now.mtu() == 1400);
                links.addAddress("y0", InterfaceAddress.parse("10.0.0.1/24"));
                awaitEvent(event -> event instanceof AddressesChanged(var where, var link, var addresses)
                        && link.name().equals("y0")
                        && addresses.toString().equals("[10.0.0.1/24]"));
                links.delete("y0");
                awaitEvent(gone("y0"));
                awaitEvent(gone("y1"));
                events.clear();
                links.createVeth("y0", "y1");
                awaitEvent(appeared("y0"));
            }
        }
    }

    @Test
    void movedLinkGoesHereAndAppearsThere() {
        try (var one = TestNamespace.create();
                var other = TestNamespace.create();
                var links = Links.in(one.namespace());
                var monitor = LinkMonitor.start(events::add, LONG_RETRY)) {
            links.createVeth("x0", "x1");
            monitor.watch(one.namespace());
            monitor.watch(other.namespace());
            awaitEvent(appeared("x0"));
            links.move("x0", other.namespace());
            awaitEvent(event -> gone("x0").test(event) && event.namespace().equals(one.namespace()));
            awaitEvent(event -> appeared("x0").test(event) && event.namespace().equals(other.namespace()));
        }
    }

    @Test
    void unwatchedNamespaceIsSilent() {
        try (var one = TestNamespace.create();
                var other = TestNamespace.create();
                var links = Links.in(one.namespace());
                var otherLinks = Links.in(other.namespace());
                var monitor = LinkMonitor.start(events::add, LONG_RETRY)) {
            monitor.watch(one.namespace());
            awaitEvent(appeared("lo"));
            monitor.unwatch(one.namespace());
            monitor.watch(other.namespace());
            awaitEvent(event -> event.namespace().equals(other.namespace()));
            links.createVeth("x0", "x1");
            otherLinks.createVeth("z0", "z1");
            awaitEvent(appeared("z0"));
            assertThat(events).noneMatch(event -> event.link().name().startsWith("x"));
        }
    }

    /** The retry interval is too long to help: inotify alone must notice the name. */
    @Test
    void namespaceIsFollowedBeforeItExistsWhenItVanishesAndWhenItIsBack() throws Exception {
        String name = "weft-lm-" + ProcessHandle.current().pid();
        // Creates /run/netns if need be, and tells whether names may be made at all.
        Assumptions.assumeTrue(ip("netns", "add", name + "-probe"), "ip netns add is not possible here");
        assertThat(ip("netns", "delete", name + "-probe")).isTrue();
        var space = NetworkNamespace.named(name);
        try (var monitor = LinkMonitor.start(events::add, LONG_RETRY)) {
            monitor.watch(space);
            for (int round = 0; round < 2; round++) {
                assertThat(ip("netns", "add", name)).isTrue();
                awaitEvent(appeared("lo"));
                try (var links = Links.in(space)) {
                    links.createVeth("x0", "x1");
                }
                awaitEvent(appeared("x0"));
                assertThat(ip("netns", "delete", name)).isTrue();
                awaitEvent(gone("lo"));
                awaitEvent(gone("x0"));
                events.clear();
            }
        } finally {
            if (space.exists()) {
                ip("netns", "delete", name);
            }
        }
    }

    @Test
    void lostMessagesAreMadeGoodByReadingTheWholeState() {
        try (var space = TestNamespace.create();
                var links = Links.in(space.namespace())) {
            links.createVeth("x0", "x1");
            var seen = new ArrayList<LinkEvent>();
            var watched = new WatchedNamespace(space.namespace(), seen::add);
            watched.reconcile();
            Libc.setOption(watched.fileDescriptor().orElseThrow(), Libc.SOL_SOCKET, SO_RCVBUF, 1);
            for (int mtu = 1000; mtu < 1300; mtu++) {
                links.setMtu("x0", mtu);
            }
            links.createVeth("y0", "y1");
            links.delete("y0");
            links.createVeth("z0", "z1");
            seen.clear();
            watched.read();
            assertThat(seen).as("most changes were lost").hasSizeLessThan(150);
            assertThat(seen)
                    .anyMatch(event -> event instanceof LinkChanged
                            && event.link().name().equals("x0")
                            && event.link().mtu() == 1299);
            assertThat(seen).anyMatch(appeared("z0"));
            watched.close();
        }
    }

    @Test
    void neighboursAndRoutesAreFollowed() {
        var paths = new CopyOnWriteArrayList<PathEvent>();
        try (var one = TestNamespace.create();
                var other = TestNamespace.create();
                var links = Links.in(one.namespace());
                var otherLinks = Links.in(other.namespace());
                var monitor = LinkMonitor.start(events::add, LONG_RETRY)) {
            links.createVeth("x0", "x1", other.namespace());
            links.addAddress("x0", InterfaceAddress.parse("10.0.0.1/24"));
            otherLinks.addAddress("x1", InterfaceAddress.parse("10.0.0.2/24"));
            otherLinks.setUp("x1");
            monitor.watchPaths(one.namespace(), paths::add);
            await().atMost(LIMIT).untilAsserted(() -> assertThat(paths).hasSize(1));
            assertThat(paths.getFirst()).isInstanceOf(PathEvent.AllChanged.class);
            links.setUp("x0");
            var far = IpAddress.parse("10.0.0.2");
            links.useNeighbour(far, links.get("x0").ifindex());
            awaitPath(
                    paths,
                    event -> event instanceof PathEvent.NeighbourChanged(var where, var neighbour)
                            && neighbour.address().equals(far)
                            && neighbour.usable()
                            && neighbour.mac().equals(otherLinks.get("x1").mac()));
            links.addRoute(IpPrefix.parse("10.9.0.0/16"), far, "x0");
            awaitPath(paths, route("10.9.0.0/16", true));
            links.deleteRoute(IpPrefix.parse("10.9.0.0/16"), "x0");
            awaitPath(paths, route("10.9.0.0/16", false));
            paths.clear();
            links.setMtu("x0", 1400);
            awaitPath(paths, event -> event instanceof PathEvent.AllChanged);
            links.delete("x0");
            awaitPath(
                    paths,
                    event -> event instanceof PathEvent.NeighbourGone(var where, var neighbour)
                            && neighbour.address().equals(far));
            assertThat(events).as("links are not watched").isEmpty();
        }
    }

    private static void awaitPath(List<PathEvent> paths, Predicate<PathEvent> wanted) {
        await().atMost(LIMIT).untilAsserted(() -> assertThat(paths).anyMatch(wanted));
    }

    private static Predicate<PathEvent> route(String destination, boolean present) {
        return event -> event instanceof PathEvent.RouteChanged(var where, var route, var there)
                && route.destination().toString().equals(destination)
                && there == present;
    }

    @Test
    void lostPathMessagesAreMadeGoodByReadingTheWholeState() {
        try (var space = TestNamespace.create();
                var links = Links.in(space.namespace())) {
            links.createVeth("x0", "x1");
            links.setUp("x0");
            links.setUp("x1");
            links.addAddress("x0", InterfaceAddress.parse("10.0.0.1/24"));
            var seen = new ArrayList<PathEvent>();
            var watched = new WatchedPaths(space.namespace(), seen::add);
            watched.reconcile();
            Libc.setOption(watched.fileDescriptor().orElseThrow(), Libc.SOL_SOCKET, SO_RCVBUF, 1);
            for (int i = 0; i < 100; i++) {
                links.addRoute(IpPrefix.parse("10.9." + i + ".0/24"), "x0");
            }
            var asked = IpAddress.parse("10.0.0.9");
            links.useNeighbour(asked, links.get("x0").ifindex());
            seen.clear();
            watched.read();
            assertThat(seen).as("most changes were lost").hasSizeLessThan(90);
            assertThat(seen).anyMatch(event -> event instanceof PathEvent.AllChanged);
            assertThat(seen)
                    .anyMatch(event -> event instanceof PathEvent.NeighbourChanged(var where, var neighbour)
                            && neighbour.address().equals(asked)
                            && !neighbour.usable());
            watched.close();
        }
    }

    @Test
    void lostSocketIsReplacedAndTheWholeStateReadAgain() throws Throwable {
        try (var space = TestNamespace.create();
                var links = Links.in(space.namespace())) {
            var seen = new ArrayList<LinkEvent>();
            var watched = new WatchedNamespace(space.namespace(), seen::add);
            watched.reconcile();
            breakDescriptor(watched.fileDescriptor().orElseThrow());
            links.createVeth("x0", "x1");
            assertThatThrownBy(watched::read)
                    .isInstanceOf(LinkException.class)
                    .hasMessageContaining("read notifications of");
            assertThat(seen).last().matches(gone("lo"), "what cannot be followed is told as gone");
            assertThat(watched.fileDescriptor()).isEmpty();
            watched.reconcile();
            assertThat(seen).anyMatch(appeared("x0"));
            links.createVeth("y0", "y1");
            watched.read();
            assertThat(seen).anyMatch(appeared("y0"));
            watched.close();
        }
    }

    /** Puts a file that is no socket in its place, as dup2(2) does: the number stays taken. */
    private static void breakDescriptor(int fd) throws Throwable {
        var linker = Linker.nativeLinker();
        var dup2 = linker.downcallHandle(
                linker.defaultLookup().findOrThrow("dup2"), FunctionDescriptor.of(JAVA_INT, JAVA_INT, JAVA_INT));
        int nothing = Libc.open("/dev/null", Libc.O_RDONLY | Libc.O_CLOEXEC);
        assertThat((int) dup2.invokeExact(nothing, fd)).isEqualTo(fd);
        Libc.close(nothing);
    }

    @Test
    void pathsOfAVanishedNamespaceAreToldOnce() {
        var seen = new ArrayList<PathEvent>();
        var space = TestNamespace.create();
        var watched = new WatchedPaths(space.namespace(), seen::add);
        try (space) {
            watched.reconcile();
            assertThat(seen).hasSize(1);
        }
        watched.reconcile();
        watched.reconcile();
        assertThat(seen).hasSize(2).allMatch(event -> event instanceof PathEvent.AllChanged);
        assertThat(watched.fileDescriptor()).isEmpty();
    }

    @Test
    void faultyListenerHearsTheNextEvent() {
        try (var space = TestNamespace.create();
                var links = Links.in(space.namespace())) {
            try (var monitor = LinkMonitor.start(
                    event -> {
                        events.add(event);
                        throw new IllegalStateException("a listener of this test fails on purpose");
                    },
                    LONG_RETRY)) {
                monitor.watch(space.namespace());
                awaitEvent(appeared("lo"));
                links.createVeth("x0", "x1");
                awaitEvent(appeared("x0"));
            }
        }
    }

    @Test
    void closeEndsTheThreadAndItsDescriptors() throws IOException {
        try (var space = TestNamespace.create()) {
            warmUp(space);
            long before = openFiles();
            for (int i = 0; i < 20; i++) {
                warmUp(space);
            }
            await().atMost(LIMIT).untilAsserted(() -> assertThat(openFiles()).isLessThan(before + 10));
            assertThat(Thread.getAllStackTraces().keySet())
                    .noneMatch(thread -> thread.getName().equals("link-monitor") && thread.isAlive());
        }
    }

    private void warmUp(TestNamespace space) {
        events.clear();
        try (var monitor = LinkMonitor.start(events::add, LONG_RETRY)) {
            monitor.watch(space.namespace());
            awaitEvent(appeared("lo"));
        }
    }

    private static long openFiles() throws IOException {
        try (var files = Files.list(Path.of("/proc/self/fd"))) {
            return files.count();
        }
    }

    private static boolean ip(String... arguments) throws Exception {
        var command = new ArrayList<>(List.of("ip"));
        command.addAll(List.of(arguments));
        try {
            var process = new ProcessBuilder(command).redirectErrorStream(true).start();
            process.getInputStream().readAllBytes();
            return process.waitFor(20, TimeUnit.SECONDS) && process.exitValue() == 0;
        } catch (IOException absent) {
            return false;
        }
    }
}
