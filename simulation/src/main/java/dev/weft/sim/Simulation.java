package dev.weft.sim;

import dev.weft.base.HotPath;
import dev.weft.base.IpAddress;
import dev.weft.base.IpPrefix;
import dev.weft.base.Tag;
import dev.weft.sim.flow.FlowKey;
import dev.weft.sim.packet.DhcpReply;
import dev.weft.sim.packet.DnsQuery;
import dev.weft.sim.packet.DnsReply;
import dev.weft.sim.packet.Ethernet;
import dev.weft.sim.packet.Headers;
import dev.weft.sim.packet.IcmpError;
import dev.weft.sim.packet.IcmpErrors;
import dev.weft.sim.packet.Ipv4;
import dev.weft.sim.packet.Packet;
import dev.weft.sim.packet.PacketWriter;
import dev.weft.sim.packet.Translation;
import dev.weft.sim.packet.Vlan;
import dev.weft.sim.trace.Explanation;
import dev.weft.state.ConnectionKey;
import dev.weft.state.ConnectionTable;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * The state of one run: the packet as it is by now, where the walk stands, what came of it. One per worker, reused.
 * Rewrites go into the action list only when an output needs them.
 */
@HotPath
final class Simulation extends PacketView {
    /** Devices one behind the other. */
    static final int MAX_DEPTH = 32;
    /** Devices over all branches of floods. */
    static final int MAX_VISITS = 1024;
    /** Ingress of frames that come from no exterior port. */
    static final int NO_INGRESS = -1;

    private static final long TCP_PHASES_TAG = Tag.tcpPhases();
    private static final long TUNNEL_MTU_TAG = Tag.tunnelMtu();

    // Immutable after construction.
    final Tables tables;
    final StatefulGate gate;
    final ChainWalk chains = new ChainWalk(this);
    final Tracking tracking;
    final NatWalk nat;
    // Set between two runs.
    private int tunnelMtu;
    // Of the run.
    VirtualNetwork network = VirtualNetwork.EMPTY;
    long nowNanos;
    final DhcpReply dhcp = new DhcpReply();
    final DnsQuery dnsQuery = new DnsQuery();
    final DnsReply dnsReply = new DnsReply();
    private int ingress;
    /** The port that a frame made here leaves by, or {@link Port#NONE}. */
    private int emitting;

    private boolean oversized;
    /** Longest IP packet that the routers' ports crossed so far let through; 0: any. */
    private int limit;

    private @Nullable Explanation explanation;
    // What the action list has made of the packet.
    private boolean doneMacs;
    private long doneSrcMac;
    private long doneDstMac;
    private int doneHops;
    private int doneTci;
    private final Headers doneHeaders = new Headers();
    // The walk.
    private final Headers[] branched = new Headers[MAX_DEPTH + 1];
    private final Headers[] branchedAtRouter = new Headers[MAX_DEPTH + 1];
    private int depth;
    private int visits;
    private boolean looped;
    private boolean consumed;
    private @Nullable DropReason reason;
    /** The last router port that took the packet in, and from which MAC; null before the first router. */
    @Nullable
    Port routerIn;

    long routerInSrcMac;
    final Path path = new Path();
    /** The port that the packet came into this device by, or {@link Port#NONE}. */
    private int deviceIn;

    /** The packet as the last router took it in: what its answers are about. */
    private final Headers atRouter = new Headers();

    private final Headers answer = new Headers();

    Simulation(Tables tables) {
        this.tables = tables;
        for (int i = 0; i < branched.length; i++) {
            branched[i] = new Headers();
            branchedAtRouter[i] = new Headers();
        }
        gate = new StatefulGate(tables.connections());
        tracking = new Tracking(tables.connections());
        nat = new NatWalk(this, tables.connections(), tables.blocks());
    }

    void explainTo(@Nullable Explanation sink) {
        explanation = sink;
    }

