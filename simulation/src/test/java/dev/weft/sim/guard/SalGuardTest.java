package dev.weft.sim.guard;

import static org.assertj.core.api.Assertions.assertThat;

import dev.weft.base.Allocation;
import dev.weft.base.Property;
import dev.weft.sim.DropReason;
import dev.weft.sim.packet.Frames;
import dev.weft.sim.packet.Malformed;
import dev.weft.sim.packet.Packet;
import dev.weft.sim.packet.PacketParser;
import dev.weft.sim.sal.SalPackets;
import dev.weft.sim.trace.PacketExpression;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

/** What a guarded port lets in, as a specification. */
class SalGuardTest {
    private static final int PORT = 3;
    private static final String CLIENT = "10.0.1.5";
    private static final String SERVER = "10.0.2.9";
    private static final String CLIENT_NONCE = " nonce 00000000000000c1";
    private static final String SERVER_NONCE = " nonce 00000000000000e1";
    private static final String OTHER_NONCE = " nonce 00000000000000ff";
    private static final String TO_CLIENT = "sal 10.0.2.9:9 > 10.0.1.5:2 flags ";
    private static final String TO_SERVER = "sal 10.0.1.5:2 > 10.0.2.9:9 flags ";
    private static final String SERVICE = " service 0x00004001";

    private final SalGuard guard = new SalGuard(16, 4, 7);
    private long now = 1;

    private static Packet packet(String words) {
        return SalPackets.parsed(PacketExpression.parse(words));
    }

    private @Nullable DropReason judge(String words) {
        return guard.judge(PORT, packet(words), now);
    }

    private void said(String words) {
        guard.said(PORT, packet(words), now);
    }

    private static String syn(String client, String flow, String nonce) {
        return "sal " + client + ":" + flow + " > " + SERVER + ":0 flags syn verno 70" + nonce + SERVICE;
    }

    private void connectAsClient() {
        said(syn(CLIENT, "2", CLIENT_NONCE));
        assertThat(judge(TO_CLIENT + "syn,ack verno 500 ackno 71" + SERVER_NONCE))
                .isNull();
    }

    private void connectAsServer() {
        assertThat(judge(syn(CLIENT, "2", CLIENT_NONCE))).isNull();
        said(TO_CLIENT + "syn,ack verno 500 ackno 71" + SERVER_NONCE);
    }

    @Test
    void aClientHearsItsServer() {
        connectAsClient();
        assertThat(judge(TO_CLIENT + "fin verno 501" + SERVER_NONCE)).isNull();
        assertThat(judge(TO_CLIENT + "rsyn,ack verno 501" + SERVER_NONCE)).isNull();
        assertThat(judge(TO_CLIENT + "rst verno 501" + SERVER_NONCE)).isNull();
    }

    @Test
    void aServerHearsItsClientFromWhereverThatIsNow() {
        connectAsServer();
        assertThat(judge("sal 192.0.2.1:2 > 10.0.2.9:9 flags rsyn verno 72" + CLIENT_NONCE))
                .isNull();
        assertThat(judge(TO_SERVER + "rsyn,fin verno 73" + CLIENT_NONCE)).isNull();
    }

    @Test
    void refusesResetsOfStrangers() {
        connectAsServer();
        assertThat(judge(TO_SERVER + "rst" + OTHER_NONCE)).isEqualTo(DropReason.SAL_FORGED_RST);
        assertThat(judge("sal 10.0.1.5:7 > 10.0.2.9:9 flags rst" + CLIENT_NONCE))
                .as("another flow of the peer's")
                .isEqualTo(DropReason.SAL_FORGED_RST);
        assertThat(judge("sal 10.0.1.5:2 > 10.0.2.9:8 flags rst,ack" + CLIENT_NONCE))
                .as("a flow that the VM does not have")
                .isEqualTo(DropReason.SAL_FORGED_RST);
    }

    @Test
    void refusesFinAndRsynOfStrangers() {
        connectAsClient();
        assertThat(judge(TO_CLIENT + "fin" + OTHER_NONCE)).isEqualTo(DropReason.SAL_FORGED_FIN);
        assertThat(judge(TO_CLIENT + "rsyn" + OTHER_NONCE)).isEqualTo(DropReason.SAL_FORGED_RSYN);
        assertThat(judge(TO_CLIENT + "rsyn,fin" + CLIENT_NONCE))
                .as("its own nonce is for resets only")
                .isEqualTo(DropReason.SAL_FORGED_RSYN);
        assertThat(judge("sal 10.0.2.9:9 > 10.0.1.5:3 flags fin" + SERVER_NONCE))
                .isEqualTo(DropReason.SAL_FORGED_FIN);
    }

