package dev.weft.sim;

import dev.weft.base.HotPath;
import dev.weft.sim.flow.FlowKey;
import dev.weft.sim.match.Classifier;
import dev.weft.sim.match.Fields;
import dev.weft.sim.packet.Ethernet;
import dev.weft.sim.packet.Icmp;
import dev.weft.sim.packet.Icmpv6;
import dev.weft.sim.packet.Ipv4;
import dev.weft.sim.packet.Ipv6;
import java.util.Arrays;

/**
 * Holds the packet of a simulation against chains. One per simulation, not thread safe.
 *
 * <p>As {@link Fields} it is the packet as it is by now; what a search used goes into the mask through the {@link
 * PacketView}.
 */
@HotPath
final class ChainWalk implements Fields {
    /** In the store deeper jumps are refused; this only keeps the stack whole. */
    private static final int MAX_JUMPS = 64;

    private static final int V4_BITS = 96;

    private final Simulation sim;
    private int inPort;
    private int outPort;
    private int jumps;
    /** Of a redirect. */
    private int target;

    ChainWalk(Simulation sim) {
        this.sim = sim;
    }

    /**
     * Whether the packet goes on its way. If not, all is done that is to be done with it: it was dropped, answered or
     * sent elsewhere.
     *
     * @param chain {@link CompiledChain#NONE} lets everything pass
     * @param in the port of the device that the packet came in by, or {@link CompiledChain#NONE}
     * @param out the port it is about to leave by, or {@link CompiledChain#NONE} when that is not known or not one port
     */
    boolean passes(int chain, int in, int out) {
        return passes(chain, in, out, DropReason.RULE);
    }

    /** @param why it is dropped, when it is */
    boolean passes(int chain, int in, int out, DropReason why) {
        if (chain == CompiledChain.NONE) {
            return true;
        }
        inPort = in;
        outPort = out;
        jumps = 0;
        int verdict = walk(chain);
        if (verdict == CompiledChain.CONTINUE) {
            noteEnd(chain);
        }
        switch (verdict) {
            case CompiledChain.DROP -> sim.noteDrop(why);
            case CompiledChain.REJECT -> Refusal.answer(sim, in);
            case CompiledChain.REDIRECT_OUT, CompiledChain.REDIRECT_IN ->
                sim.redirect(target, verdict == CompiledChain.REDIRECT_IN);
            default -> {
                return true;
            }
        }
        return false;
    }

    /** The verdict; {@code CONTINUE} at the end of the chain. */
    private int walk(int index) {
        CompiledChain chain = sim.network.chains.chain(index);
        if (chain == null || ++jumps > MAX_JUMPS) {
            return CompiledChain.CONTINUE;
        }
        sim.out.addTag(chain.tag);
        int at = 0;
        while (true) {
            int found = chain.classifier.first(at, this);
            if (found == Classifier.NONE) {
                jumps--;
                return CompiledChain.CONTINUE;
            }
            if (sim.isExplaining()) {
                explain(chain, found);
            }
            if (chain.isLogged(found)) {
                sim.out.noteRule(index, found);
            }
            int verdict = chain.verdict(found);
            switch (verdict) {
                case CompiledChain.CONTINUE -> at = found + 1;
                case CompiledChain.RETURN -> at = chain.end(found);
                case CompiledChain.JUMP, CompiledChain.GOTO -> {
                    int there = walk(chain.target(found));
                    if (there != CompiledChain.CONTINUE) {
                        return there;
                    }
                    at = verdict == CompiledChain.JUMP ? found + 1 : chain.end(found);
                }
                default -> {
                    target = chain.target(found);
                    return verdict;
                }
            }
        }
    }

    private void noteEnd(int index) {
        CompiledChain chain = sim.network.chains.chain(index);
        if (chain != null && chain.logsEnd) {
            sim.out.noteRule(index, CompiledChain.NONE);
        }
    }

    private void explain(CompiledChain chain, int position) {
        CompiledChain.Label label = chain.label(position);
        String what =
                switch (chain.verdict(position)) {
                    case CompiledChain.ACCEPT -> "accepts";
                    case CompiledChain.DROP -> "drops";
                    case CompiledChain.REJECT -> "refuses";
                    case CompiledChain.RETURN -> "returns";
                    case CompiledChain.JUMP, CompiledChain.GOTO -> "jumps on";
                    case CompiledChain.REDIRECT_OUT -> "redirects out of a port";
                    case CompiledChain.REDIRECT_IN -> "redirects into a port";
                    default -> "goes on";
                };
        String logged = chain.isLogged(position) ? ", which is logged" : "";
        sim.explain("chain", label.chain(), "rule " + label.rule() + " " + what + logged);
    }