    void begin(Packet packet, int ingress, boolean oversized, long nowNanos, Outcome out) {
        view(packet, out);
        this.nowNanos = nowNanos;
        this.ingress = ingress;
        emitting = Port.NONE;
        this.oversized = oversized;
        limit = 0;
        out.clear();
        doneMacs = false;
        doneHops = 0;
        doneTci = vlanTci;
        doneHeaders.copyFrom(headers);
        atRouter.copyFrom(headers);
        depth = 0;
        visits = 0;
        looped = false;
        consumed = false;
        reason = null;
        routerIn = null;
        path.cut(0);
        deviceIn = Port.NONE;
        tracking.begin(null);
    }

    /** Makes the branches' results one: a loop spoils all, then a missing neighbour, then whatever got through. */
    void end() {
        if (looped) {
            out.drop(DropReason.LOOP);
        } else if (out.isParked()) {
            out.park();
        } else if (out.actions.overflowed()) {
            out.drop(DropReason.TOO_MANY_OUTPUTS);
        } else if (!out.actions.isDrop()) {
            out.forward();
        } else if (consumed) {
            out.consume();
        } else {
            out.drop(Objects.requireNonNullElse(reason, DropReason.NO_RECEIVER));
        }
        if (out.kind() != Outcome.Kind.DROP && tracking.isKnown()) {
            out.forgetRules();
        }
        boolean left = out.kind() == Outcome.Kind.FORWARD || out.emitCount() > 0;
        if (left && out.kind() != Outcome.Kind.PARK && tracking.complete(this)) {
            connect();
        }
        boolean ofConnection = out.hasConnection() || out.answeredSlot() != ConnectionTable.NONE;
        boolean isControl = packet.key.protocol() == Ipv4.TCP && (packet.key.tcpFlags() & flagsThatMatter()) != 0;
        if (ofConnection && isControl && out.kind() == Outcome.Kind.FORWARD) {
            out.forOnePacket();
        }
    }

    private void connect() {
        if (tracking.isOnlyExpecting()) {
            ConnectionKey answers = out.connection().answer;
            out.addTag(tables.connections().tag(answers));
            if (tables.connections().begunBy(answers, nowNanos) != ConnectionTable.NONE) {
                return; // what would answer is itself the question of a connection that is translated
            }
        }
        if (tables.connections().wouldClash(out.connection(), nowNanos)) {
            out.drop(DropReason.TUPLE_TAKEN);
            out.notCacheable(); // it is free again when the other connection ends
            return;
        }
        if (tracking.isFirstJudged()) {
            out.forOnePacket();
        }
        out.connect(packet.key.protocol() == Ipv4.TCP ? packet.key.tcpFlags() : 0);
        out.interestRemoteHosts();
    }

    /**
     * Of a packet whose connection matters, which its flags change. Where a rule asks how far connections are, every flag
     * counts; elsewhere the end of one is seen when use of its flows is read, and only what begins one must come up.
     */
    void useTcpFlags() {
        out.addTag(TCP_PHASES_TAG);
        out.mask.addTcpFlags(flagsThatMatter());
    }

    private int flagsThatMatter() {
        return network.asksForTcpPhases() ? FlowKey.ALL_TCP_FLAGS : FlowKey.TCP_OPENS;
    }

    // Rewrites.

    void routed(Port in, long newSrcMac, long newDstMac) {
        routerIn = in;
        routerInSrcMac = srcMac;
        srcMac = newSrcMac;
        dstMac = newDstMac;
        macsRewritten = true;
        keepsPriority = false;
        hops++;
    }

    // The way between devices.

    /** Through an exterior port, or any port of a frame made here. */
    void leave(Port port) {
        out.addTag(port.tag);
        int before = path.length();
        path.add(ConditionCompiler.CROSSED_PORT, port.index);
        expectAnswers(port);
        if (chains.passes(port.outboundChain, deviceIn, port.index) && port.guard.admits(this, port, deviceIn)) {
            send(port);
        }
        path.cut(before);
    }

