package dev.weft.datapath.link;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static java.lang.foreign.ValueLayout.JAVA_INT_UNALIGNED;
import static java.lang.foreign.ValueLayout.JAVA_SHORT_UNALIGNED;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.weft.base.IpAddress;
import dev.weft.base.IpPrefix;
import dev.weft.base.MacAddress;
import dev.weft.datapath.kernel.Libc;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Random;
import org.junit.jupiter.api.Test;

final class MessageTest {
    private static MessageWriter linkMessage() {
        var message = new MessageWriter(Link.NEW, 0).putLinkHeader(7, 0x41, 0);
        message.attribute(Link.NAME, "veth-a")
                .attribute(Link.MTU, 1450)
                .attribute(Link.ADDRESS, new byte[] {2, 0, 0, 0, 0, 9});
        int info = message.open(Link.INFO | MessageWriter.NESTED);
        return message.attribute(Link.INFO_KIND, "veth").close(info);
    }

    private static MemorySegment routeMessage() {
        var route = KernelRoute.change(
                KernelRoute.NEW, 0, IpPrefix.parse("10.7.0.0/16"), Optional.of(IpAddress.parse("10.0.0.1")), 3);
        int hops = route.open(9);
        route.putShort(16).putByte(0).putByte(0).putInt(5).attribute(5, new byte[] {10, 0, 0, 2});
        return route.close(hops).finish(1);
    }

    private static List<Message> walk(MemorySegment bytes) {
        var messages = new ArrayList<Message>();
        Message.walk(bytes, messages::add);
        return messages;
    }

    private static MemorySegment heapCopy(MemorySegment bytes) {
        return MemorySegment.ofArray(bytes.toArray(JAVA_BYTE));
    }

    @Test
    void whatIsWrittenIsRead() {
        var messages = walk(linkMessage().finish(42));
        assertThat(messages).singleElement().satisfies(message -> {
            assertThat(message.sequence()).isEqualTo(42);
            var link = Link.decode(message).orElseThrow();
            assertThat(link.name()).isEqualTo("veth-a");
            assertThat(link.ifindex()).isEqualTo(7);
            assertThat(link.mtu()).isEqualTo(1450);
            assertThat(link.mac()).contains(MacAddress.parse("02:00:00:00:00:09"));
            assertThat(link.up()).isTrue();
            assertThat(link.running()).isTrue();
            assertThat(link.kind()).isEqualTo("veth");
            assertThat(link.peerIfindex()).isEmpty();
        });
    }

    @Test
    void bridgePortMessagesAreNotLinks() {
        var bytes = linkMessage().finish(1);
        bytes.set(JAVA_BYTE, MessageWriter.HEADER_LENGTH, (byte) 7); // AF_BRIDGE: a port left its bridge
        assertThat(Link.decode(walk(bytes).getFirst())).isEmpty();
    }

    @Test
    void routeWithSeveralHopsKeepsThemAll() {
        var route = KernelRoute.decode(walk(routeMessage()).getFirst()).orElseThrow();
        assertThat(route.destination()).isEqualTo(IpPrefix.parse("10.7.0.0/16"));
        assertThat(route.hops())
                .containsExactly(
                        new KernelRoute.NextHop(3, Optional.of(IpAddress.parse("10.0.0.1"))),
                        new KernelRoute.NextHop(5, Optional.of(IpAddress.parse("10.0.0.2"))));
    }

    @Test
    void kernelsOwnWordsAreFoundAfterTheRefusedMessage() {
        var refusal = new MessageWriter(Message.ERROR, 0).putInt(-22);
        for (int i = 0; i < 4; i++) {
            refusal.putInt(16); // the echoed header, whose first word is its length
        }
        var bytes = refusal.attribute(1, "mtu less than device minimum").finish(1);
        for (int flags : new int[] {0x200, 0x300}) {
            bytes.set(JAVA_SHORT_UNALIGNED, 6, (short) flags);
            var message = walk(bytes).getFirst();
            assertThat(message.errno()).isEqualTo(22);
            assertThat(message.errorText()).isEqualTo("mtu less than device minimum");
        }
    }

    @Test
    void messageThatLiesAboutItsLengthIsRefused() {
        var bytes = linkMessage().finish(1);
        for (int length : new int[] {0, 15, (int) bytes.byteSize() + 1, -1}) {
            bytes.set(JAVA_INT_UNALIGNED, 0, length);
            assertThatThrownBy(() -> walk(bytes))
                    .isInstanceOf(LinkException.class)
                    .hasMessageContaining("expected 16");
        }
    }

    @Test
    void attributeOfLengthZeroEndsNothingButTheMessage() {
        var bytes = MemorySegment.ofArray(new byte[8]);
        assertThatThrownBy(() -> Attributes.of(bytes)).isInstanceOf(LinkException.class);
    }

    @Test
    void messageThatDoesNotFitIsRefused() {
        var message = new MessageWriter(Link.SET, 0);
        assertThatThrownBy(() -> message.attribute(1, new byte[4000]))
                .isInstanceOf(LinkException.class)
                .hasMessageContaining("expected up to");
    }

    /** Whatever the bytes: a value, nothing, or a {@link LinkException}; and always an end. */
    @Test
    void hostileBytesNeverThrowAnythingElse() {
        var random = new Random(7);
        var seeds = List.of(
                heapCopy(linkMessage().finish(1)),
                heapCopy(routeMessage()),
                heapCopy(InterfaceAddress.parse("fd00::1/64")
                        .encode(new MessageWriter(InterfaceAddress.NEW, 0), 3)
                        .finish(1)),
                heapCopy(new MessageWriter(KernelNeighbour.NEW, 0)
                        .putInt(Libc.AF_INET)
                        .putInt(3)
                        .putInt(2)
                        .attribute(1, new byte[] {10, 0, 0, 1})
                        .finish(1)));
        int[] types = {Link.NEW, InterfaceAddress.NEW, KernelRoute.NEW, KernelNeighbour.NEW, Message.ERROR, Message.DONE
        };
        int understood = 0;
        for (int round = 0; round < 100_000; round++) {
            var bytes = heapCopy(seeds.get(random.nextInt(seeds.size())));
            for (int flips = random.nextInt(4); flips > 0; flips--) {
                bytes.set(JAVA_BYTE, random.nextLong(bytes.byteSize()), (byte) random.nextInt());
            }
            if (random.nextInt(4) == 0) {
                bytes.set(JAVA_SHORT_UNALIGNED, 4, (short) types[random.nextInt(types.length)]);
            }
            var cut =
                    bytes.asSlice(0, random.nextInt(3) == 0 ? random.nextLong(bytes.byteSize() + 1) : bytes.byteSize());
            try {
                Message.walk(cut, MessageTest::readAll);
                understood++;
            } catch (LinkException expected) {
                assertThat(expected).hasMessageContaining("netlink");
            }
        }
        assertThat(understood).as("not all were refused").isGreaterThan(10_000);
    }

    private static void readAll(Message message) {
        switch (message.type()) {
            case Link.NEW -> Link.decode(message);
            case InterfaceAddress.NEW -> InterfaceAddress.decode(message);
            case KernelRoute.NEW -> KernelRoute.decode(message);
            case KernelNeighbour.NEW -> KernelNeighbour.decode(message);
            case Message.ERROR, Message.DONE -> {
                message.errorText();
                message.errno();
            }
            default -> {}
        }
    }
}
