package dev.weft.sim.sal;

import dev.weft.base.HotPath;

/**
 * Tells control packets of a known connection from forged ones. Flow ids are small numbers that anybody can guess, so a
 * packet has to know the nonce: each end chooses one and says it in every control packet. The original asks for it in
 * FIN, RSYN and the ACK that opens only, and lets anybody reset. Counts what it refuses; not thread safe.
 */
@HotPath
public final class SalGuard {
    /** Why a control packet was refused; each has its own counter. */
    public enum Refusal {
        FORGED_ACK("a Serval ACK without the peer's nonce"),
        FORGED_FIN("a Serval FIN without the peer's nonce"),
        FORGED_RSYN("a Serval RSYN without the peer's nonce"),
        FORGED_RST("a Serval RST with neither end's nonce"),
        SYN_WITH_RST("a Serval packet with SYN and RST, which would close a listener");

        private static final Refusal[] ALL = values();

        private final String text;

        Refusal(String text) {
            this.text = text;
        }

        /** Half a sentence for people. */
        public String text() {
            return text;
        }
    }

    private final long[] refused = new long[Refusal.ALL.length];

    /**
     * Whether an end may act on a control packet that came to it. A SYN brings its nonce with it and is taken. A reset
     * comes from the peer, or from a host that knows nothing and returns the nonce of the packet it answers: ours.
     *
     * @param flags of {@link SalControl}
     * @param peerNonce what the peer said when the connection began
     * @param ownNonce what this end says
     */
    public boolean accepts(int flags, long nonce, long peerNonce, long ownNonce) {
        boolean reset = (flags & SalControl.RST) != 0;
        if ((flags & SalControl.SYN) != 0) {
            return !reset || refuse(Refusal.SYN_WITH_RST);
        }
        if (nonce == peerNonce || reset && nonce == ownNonce) {
            return true;
        }
        if (reset) {
            return refuse(Refusal.FORGED_RST);
        }
        if ((flags & SalControl.RSYN) != 0) {
            return refuse(Refusal.FORGED_RSYN);
        }
        return refuse((flags & SalControl.FIN) != 0 ? Refusal.FORGED_FIN : Refusal.FORGED_ACK);
    }

    private boolean refuse(Refusal refusal) {
        refused[refusal.ordinal()]++;
        return false;
    }

    /** How many of its kind were refused. */
    public long refused(Refusal refusal) {
        return refused[refusal.ordinal()];
    }
}