    /**
     * What asks for connections, here or where the answer will pass, knows those that are recorded: so this packet's must
     * be, though none of the rules that it meets itself may ask.
     */
    void expectAnswers(int chain) {
        CompiledChain asked = network.chains.chain(chain);
        if (asked != null) {
            out.addTag(asked.askingTag);
            if (network.chains.isAsking(chain)) {
                tracking.expectAnswer(this);
            }
        }
    }

    private void expectAnswers(Port port) {
        expectAnswers(port.inboundChain);
        expectAnswers(port.outboundChain);
    }

    /** A frame made here for this port: no gate keeps an answer from who asked. */
    void emit(Port port) {
        emitting = port.index;
        tracking.begin(port);
        send(port);
    }

    void setTunnelMtu(int octets) {
        tunnelMtu = octets;
    }

    int tunnelMtu() {
        return tunnelMtu;
    }

    /** The longest packet for VMs: as configured, 0 for unsaid, if all tunnels take that. 0: unknown. */
    int mtuFor(int configured) {
        return least(configured, least(network.endpoints.mtu, Math.max(0, tunnelMtu - Ethernet.LENGTH)));
    }

    private static int least(int one, int other) {
        return one == 0 ? other : other == 0 ? one : Math.min(one, other);
    }

    /** From now on the packet is no longer than this, 0 for any. False when this one is known to be. */
    boolean narrow(int mtu) {
        if (isTooLong(mtu)) {
            return false;
        }
        limit = least(limit, mtu);
        return true;
    }

    /** A flow found the packet too long for something, and this may be it. */
    private boolean isTooLong(int mtu) {
        int tag = (packet.key.vlanTci() & FlowKey.VLAN_PRESENT) == 0 ? 0 : Vlan.LENGTH;
        return oversized && mtu != 0 && packet.length - Ethernet.LENGTH - tag > mtu;
    }

    /** What leaves the port comes from the port itself or has passed its chain. */
    void send(Port port) {
        out.addTag(port.tag);
        if (port.disabled) {
            drop(port, DropReason.DISABLED);
            return;
        }
        if (port.peer != Port.NONE) {
            Port peer = network.port(port.peer);
            if (peer != null) {
                enter(peer);
                return;
            }
        } else if (port.bound) {
            exit(port);
            return;
        }
        drop(port, DropReason.UNPLUGGED);
    }

    /** Whether what the VM behind the port sent may come in. */
    boolean mayEnter(Port port) {
        if (port.station == null || !port.station.secured) {
            return true;
        }
        out.addTag(port.tag);
        DropReason refusal = PortSecurity.refusal(this, port.station);
        if (refusal != null) {
            drop(port, refusal);
        }
        return refusal == null;
    }

    void enter(Port port) {
        out.addTag(port.tag);
        Device device = network.device(port);
        if (device == null) {
            drop(port, DropReason.UNPLUGGED);
            return;
        }
        if (port.disabled) {
            drop(port, DropReason.DISABLED);
            return;
        }
        if (depth == MAX_DEPTH || visits == MAX_VISITS) {
            looped = true;
            explain(device, "too many devices crossed: a loop");
            return;
        }
        depth++;
        visits++;
        int from = deviceIn;
        int before = path.length();
        deviceIn = port.index;
        path.add(ConditionCompiler.CROSSED_PORT, port.index);
        path.add(port.onBridge ? ConditionCompiler.CROSSED_BRIDGE : ConditionCompiler.CROSSED_ROUTER, port.device);
        if (explanation != null) {
            explain(device, "in by port " + port.name);
        }
        out.addTag(device.tag);
        if (!port.onBridge) {
            atRouter.copyFrom(headers); // as it is now is how its sender will know it in an answer
        }
        expectAnswers(port);
        device.expectAnswers(this);
        if (port.guard.lets(this, port) && chains.passes(port.inboundChain, port.index, Port.NONE)) {
            device.receive(this, port);
        }
        path.cut(before);
        deviceIn = from;
        depth--;
    }

