package dev.weft.datapath.link;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import org.junit.jupiter.api.Test;

final class NetworkNamespaceIT {
    @Test
    void textIsOwnNameOrPath() {
        assertThat(NetworkNamespace.parse("")).isEqualTo(NetworkNamespace.own());
        assertThat(NetworkNamespace.parse("a").path()).isEqualTo(Path.of("/run/netns/a"));
        assertThat(NetworkNamespace.parse("/proc/1/ns/net").path()).isEqualTo(Path.of("/proc/1/ns/net"));
        for (String wrong : new String[] {"a/b", ".", ".."}) {
            assertThatThrownBy(() -> NetworkNamespace.parse(wrong)).isInstanceOf(IllegalArgumentException.class);
        }
    }

    @Test
    void missingNamespaceIsToldByName() {
        var missing = NetworkNamespace.named("weft-none");
        assertThat(missing.exists()).isFalse();
        assertThatThrownBy(() -> missing.call(() -> 1))
                .isInstanceOf(LinkException.class)
                .hasMessageContaining("network namespace weft-none does not exist");
    }

    @Test
    void callersThreadStaysWhereItIs() throws IOException {
        try (var other = TestNamespace.create()) {
            var before = Files.readSymbolicLink(Path.of("/proc/thread-self/ns/net"));
            var inside = other.namespace()
                    .<Path, IOException>call(() -> Files.readSymbolicLink(Path.of("/proc/thread-self/ns/net")));
            assertThat(inside).isNotEqualTo(before);
            assertThat(inside.toString())
                    .contains(Long.toString(
                            other.namespace().identity().orElseThrow().inode()));
            assertThat(Files.readSymbolicLink(Path.of("/proc/thread-self/ns/net")))
                    .isEqualTo(before);
        }
    }

    @Test
    void twoPathsOfOneNamespaceHaveOneIdentity() {
        try (var one = TestNamespace.create();
                var other = TestNamespace.create()) {
            var byOtherPath = new NetworkNamespace(one.outsidePath());
            assertThat(byOtherPath.identity()).isEqualTo(one.namespace().identity());
            assertThat(other.namespace().identity())
                    .isNotEqualTo(one.namespace().identity());
        }
    }

    @Test
    void namespaceWithoutANameIsFoundUntilItIsClosedAndEndsWithItsLinks() {
        try (var host = TestNamespace.create()) {
            try (var links = Links.in(host.namespace())) {
                NamelessNamespace nameless = NamelessNamespace.make();
                var place = nameless.place();
                assertThat(place.identity())
                        .isPresent()
                        .isNotEqualTo(NetworkNamespace.own().identity());
                links.createVeth("out", "in", place);
                try (var inside = Links.in(place)) {
                    assertThat(inside.list()).extracting(Link::name).containsExactlyInAnyOrder("lo", "in");
                }
                nameless.close();
                assertThat(place.exists()).isFalse();
                await().atMost(Duration.ofSeconds(20))
                        .until(() -> links.find("out").isEmpty());
            }
        }
    }

    @Test
    void ownNamespaceIsTheProcessesFromWhereverItIsAsked() {
        // Needs no privilege, so it is not skipped without root.
        try (var links = Links.in(NetworkNamespace.own())) {
            assertThat(links.get("lo").ifindex()).isEqualTo(1);
        }
        try (var other = TestNamespace.create();
                var otherLinks = Links.in(other.namespace())) {
            otherLinks.createVeth("weft-own0", "weft-own1");
            try (var links = other.namespace().call(() -> Links.in(NetworkNamespace.own()))) {
                assertThat(links.find("weft-own0")).isEmpty();
            }
        }
    }

    @Test
    void exceptionOfTheBodyReachesTheCaller() {
        try (var other = TestNamespace.create()) {
            assertThatThrownBy(() -> other.namespace().<Integer, IOException>call(() -> {
                        throw new IOException("inside");
                    }))
                    .isInstanceOf(IOException.class)
                    .hasMessage("inside");
        }
    }

    @Test
    void fileThatIsNoNamespaceIsRefused() throws IOException {
        var file = Files.createTempFile("weft", ".ns");
        try {
            assertThatThrownBy(() -> new NetworkNamespace(file).call(() -> 1))
                    .isInstanceOf(LinkException.class)
                    .hasMessageContaining("enter network namespace " + file);
        } finally {
            Files.delete(file);
        }
    }
}