    // The packet's fields.

    @Override
    public int kind() {
        return switch (sim.useEtherType()) {
            case Ethernet.IPV4 -> IPV4;
            case Ethernet.IPV6 -> IPV6;
            case Ethernet.ARP -> ARP;
            default -> OTHER;
        };
    }

    @Override
    public int fragment() {
        return switch (sim.useFragment()) {
            case FlowKey.NOT_FRAGMENT -> UNFRAGMENTED;
            case FlowKey.FIRST_FRAGMENT -> FIRST_FRAGMENT;
            default -> LATER_FRAGMENT;
        };
    }

    @Override
    public boolean hasPorts() {
        if ((kind() & IP) == 0) {
            return false;
        }
        int protocol = sim.useProtocol();
        return (protocol == Ipv4.TCP || protocol == Ipv4.UDP) && sim.useFragment() != FlowKey.LATER_FRAGMENT;
    }

    @Override
    public boolean hasIcmp() {
        int kind = kind();
        return (kind & IP) != 0
                && sim.useProtocol() == (kind == IPV4 ? Ipv4.ICMP : Ipv6.ICMPV6)
                && sim.useFragment() != FlowKey.LATER_FRAGMENT;
    }

    @Override
    public boolean hasQuote() {
        if (!hasIcmp()) {
            return false;
        }
        int type = sim.useIcmpType();
        if (!(kind() == IPV4 ? Icmp.isError(type) : Icmpv6.isError(type))) {
            return false;
        }
        sim.out.notCacheable(); // what is quoted is no part of a flow key
        return sim.packet.quote.present;
    }

    @Override
    public int value(int field) {
        return switch (field) {
            case PROTOCOL -> sim.packet.key.protocol();
            case L4_SRC -> sim.headers.l4Src;
            case L4_DST -> sim.headers.l4Dst;
            case ICMP -> sim.headers.l4Src << 16 | sim.headers.l4Dst;
            case ETHERTYPE -> sim.packet.key.etherType();
            case VLAN -> sim.vlanTci & PacketView.VLAN_ID_BITS;
            case DSCP -> sim.packet.key.dscp();
            case IN_PORT -> inPort;
            case OUT_PORT -> outPort;
            case CONNECTION -> sim.tracking.stateForRule(sim);
            case CONNECTION_PART -> part(sim.tracking.state(sim));
            case TCP_PHASE -> sim.tracking.tcpPhase(sim);
            default -> throw new AssertionError("field " + field);
        };
    }

    private static int part(int state) {
        return state == Tracking.NEW ? Tracking.FORWARD : state;
    }

    @Override
    public long mac(int field) {
        return field == SRC_MAC ? sim.srcMac() : sim.dstMac();
    }

    @Override
    public long high(int field) {
        return switch (field) {
            case SRC -> sim.srcHigh();
            case DST -> sim.dstHigh();
            case QUOTED_SRC -> sim.quoted.srcHigh;
            default -> sim.quoted.dstHigh;
        };
    }

    @Override
    public long low(int field) {
        return switch (field) {
            case SRC -> sim.srcLow();
            case DST -> sim.dstLow();
            case QUOTED_SRC -> sim.quoted.srcLow;
            default -> sim.quoted.dstLow;
        };
    }

    @Override
    public void use(int field, int bits) {
        switch (field) {
            case SRC -> {
                if (kind() == IPV6 || bits > V4_BITS) {
                    sim.useSrcHigh(bits);
                }
            }
            case DST -> {
                if (kind() == IPV6 || bits > V4_BITS) {
                    sim.useDstHigh(bits);
                }
            }
            case PROTOCOL -> sim.useProtocolBits(bits);
            case L4_SRC -> sim.useL4Src(bits);
            case L4_DST -> sim.useL4Dst(bits);
            case ICMP -> sim.useIcmpKind(bits);
            case ETHERTYPE -> sim.useEtherType();
            case VLAN -> sim.useVlanBits(bits);
            case DSCP -> sim.useDscp(bits);
            default -> {} // places, and what is quoted: no part of a key
        }
    }

    @Override
    public void useMac(int field, long bits) {
        if (field == SRC_MAC) {
            sim.useSrcMacBits(bits);
        } else {
            sim.useDstMacBits(bits);
        }
    }

    @Override
    public boolean crossed(int place, int[] sortedIndices) {
        Path path = sim.path;
        for (int i = 0; i < path.length(); i++) {
            if (path.kind(i) == place && Arrays.binarySearch(sortedIndices, path.index(i)) >= 0) {
                return true;
            }
        }
        return false;
    }
}