    /** A rule sends the packet elsewhere: out of the port, or in as if it came by it. */
    void redirect(int port, boolean in) {
        Port target = network.port(port);
        if (target == null) {
            noteDrop(DropReason.UNPLUGGED);
        } else if (in) {
            enter(target);
        } else if (++visits > MAX_VISITS || depth == MAX_DEPTH) {
            looped = true;
        } else {
            depth++;
            leave(target);
            depth--;
        }
    }

    /** The exterior port that the packet came in by at this host; null for frames made here or sent by another host. */
    @Nullable
    Port ingressPort() {
        return ingress == NO_INGRESS ? null : network.port(ingress);
    }

    /** One of several ways: the packet is afterwards as it was before. */
    void branch(Port port) {
        long src = srcMac;
        long dst = dstMac;
        boolean rewritten = macsRewritten;
        int tci = vlanTci;
        boolean retagged = tagRewritten;
        boolean priority = keepsPriority;
        int narrowest = limit;
        int before = hops;
        Port in = routerIn;
        long inSrcMac = routerInSrcMac;
        Headers saved = branched[depth];
        Headers savedAtRouter = branchedAtRouter[depth];
        saved.copyFrom(headers);
        savedAtRouter.copyFrom(atRouter);
        leave(port);
        headers.copyFrom(saved);
        atRouter.copyFrom(savedAtRouter);
        srcMac = src;
        dstMac = dst;
        macsRewritten = rewritten;
        vlanTci = tci;
        tagRewritten = retagged;
        keepsPriority = priority;
        limit = narrowest;
        hops = before;
        routerIn = in;
        routerInSrcMac = inSrcMac;
    }

    /** Out to a VM, here or at another host. */
    private void exit(Port port) {
        if (port.index == ingress) {
            drop(port, DropReason.SAME_PORT);
            return;
        }
        out.addTag(port.locationTag);
        int datapathPort = tables.localPort(port.index);
        int key = tables.remoteKey(port.index);
        if (datapathPort == Tables.NONE && key == Tables.NONE) {
            drop(port, DropReason.NOT_LOCATED);
        } else if (port.stateful && port.index != emitting && !gate.admits(this, port)) {
            drop(port, DropReason.STATEFUL);
        } else if (port.servalGuarded && port.index != emitting && SalGuardWalk.takes(this, port)) {
            leaveAt(network.device(port));
        } else if (datapathPort != Tables.NONE) {
            leaveAt(network.device(port));
            output(port, datapathPort);
        } else {
            leaveAt(network.device(port));
            tunnel(tables.remoteHigh(port.index), tables.remoteLow(port.index), key, port.mtu);
        }
    }

    /** To one of a bridge's own ports in a flood: those that are elsewhere get theirs there. */
    void exitFlood(Port port, int datapathPort) {
        int before = path.length();
        path.add(ConditionCompiler.CROSSED_PORT, port.index);
        expectAnswers(port);
        boolean passes =
                chains.passes(port.outboundChain, deviceIn, port.index) && port.guard.admits(this, port, deviceIn);
        path.cut(before);
        if (!passes) {
            return;
        }
        if (port.disabled) {
            drop(port, DropReason.DISABLED);
            return;
        }
        if (port.stateful && !gate.admits(this, port)) {
            drop(port, DropReason.STATEFUL);
        } else if (port.servalGuarded && SalGuardWalk.takes(this, port)) {
            leaveAt(network.device(port));
        } else {
            leaveAt(network.device(port));
            output(port, datapathPort);
        }
    }

    /** Answers come in by this device. */
    void leaveAt(@Nullable Device device) {
        if (device != null) {
            tracking.leaveAt(device.tag);
        }
    }