    @Test
    void takesAResetThatEchoesTheVmsNonce() {
        connectAsClient();
        assertThat(judge(TO_CLIENT + "rst,ack" + CLIENT_NONCE)).isNull();
        said(syn(CLIENT, "5", CLIENT_NONCE));
        assertThat(judge("sal 10.0.2.9:0 > 10.0.1.5:5 flags rst,ack" + CLIENT_NONCE))
                .as("a SYN that found nobody")
                .isNull();
    }

    @Test
    void refusesAnswersToNoSyn() {
        assertThat(judge(TO_CLIENT + "syn,ack verno 500 ackno 71" + SERVER_NONCE))
                .isEqualTo(DropReason.SAL_FORGED_SYN_ACK);
        said(syn(CLIENT, "2", CLIENT_NONCE));
        assertThat(judge(TO_CLIENT + "syn,ack verno 500 ackno 70" + SERVER_NONCE))
                .as("who did not see the SYN does not know its number")
                .isEqualTo(DropReason.SAL_FORGED_SYN_ACK);
        assertThat(judge(TO_CLIENT + "syn,ack verno 500 ackno 71" + SERVER_NONCE))
                .isNull();
    }

    @Test
    void theFirstAnswerNamesThePeer() {
        connectAsClient();
        assertThat(judge("sal 10.0.2.8:4 > 10.0.1.5:2 flags syn,ack ackno 71" + OTHER_NONCE))
                .as("the VM ignores it")
                .isNull();
        assertThat(judge("sal 10.0.2.8:4 > 10.0.1.5:2 flags fin" + OTHER_NONCE)).isEqualTo(DropReason.SAL_FORGED_FIN);
        assertThat(judge("sal 10.0.2.8:4 > 10.0.1.5:2 flags syn,ack,fin ackno 71" + OTHER_NONCE))
                .isEqualTo(DropReason.SAL_FORGED_FIN);
        assertThat(judge(TO_CLIENT + "fin" + SERVER_NONCE)).isNull();
    }

    @Test
    void tellsClientsWithTheSameFlowIdApart() {
        assertThat(judge(syn(CLIENT, "2", CLIENT_NONCE))).isNull();
        assertThat(judge(syn("10.0.1.6", "2", OTHER_NONCE))).isNull();
        said(TO_CLIENT + "syn,ack verno 500 ackno 71" + SERVER_NONCE);
        assertThat(judge(TO_SERVER + "fin" + OTHER_NONCE)).isEqualTo(DropReason.SAL_FORGED_FIN);
        assertThat(judge(TO_SERVER + "fin" + CLIENT_NONCE)).isNull();
    }

    @Test
    void knowsTheClientBehindServiceRoutersBySource() {
        assertThat(judge(syn("10.0.1.1", "2", CLIENT_NONCE) + " source " + CLIENT + ",10.0.1.1"))
                .isNull();
        said(TO_CLIENT + "syn,ack verno 500 ackno 71" + SERVER_NONCE);
        assertThat(judge(TO_SERVER + "fin" + OTHER_NONCE)).isEqualTo(DropReason.SAL_FORGED_FIN);
    }

    @Test
    void leavesAcksDatagramsAndDataToTheVm() {
        assertThat(judge(TO_CLIENT + "ack" + OTHER_NONCE)).isNull();
        assertThat(judge("sal 10.0.2.9:9 > 10.0.1.5:0" + SERVICE + " from-service 0x00000050"))
                .isNull();
        assertThat(judge("sal 10.0.2.9:9 > 10.0.1.5:2 length 9")).isNull();
    }

    @Test
    void learnsAConnectionThatWasThereBeforeFromItsVm() {
        assertThat(judge(TO_CLIENT + "fin" + SERVER_NONCE)).isEqualTo(DropReason.SAL_FORGED_FIN);
        said(TO_SERVER + "fin" + CLIENT_NONCE);
        assertThat(judge(TO_CLIENT + "rst" + OTHER_NONCE)).isEqualTo(DropReason.SAL_FORGED_RST);
        assertThat(judge(TO_CLIENT + "fin" + SERVER_NONCE)).isNull();
        assertThat(judge(TO_CLIENT + "fin" + OTHER_NONCE)).isEqualTo(DropReason.SAL_FORGED_FIN);
    }

    @Test
    void anotherNonceIsAnotherConnection() {
        connectAsServer();
        said("sal 10.0.2.9:9 > 10.0.1.7:4 flags syn,ack" + OTHER_NONCE);
        assertThat(judge(TO_SERVER + "fin" + CLIENT_NONCE)).isEqualTo(DropReason.SAL_FORGED_FIN);
    }

