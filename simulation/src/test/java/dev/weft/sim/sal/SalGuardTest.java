package dev.weft.sim.sal;

import static org.assertj.core.api.Assertions.assertThat;

import dev.weft.sim.sal.SalGuard.Refusal;
import org.junit.jupiter.api.Test;

class SalGuardTest {
    private static final long PEER = 0x1111;
    private static final long OWN = 0x2222;
    private static final long FORGED = 0x3333;

    private final SalGuard guard = new SalGuard();

    @Test
    void takesWhatKnowsThePeersNonce() {
        for (int flags : new int[] {
            SalControl.ACK,
            SalControl.FIN,
            SalControl.FIN | SalControl.RSYN,
            SalControl.RSYN | SalControl.ACK,
            SalControl.RST,
            SalControl.RST | SalControl.ACK
        }) {
            assertThat(guard.accepts(flags, PEER, PEER, OWN)).isTrue();
        }
        for (Refusal refusal : Refusal.values()) {
            assertThat(guard.refused(refusal)).isZero();
        }
    }

    @Test
    void refusesAndCountsEachForgery() {
        assertThat(guard.accepts(SalControl.RST, FORGED, PEER, OWN)).isFalse();
        assertThat(guard.accepts(SalControl.RST | SalControl.ACK, FORGED, PEER, OWN))
                .isFalse();
        assertThat(guard.accepts(SalControl.FIN, FORGED, PEER, OWN)).isFalse();
        assertThat(guard.accepts(SalControl.RSYN | SalControl.FIN, FORGED, PEER, OWN))
                .isFalse();
        assertThat(guard.accepts(SalControl.ACK, FORGED, PEER, OWN)).isFalse();
        assertThat(guard.accepts(SalControl.SYN | SalControl.RST, PEER, PEER, OWN))
                .isFalse();
        assertThat(guard.refused(Refusal.FORGED_RST)).isEqualTo(2);
        assertThat(guard.refused(Refusal.FORGED_FIN)).isEqualTo(1);
        assertThat(guard.refused(Refusal.FORGED_RSYN)).isEqualTo(1);
        assertThat(guard.refused(Refusal.FORGED_ACK)).isEqualTo(1);
        assertThat(guard.refused(Refusal.SYN_WITH_RST)).isEqualTo(1);
    }

    @Test
    void takesAResetThatReturnsOurOwnNonceButNothingElseThatDoes() {
        assertThat(guard.accepts(SalControl.RST, OWN, PEER, OWN))
                .as("of a host that knows nothing")
                .isTrue();
        assertThat(guard.accepts(SalControl.FIN, OWN, PEER, OWN)).isFalse();
        assertThat(guard.accepts(SalControl.RSYN, OWN, PEER, OWN)).isFalse();
    }

    @Test
    void aSynBringsItsNonce() {
        assertThat(guard.accepts(SalControl.SYN, FORGED, PEER, OWN)).isTrue();
        assertThat(guard.accepts(SalControl.SYN | SalControl.ACK, FORGED, 0, OWN))
                .isTrue();
    }
}