    private void output(Port port, int datapathPort) {
        int mtu = least(limit, port.mtu);
        if (isTooLong(mtu)) {
            tooLong(mtu);
        } else if (applyRewrites(port)) {
            out.actions.output(datapathPort, mtu);
            if (explanation != null) {
                explain("port", port.name, "out");
            }
        }
    }

    /** @param portMtu of the port at the other end; 0: any, or it is seen to there */
    void tunnel(long remoteHigh, long remoteLow, int key, int portMtu) {
        out.addTag(TUNNEL_MTU_TAG);
        // An action's MTU is that of the packet behind the Ethernet header and the tag.
        int fits = Math.max(0, tunnelMtu - Ethernet.LENGTH - (isTagged() ? Vlan.LENGTH : 0));
        int mtu = least(fits, least(limit, portMtu));
        if (isTooLong(mtu)) {
            tooLong(mtu);
        } else if (applyRewrites(null)) {
            out.actions.tunnel(remoteHigh, remoteLow, key, mtu);
            if (explanation != null) {
                explanation.add(
                        depth, "tunnel", IpAddress.toString(remoteHigh, remoteLow), "out with tunnel key " + key);
            }
        }
    }

    /** Its sender hears of it from the last router, or where there was none as from whom it was meant for. */
    private void tooLong(int mtu) {
        Port in = ingressPort();
        if (canNotBeFragmented() && routerIn != null) {
            icmpError(routerIn, routerInSrcMac, IcmpError.TOO_BIG, mtu);
        } else if (canNotBeFragmented() && in != null && out.emitCount() == 0) {
            icmpErrorInNameOfTarget(in, IcmpError.TOO_BIG, mtu);
        }
        noteTooLong(mtu);
    }

    /** A router finds it too long for the link of a port. */
    void tooLong(Port routerPort, int mtu) {
        if (canNotBeFragmented()) {
            icmpError(routerPort, srcMac, IcmpError.TOO_BIG, mtu);
        }
        noteTooLong(mtu);
    }

    private void noteTooLong(int mtu) {
        out.notCacheable();
        noteDrop(DropReason.TOO_LONG);
        if (explanation != null) {
            explanation.add(depth, "mtu", "", "dropped: " + packet.length + " octets, and packets of " + mtu + " fit");
        }
    }

    private boolean canNotBeFragmented() {
        return packet.key.etherType() != Ethernet.IPV4
                || Ipv4.dontFragment(packet.segment, packet.offset + packet.l3Offset);
    }

    /** Brings what the actions have made of the packet to what it is here. */
    private boolean applyRewrites(@Nullable Port port) {
        if (doneHops > hops) {
            noteDrop(DropReason.CANNOT_UNDO);
            if (explanation != null && port != null) {
                explain("port", port.name, "dropped: " + DropReason.CANNOT_UNDO.text());
            }
            return false;
        }
        for (; doneHops < hops; doneHops++) {
            out.actions.decTtl();
        }
        if (macsRewritten) {
            rewriteMacs();
        }
        useTagComparison();
        if (doneTci != vlanTci) {
            rewriteTag();
        }
        if ((headers.rewritten | doneHeaders.rewritten) != 0) {
            rewriteHeaders();
        }
        if (quoted.rewritten != 0) {
            out.quote().copyFrom(quoted); // errors are sent to one host, so there is one outcome of it
        }
        return true;
    }