    @Test
    void forgetsWhatIsOverAndWhatWasNeverAnswered() {
        connectAsClient();
        said(TO_SERVER + "fin" + CLIENT_NONCE);
        now += TimeUnit.HOURS.toNanos(2);
        assertThat(judge(TO_CLIENT + "fin" + SERVER_NONCE)).as("half closed").isNull();
        now += TimeUnit.MINUTES.toNanos(4);
        assertThat(judge(TO_CLIENT + "fin" + SERVER_NONCE)).isEqualTo(DropReason.SAL_FORGED_FIN);
        said(syn(CLIENT, "6", CLIENT_NONCE));
        now += TimeUnit.MINUTES.toNanos(4);
        assertThat(judge("sal 10.0.2.9:9 > 10.0.1.5:6 flags syn,ack ackno 71" + SERVER_NONCE))
                .isEqualTo(DropReason.SAL_FORGED_SYN_ACK);
    }

    @Test
    void clientsThatBeginWithoutEndDisplaceEachOtherOnly() {
        connectAsServer();
        for (int flow = 100; flow < 1000; flow++) {
            assertThat(judge(syn("10.0.1.6", "" + flow, OTHER_NONCE))).isNull();
        }
        assertThat(guard.size()).isEqualTo(1 + 4);
        assertThat(judge(TO_SERVER + "fin" + CLIENT_NONCE)).isNull();
    }

    @Test
    void aPortHasItsShareAndNoOtherLosesByIt() {
        connectAsServer();
        for (int flow = 100; flow < 1000; flow++) {
            for (int port = 10; port < 14; port++) {
                guard.said(port, packet(syn("10.0.1.6", "" + flow, OTHER_NONCE)), now);
            }
        }
        assertThat(guard.size()).isEqualTo(16);
        assertThat(guard.evicted()).isPositive();
        assertThat(judge(TO_SERVER + "fin" + CLIENT_NONCE)).isNull();
        for (int port = 10; port < 14; port++) {
            guard.forget(port);
        }
        guard.forget(77);
        assertThat(guard.size()).isLessThanOrEqualTo(2);
    }

    @Test
    void refusesWhatLooksLikeControlInsideUdpAndIsNotSound() {
        byte[] reset = SalPackets.frame(2, 3, SalPackets.control(0x88), SalPackets.service());
        var hidden = Frames.wrapped(SalPackets.encapsulated(reset, 54324, 54325));
        assertThat(PacketParser.parse(hidden)).isEqualTo(Malformed.OK);
        assertThat(guard.judge(PORT, hidden, now)).isEqualTo(DropReason.SAL_UNREADABLE);
        var program = Frames.udp("10.0.1.5:54324", "10.0.1.6:7").payload("hello".getBytes());
        assertThat(guard.judge(PORT, parsed(program), now)).isNull();
    }

    private static Packet parsed(Frames frame) {
        var packet = Frames.wrapped(frame.bytes());
        assertThat(PacketParser.parse(packet)).isEqualTo(Malformed.OK);
        return packet;
    }

    /** Of the packets of a real connection, changed anywhere in flow ids and nonce, none gets in. */
    @Test
    void noCapturedPacketGetsInWithAnotherNameInIt() {
        Property.check("forged control packets", 20_000, random -> {
            var each = new SalGuard(16, 4, 7);
            List<String> ends = List.of("fin", "rsyn", "rst", "rsyn,ack", "fin,ack", "rst,ack", "rsyn,fin");
            each.said(PORT, packet(syn(CLIENT, "2", CLIENT_NONCE)), now);
            each.judge(PORT, packet(TO_CLIENT + "syn,ack verno 500 ackno 71" + SERVER_NONCE), now);
            byte[] frame = PacketExpression.parse(TO_CLIENT + ends.get(random.nextInt(ends.size())) + SERVER_NONCE);
            assertThat(each.judge(PORT, SalPackets.parsed(frame), now)).isNull();
            int[] names = {0, 1, 2, 3, 4, 5, 6, 7, 24, 25, 26, 27, 28, 29, 30, 31};
            frame[SalPackets.SAL + names[random.nextInt(names.length)]] ^= (byte) (1 << random.nextInt(8));
            byte[] forged = SalPackets.mended(frame);
            boolean echo = forged[SalPackets.SAL + 31] == (byte) 0xc1;
            assertThat(each.judge(PORT, SalPackets.parsed(forged), now) != null || echo)
                    .isTrue();
        });
    }

    @Test
    void allocatesNothing() {
        var syn = packet(syn(CLIENT, "2", CLIENT_NONCE));
        var answer = packet(TO_CLIENT + "syn,ack verno 500 ackno 71" + SERVER_NONCE);
        var fin = packet(TO_CLIENT + "fin" + SERVER_NONCE);
        var forged = packet(TO_CLIENT + "fin" + OTHER_NONCE);
        Runnable round = () -> {
            for (int i = 0; i < 10_000; i++) {
                guard.said(PORT, syn, now);
                guard.judge(PORT, answer, now);
                guard.judge(PORT, fin, now);
                guard.judge(PORT, forged, now);
            }
        };
        for (int i = 0; i < 20; i++) {
            round.run();
        }
        assertThat(Allocation.bytes(round)).as("bytes for 40,000 packets").isZero();
    }
}