    /** Also back to what they were: a flow has one value for each field that any of its branches rewrites. */
    private void rewriteHeaders() {
        if (doneHeaders.srcHigh != headers.srcHigh || doneHeaders.srcLow != headers.srcLow) {
            out.actions.setSrc(headers.srcHigh, headers.srcLow);
        }
        if (doneHeaders.dstHigh != headers.dstHigh || doneHeaders.dstLow != headers.dstLow) {
            out.actions.setDst(headers.dstHigh, headers.dstLow);
        }
        if (doneHeaders.l4Src != headers.l4Src) {
            out.actions.setL4Src(headers.l4Src);
        }
        if (doneHeaders.l4Dst != headers.l4Dst) {
            out.actions.setL4Dst(headers.l4Dst);
        }
        if (doneHeaders.icmpId != headers.icmpId) {
            out.actions.setIcmpId(headers.icmpId);
        }
        int ever = doneHeaders.rewritten | headers.rewritten;
        doneHeaders.copyFrom(headers);
        doneHeaders.rewritten = ever;
    }

    private void rewriteTag() {
        if (vlanTci == 0) {
            out.actions.popVlan();
        } else {
            usePriority(); // a branch before may have taken off the very tag that it came with
            out.actions.pushVlan(vlanTci & ~FlowKey.VLAN_PRESENT); // that bit is "drop eligible" on the wire
        }
        doneTci = vlanTci;
    }

    /** Also to what a packet may happen to have already: others under its mask have not. */
    private void rewriteMacs() {
        if (!doneMacs || doneSrcMac != srcMac) {
            out.actions.setSrcMac(srcMac);
            doneSrcMac = srcMac;
        }
        if (!doneMacs || doneDstMac != dstMac) {
            out.actions.setDstMac(dstMac);
            doneDstMac = dstMac;
        }
        doneMacs = true;
    }

    // Results.

    void drop(Device device, DropReason why) {
        noteDrop(why);
        if (explanation != null) {
            explain(device, "dropped: " + why.text());
        }
    }

    void drop(Port port, DropReason why) {
        noteDrop(why);
        if (explanation != null) {
            explain("port", port.name, "dropped: " + why.text());
        }
    }

    void noteDrop(DropReason why) {
        if (reason == null) {
            reason = why;
        }
    }

    void consume(Device device, String what) {
        consumed = true;
        leaveAt(device);
        out.notCacheable();
        explain(device, what);
    }

    /** A flow about one destination rests on what holds for that one, not on what holds for its neighbours too. */
    void tagRead(Router router, long high, long low, int decidedBits, int matchedBits) {
        readOf(router, high, low, out.mask.hasWholeDst() ? 2 * Long.SIZE : decidedBits, matchedBits);
    }

    /** A routed read about the packet's source: the flow may be about others, too. */
    void tagSourceRead(Router router, int decidedBits, int matchedBits) {
        readOf(router, srcHigh(), srcLow(), decidedBits, matchedBits);
    }

    private void readOf(Router router, long high, long low, int provenBits, int matchedBits) {
        long maskedHigh = high & IpPrefix.highMask(provenBits);
        long maskedLow = low & IpPrefix.lowMask(provenBits);
        long tag = Tag.routed(router.id, maskedHigh, maskedLow, provenBits, matchedBits);
        out.addRead(router.index, maskedHigh, maskedLow, provenBits, matchedBits, tag);
    }

    /** An ICMP error to the packet's source, out of the router port it came in by, if it deserves one. */
    void icmpError(Port in, IcmpError error) {
        icmpError(in, srcMac, error, 0);
    }

    void icmpError(Port in, long toMac, IcmpError error, int mtu) {
        out.notCacheable();
        int from = in.addressFor(atRouter.srcHigh, atRouter.srcLow);
        if (from == Port.NONE || !out.hasEmitRoom() || !IcmpErrors.mayAnswer(packet, error)) {
            return;
        }
        leaveAt(network.device(in));
        long at = out.nextEmit();
        int length = PacketWriter.icmpError(
                out.emitBuffer(), at, packet, error, mtu, in.mac, toMac, in.addressHigh(from), in.addressLow(from));
        if (length != PacketWriter.NO_ROOM && atRouter.rewritten != 0) {
            answer.answering(atRouter);
            answer.rewritten &= Headers.DST; // the source is the router's own
            Translation.applyToError(out.emitBuffer(), at, length, answer, atRouter);
        }
        emitted(in, length, "ICMP error: ", error.name());
    }

    /** As from whom the packet was meant for, out of the port it came in by. */
    void icmpErrorInNameOfTarget(Port ingress, IcmpError error, int mtu) {
        if (!out.hasEmitRoom() || !IcmpErrors.mayAnswer(packet, error)) {
            return;
        }
        int length = PacketWriter.icmpError(
                out.emitBuffer(),
                out.nextEmit(),
                packet,
                error,
                mtu,
                dstMac,
                srcMac,
                packet.key.dstHigh(),
                packet.key.dstLow());
        emitted(ingress, tagged(length), "ICMP error: ", error.name());
    }

    /** An answer where the packet came in is tagged as the packet is. */
    int tagged(int length) {
        boolean tag = (packet.key.vlanTci() & FlowKey.VLAN_PRESENT) != 0 && length != PacketWriter.NO_ROOM;
        int tci = packet.key.vlanTci() & ~FlowKey.VLAN_PRESENT;
        return tag ? PacketWriter.tag(out.emitBuffer(), out.nextEmit(), length, tci) : length;
    }

    /** An answer to the packet, made of what it came with, becomes one to what the router took in. */
    void translateAnswer(int length) {
        if (atRouter.rewritten != 0 && length != PacketWriter.NO_ROOM) {
            answer.answering(atRouter);
            long l3 = out.nextEmit() + Ethernet.LENGTH;
            boolean v4 = packet.key.etherType() == Ethernet.IPV4;
            Translation.apply(out.emitBuffer(), l3, out.nextEmit() + length, v4, answer);
        }
    }

    /** As {@link #emitted}, of an untagged frame in this VLAN. */
    void emitted(Port port, int length, int vlan, String what, String detail) {
        boolean tagged = length != PacketWriter.NO_ROOM && port.vlans.form(vlan) == PortVlans.TAGGED;
        int whole = tagged ? PacketWriter.tag(out.emitBuffer(), out.nextEmit(), length, vlan) : length;
        emitted(port, whole, what, detail);
    }

    /** An untagged frame of this length was written at {@link Outcome#nextEmit()}: the packet, which now comes in as that. */
    void goesOn(Device device, Port in, int length, int target) {
        int tci = vlanTci & ~FlowKey.VLAN_PRESENT;
        int whole = vlanTci == 0 ? length : PacketWriter.tag(out.emitBuffer(), out.nextEmit(), length, tci);
        out.emittedInto(in.index, whole, ingress);
        if (explanation != null) {
            explain(device, "goes on to " + IpAddress.toString(0, IpAddress.V4_MARK | target & 0xffff_ffffL));
        }
        consumed = true;
    }

    /** Longest IP packet that may leave by the port, 0 for any. */
    int mtuAt(Port port) {
        return least(limit, port.mtu);
    }

    /** The packet was written at {@link Outcome#nextEmit()} as it leaves the port, for the port's guard to judge. */
    void toSalGuard(Port port, int length) {
        out.emittedToGuard(port.index, length);
        if (explanation != null) {
            explain("port", port.name, "its Serval guard judges the packet");
        }
        consumed = true;
    }

    /** A frame of this length was written at {@link Outcome#nextEmit()}; it leaves the port. */
    void emitted(Port port, int length, String what, String detail) {
        if (length != PacketWriter.NO_ROOM && length <= Outcome.MAX_EMIT_LENGTH) {
            out.emitted(port.index, length);
            if (explanation != null) {
                explain("port", port.name, "sends " + what + detail);
            }
        }
    }

    // Explanation.

    boolean isExplaining() {
        return explanation != null;
    }

    void explain(Device device, String text) {
        explain(device.kind(), device.name, text);
    }

    void explain(String kind, String name, String text) {
        if (explanation != null) {
            explanation.add(Math.max(0, depth - 1), kind, name, text);
        }
    }
}
