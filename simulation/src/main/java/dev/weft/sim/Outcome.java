package dev.weft.sim;

import dev.weft.base.HotPath;
import dev.weft.base.IpAddress;
import dev.weft.base.ServiceId;
import dev.weft.sim.flow.ActionList;
import dev.weft.sim.flow.FlowMask;
import dev.weft.sim.packet.Checksum;
import dev.weft.sim.packet.Ethernet;
import dev.weft.sim.packet.Headers;
import dev.weft.sim.packet.Icmp;
import dev.weft.sim.packet.Ipv4;
import dev.weft.sim.packet.Ipv6;
import dev.weft.sim.packet.Packet;
import dev.weft.sim.packet.Translation;
import dev.weft.sim.sal.SalKey;
import dev.weft.sim.service.ServiceSlot;
import dev.weft.state.Connection;
import dev.weft.state.ConnectionTable;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * What becomes of one packet. A worker owns one and reuses it; everything is flat and bounded. Not thread safe.
 *
 * <p>How to treat it, in this order: apply the effects (learned MACs and neighbours, the {@linkplain #connection()
 * connection}), then by kind: {@code FORWARD}: install {@link #mask} and {@link #actions} under the {@linkplain #tag
 * tags} if {@link #cacheable()}, execute the actions; {@code DROP}: install if cacheable, count the reason; {@code
 * PARK}: keep the packet and ask for the neighbour; {@code CONSUMED}: nothing more. Last, whatever the kind, send the
 * emits, each by {@link Simulator#simulateEmit} or, where it {@linkplain #emitEnters enters}, {@link
 * Simulator#simulateEntering}; one that {@linkplain #emitIsGuarded is guarded} goes to the port's guard as it is.
 */
@HotPath
public final class Outcome {
    public static final int MAX_TAGS = 192;
    public static final int MAX_READS = 32;
    public static final int MAX_LEARNED = 32;
    public static final int MAX_EMITS = 8;
    public static final int MAX_EMIT_LENGTH = 1600;
    /** Rules that one packet's decision may be noted for; further ones are left out. */
    public static final int MAX_RULES = 8;

    public static final int MAX_INTERESTED = ActionList.MAX_WORDS / 3;

    /** In the place of a router, for what waits for public ports: {@link #parkedHigh()} is the pool. */
    public static final int POOL = Integer.MAX_VALUE;

    /** In the place of a router, for what waits for a rule: {@link #parkedPort()} is the service table. */
    public static final int SERVICE = Integer.MAX_VALUE - 1;

    private static final int DEDUPLICATED_TAGS = 48;

    /** What to do with the packet. */
    public enum Kind {
        /** The actions say where to. */
        FORWARD,
        /** Nowhere: {@link #dropReason()}. */
        DROP,
        /** Nothing yet: a neighbour must be asked for, then simulate again. */
        PARK,
        /** A device took it; the effects are all that is left of it. */
        CONSUMED
    }

    /** Which bits of the key prove this outcome. */
    public final FlowMask mask = new FlowMask();

    public final ActionList actions = new ActionList();

    private Kind kind = Kind.DROP;
    private @Nullable DropReason dropReason;
    private boolean cacheable;
    private boolean forOnePacket;

    private final long[] tags = new long[MAX_TAGS];
    private int tagCount;

    private final int[] readRouter = new int[MAX_READS];
    private final long[] readHigh = new long[MAX_READS];
    private final long[] readLow = new long[MAX_READS];
    private final int[] readBits = new int[MAX_READS]; // proven (15..8) | matched (7..0)
    private final long[] readTag = new long[MAX_READS];
    private int readCount;

    private final int[] macBridge = new int[MAX_LEARNED];
    private final int[] macVlan = new int[MAX_LEARNED];
    private final long[] mac = new long[MAX_LEARNED];
    private final int[] macPort = new int[MAX_LEARNED];
    private int macCount;

    private final int[] neighbourRouter = new int[MAX_LEARNED];
    private final int[] neighbourPort = new int[MAX_LEARNED];
    private final long[] neighbourHigh = new long[MAX_LEARNED];
    private final long[] neighbourLow = new long[MAX_LEARNED];
    private final long[] neighbourMac = new long[MAX_LEARNED];
    private int neighbourCount;

    private final MemorySegment emitBuffer = Arena.ofAuto().allocate((long) MAX_EMITS * MAX_EMIT_LENGTH, 8);
    private final int[] emitPort = new int[MAX_EMITS];
    private final int[] emitLength = new int[MAX_EMITS];
    /** The port that it comes in by, and not leaves. */
    private final boolean[] emitEnters = new boolean[MAX_EMITS];

    /** It is as it leaves the port, if the port's guard lets it. */
    private final boolean[] emitGuarded = new boolean[MAX_EMITS];

    private final int[] emitCause = new int[MAX_EMITS];
    private int emitCount;

    private int parkedRouter;
    private int parkedPort;
    private long parkedHigh;
    private long parkedLow;

    private final Connection connection = new Connection();
    private boolean hasConnection;
    private int connectionTcpFlags;
    private final Headers quote = new Headers();
    private boolean tracksAtWhole;
    private long wantedPool;

    private int serviceTable;
    private final long[] serviceWords = new long[4];
    private final ServiceSlot[] services = new ServiceSlot[MAX_EMITS];
    private final int[] serviceTables = new int[MAX_EMITS];
    private int serviceCount;
    private long serviceConnection;

    private final long[] instanceWords = new long[4];
    private int instanceBits; // 0: the packet registers nothing
    private int instanceAddress;
    private boolean instanceGoes;
    private boolean saidToGuard;
    private final int[] ruleChain = new int[MAX_RULES];
    private final int[] rulePosition = new int[MAX_RULES];
    private int ruleCount;

    private int answeredSlot;
    private int answeredTcpFlags;
    private final long[] interestedHigh = new long[MAX_INTERESTED];
    private final long[] interestedLow = new long[MAX_INTERESTED];
    private int interestedCount;

    void clear() {
        mask.clear();
        actions.clear();
        kind = Kind.DROP;
        dropReason = null;
        cacheable = true;
        forOnePacket = false;
        tagCount = 0;
        readCount = 0;
        macCount = 0;
        neighbourCount = 0;
        emitCount = 0;
        saidToGuard = false;
        instanceBits = 0;
        parkedRouter = -1;
        hasConnection = false;
        connection.clear();
        answeredSlot = ConnectionTable.NONE;
        quote.rewritten = 0;
        wantedPool = 0;
        serviceTable = Tables.NONE;
        serviceCount = 0;
        serviceConnection = 0;
        tracksAtWhole = false;
        interestedCount = 0;
        ruleCount = 0;
    }

    /** Rules that ask to be noted, in the order in which the packet met them; see {@link VirtualNetwork#rule}. */
    public int ruleCount() {
        return ruleCount;
    }

    /** Dense index of the chain that the rule was compiled into. */
    public int ruleChain(int index) {
        return ruleChain[index];
    }

    /** Of the rule in the compiled chain; negative for the chain's end. */
    public int rulePosition(int index) {
        return rulePosition[index];
    }

    void noteRule(int chain, int position) {
        if (ruleCount < MAX_RULES) {
            ruleChain[ruleCount] = chain;
            rulePosition[ruleCount++] = position;
        }
    }

    /** The packet begins nothing: what was decided about it was noted before. */
    void forgetRules() {
        ruleCount = 0;
    }

    public Kind kind() {
        return kind;
    }

    /** Null unless the kind is {@code DROP}. */
    public @Nullable DropReason dropReason() {
        return dropReason;
    }

    /** Whether mask, actions and tags may become a flow. Only {@code FORWARD} and {@code DROP} ever may. */
    public boolean cacheable() {
        return cacheable;
    }

    /**
     * Whether the connection's next packets are another matter: this one is its first and a rule told it apart, or has SYN,
     * FIN or RST and is hardly ever sent again.
     */
    public boolean isForOnePacket() {
        return forOnePacket;
    }

    public int tagCount() {
        return tagCount;
    }

    /** One of the things the outcome rested on; a {@code dev.weft.base.Tag}. Includes the routed reads' tags. */
    public long tag(int index) {
        return tags[index];
    }

    /** Longest-prefix decisions; see {@link RouteChange#concerns}. */
    public int readCount() {
        return readCount;
    }

    /** Dense index of the router. */
    public int readRouter(int index) {
        return readRouter[index];
    }

    /** The addresses that the decision holds for: high word, host bits cleared. */
    public long readHigh(int index) {
        return readHigh[index];
    }

    public long readLow(int index) {
        return readLow[index];
    }

    /** Length of the prefix the decision holds for, in the 128-bit form. */
    public int readProvenBits(int index) {
        return readBits[index] >>> 8;
    }

    /** Length of the prefix whose route was used; changes to shorter ones do not concern the decision. */
    public int readMatchedBits(int index) {
        return readBits[index] & 0xff;
    }

    public long readTag(int index) {
        return readTag[index];
    }

    /** MACs seen on another port than the tables say. */
    public int learnedMacCount() {
        return macCount;
    }

    public int learnedMacBridge(int index) {
        return macBridge[index];
    }

    /** VLAN id, 0 for untagged. */
    public int learnedMacVlan(int index) {
        return macVlan[index];
    }

    public long learnedMac(int index) {
        return mac[index];
    }

    public int learnedMacPort(int index) {
        return macPort[index];
    }

    /** Neighbours that said their MAC; also those that were known, as a confirmation. */
    public int learnedNeighbourCount() {
        return neighbourCount;
    }

    public int learnedNeighbourRouter(int index) {
        return neighbourRouter[index];
    }

    public int learnedNeighbourPort(int index) {
        return neighbourPort[index];
    }

    public long learnedNeighbourHigh(int index) {
        return neighbourHigh[index];
    }

    public long learnedNeighbourLow(int index) {
        return neighbourLow[index];
    }

    public long learnedNeighbourMac(int index) {
        return neighbourMac[index];
    }

    /** Frames that devices send of their own accord. */
    public int emitCount() {
        return emitCount;
    }

    /** The virtual port it leaves. */
    public int emitPort(int index) {
        return emitPort[index];
    }

    /** Where it starts in {@link #emitBuffer()}. */
    public long emitOffset(int index) {
        return (long) index * MAX_EMIT_LENGTH;
    }

    public int emitLength(int index) {
        return emitLength[index];
    }

    /** It does not leave its port but comes in by it: {@link Simulator#simulateEntering}. */
    public boolean emitEnters(int index) {
        return emitEnters[index];
    }

    /** Of a frame that comes in: the exterior port that what it was made of came in by, or {@link Tables#NONE}. */
    public int emitCause(int index) {
        return emitCause[index];
    }

    /** It is the packet, as it leaves the port, to be judged by the port's guard: {@code SalGuard} of its host. */
    public boolean emitIsGuarded(int index) {
        return emitGuarded[index];
    }

    /** How many bits name what the VM that sent the packet says it serves, or serves no longer; 0: it says nothing. */
    public int instanceBits() {
        return instanceBits;
    }

    /** @param index 0..3 of the id that the VM says */
    public long instanceWord(int index) {
        return instanceWords[index];
    }

    /** IPv4 bits. */
    public int instanceAddress() {
        return instanceAddress;
    }

    /** It serves that no longer. */
    public boolean instanceGoes() {
        return instanceGoes;
    }

    void instance(boolean goes, int bits, int address, long word0, long word1, long word2, long word3) {
        instanceGoes = goes;
        instanceBits = bits;
        instanceAddress = address;
        instanceWords[0] = word0;
        instanceWords[1] = word1;
        instanceWords[2] = word2;
        instanceWords[3] = word3;
    }

    /** Before anything else: the guard of the port that the packet came in by has to hear of it. */
    public boolean isSaidToGuard() {
        return saidToGuard;
    }

    /** The emits' memory: overwritten by the next simulation into this outcome. */
    public MemorySegment emitBuffer() {
        return emitBuffer;
    }

    /** Of a {@code PARK}: the router that has to ask. */
    public int parkedRouter() {
        return parkedRouter;
    }

    /** The router port to ask out of. */
    public int parkedPort() {
        return parkedPort;
    }

    public long parkedHigh() {
        return parkedHigh;
    }

    public long parkedLow() {
        return parkedLow;
    }

    /** The packet is of the forward direction of {@link #connection()} and got somewhere: record it. */
    public boolean hasConnection() {
        return hasConnection;
    }

    /** As {@code ConnectionTable.put} wants it. */
    public Connection connection() {
        return connection;
    }

    /** What {@code ConnectionTable.put} wants to know; 0 when it is not TCP. */
    public int connectionTcpFlags() {
        return connectionTcpFlags;
    }

    /**
     * Of an ICMP error: what becomes of the packet it quotes, where {@code rewritten}. The actions do not do that: see
     * {@link #translateQuote}.
     */
    public Headers quote() {
        return quote;
    }

    /** Whether the actions are for a copy of the packet that {@link #translateQuote} was applied to. */
    public boolean rewritesQuote() {
        return quote.rewritten != 0;
    }

    /**
     * Makes the quoted packet what the outcome says, in a copy of the frame.
     *
     * @param packet as it was simulated: it says where things are
     * @param copy of its frame, at {@code at}
     */
    public void translateQuote(Packet packet, MemorySegment copy, long at) {
        long l3 = at + packet.l3Offset;
        long l4 = at + packet.l4Offset;
        long end = at + packet.l3End;
        boolean v4 = packet.key.etherType() == Ethernet.IPV4;
        Translation.apply(copy, l4 + Icmp.LENGTH, end, v4, quote);
        Checksum.fillTransport(copy, l3, l4, end, v4 ? Ipv4.ICMP : Ipv6.ICMPV6);
    }

    /**
     * The packet is a fragment, or one of Serval, and what became of it rests on the connection it belongs to: only the
     * home of the whole tuple knows that.
     */
    public boolean tracksAtWhole() {
        return tracksAtWhole;
    }

    void trackAtWhole() {
        tracksAtWhole = true;
    }

    /** The pool of public ports that another block is needed of, soon or (of a {@code PARK}) now; 0 for none. */
    public long wantedPool() {
        return wantedPool;
    }

    /** Of a {@code PARK}: it waits for a block of {@link #wantedPool()}, not for a neighbour. */
    public boolean isParkedOnPool() {
        return parkedRouter == POOL;
    }

    /** Of a {@code PARK}: it waits for another rule for {@link #serviceWord}, not for a neighbour. */
    public boolean isParkedOnService() {
        return parkedRouter == SERVICE;
    }

    /** Dense index of the table that has the rule. */
    public int serviceTable(int index) {
        return serviceTables[index];
    }

    /** Dense index of the service table that was consulted last, {@link Tables#NONE} when none was. */
    public int serviceTable() {
        return serviceTable;
    }

    /** @param index 0..3: 64 bits of the service that was looked up */
    public long serviceWord(int index) {
        return serviceWords[index];
    }

    /** How many rules were applied; none when the table has none for the service. */
    public int serviceCount() {
        return serviceCount;
    }

    /** A rule that was applied, of this worker's table. */
    public ServiceSlot service(int index) {
        return services[index];
    }

    /** What tells the connection from others whose packets were given to one target; 0 when there is no such. */
    public long serviceConnection() {
        return serviceConnection;
    }

    /** Slot of the connection that the packet answers, {@link ConnectionTable#NONE} when it answers none. */
    public int answeredSlot() {
        return answeredSlot;
    }

    /** Of the answer; 0 when it is not TCP. */
    public int answeredTcpFlags() {
        return answeredTcpFlags;
    }

    /** Underlay addresses of the hosts that may see the return packets; this host's workers are not among them. */
    public int interestedCount() {
        return interestedCount;
    }

    public long interestedHigh(int index) {
        return interestedHigh[index];
    }

    public long interestedLow(int index) {
        return interestedLow[index];
    }

    void forward() {
        kind = Kind.FORWARD;
    }

    void drop(DropReason reason) {
        kind = Kind.DROP;
        dropReason = reason;
        actions.clear();
    }

    void consume() {
        kind = Kind.CONSUMED;
        cacheable = false;
    }

    void park() {
        kind = Kind.PARK;
        cacheable = false;
        actions.clear();
    }

    void parkOn(int router, int port, long high, long low) {
        if (parkedRouter < 0) {
            parkedRouter = router;
            parkedPort = port;
            parkedHigh = high;
            parkedLow = low;
        }
    }

    boolean isParked() {
        return parkedRouter >= 0;
    }

    void forOnePacket() {
        forOnePacket = true;
        cacheable = false;
    }

    void notCacheable() {
        cacheable = false;
    }

    void addTag(long tag) {
        for (int i = Math.min(tagCount, DEDUPLICATED_TAGS) - 1; i >= 0; i--) {
            if (tags[i] == tag) {
                return;
            }
        }
        if (tagCount == MAX_TAGS) {
            cacheable = false;
            return;
        }
        tags[tagCount++] = tag;
    }

    boolean hasTag(long tag) {
        for (int i = 0; i < tagCount; i++) {
            if (tags[i] == tag) {
                return true;
            }
        }
        return false;
    }

    void addRead(int router, long high, long low, int provenBits, int matchedBits, long tag) {
        addTag(tag);
        if (readCount == MAX_READS) {
            cacheable = false;
            return;
        }
        readRouter[readCount] = router;
        readHigh[readCount] = high;
        readLow[readCount] = low;
        readBits[readCount] = provenBits << 8 | matchedBits;
        readTag[readCount++] = tag;
    }

    void learnMac(int bridge, int vlan, long address, int port) {
        if (macCount < MAX_LEARNED) {
            macBridge[macCount] = bridge;
            macVlan[macCount] = vlan;
            mac[macCount] = address;
            macPort[macCount++] = port;
        }
    }

    /** Where this outcome has learned the MAC, or {@link Tables#NONE}. */
    int learnedPort(int bridge, int vlan, long address) {
        for (int i = 0; i < macCount; i++) {
            if (mac[i] == address && macBridge[i] == bridge && macVlan[i] == vlan) {
                return macPort[i];
            }
        }
        return Tables.NONE;
    }

    void learnNeighbour(int router, int port, long high, long low, long address) {
        if (neighbourCount < MAX_LEARNED) {
            neighbourRouter[neighbourCount] = router;
            neighbourPort[neighbourCount] = port;
            neighbourHigh[neighbourCount] = high;
            neighbourLow[neighbourCount] = low;
            neighbourMac[neighbourCount++] = address;
        }
    }

    /** Whether another frame may be written at {@link #nextEmit()}, up to {@link #MAX_EMIT_LENGTH}. */
    boolean hasEmitRoom() {
        return emitCount < MAX_EMITS;
    }

    long nextEmit() {
        return (long) emitCount * MAX_EMIT_LENGTH;
    }

    void emittedInto(int port, int length, int cause) {
        emitEnters[emitCount] = true;
        emitGuarded[emitCount] = false;
        emitCause[emitCount] = cause;
        emitPort[emitCount] = port;
        emitLength[emitCount++] = length;
    }

    void emittedToGuard(int port, int length) {
        emitted(port, length);
        emitGuarded[emitCount - 1] = true;
    }

    /** A guard has to hear of the packet, which the VM of its port sent. */
    void sayToGuard() {
        saidToGuard = true;
    }

    void emitted(int port, int length) {
        emitEnters[emitCount] = false;
        emitGuarded[emitCount] = false;
        emitPort[emitCount] = port;
        emitLength[emitCount++] = length;
    }

    void connect(int tcpFlags) {
        hasConnection = true;
        connectionTcpFlags = tcpFlags;
    }

    void wantBlock(long pool) {
        wantedPool = pool;
    }

    void parkOnPool(long pool) {
        wantedPool = pool;
        parkOn(POOL, POOL, pool, 0);
    }

    /** The table was consulted about this service. */
    void service(int table, long word0, long word1, long word2, long word3) {
        serviceTable = table;
        serviceWords[0] = word0;
        serviceWords[1] = word1;
        serviceWords[2] = word2;
        serviceWords[3] = word3;
    }

    void resolved(ServiceSlot slot) {
        if (serviceCount < services.length) {
            serviceTables[serviceCount] = serviceTable;
            services[serviceCount++] = slot;
        }
    }

    void serviceConnection(long connection) {
        serviceConnection = connection;
    }

    void parkOnService() {
        parkOn(
                SERVICE,
                serviceTable,
                SalKey.digest(serviceWords[0], serviceWords[1], serviceWords[2], serviceWords[3]),
                serviceTable);
    }

    void answer(int slot, int tcpFlags) {
        answeredSlot = slot;
        answeredTcpFlags = tcpFlags;
    }

    /** The remote hosts of the actions, each once. */
    void interestRemoteHosts() {
        for (int i = 0; i < actions.length(); i += ActionList.size(actions.word(i))) {
            if (ActionList.operation(actions.word(i)) == ActionList.TUNNEL) {
                interest(actions.word(i + 1), actions.word(i + 2));
            }
        }
    }

    private void interest(long high, long low) {
        for (int i = 0; i < interestedCount; i++) {
            if (interestedHigh[i] == high && interestedLow[i] == low) {
                return;
            }
        }
        interestedHigh[interestedCount] = high;
        interestedLow[interestedCount++] = low;
    }

    /** A copy that outlives the next simulation. */
    public Verdict toVerdict() {
        var proof = new FlowMask();
        proof.copyFrom(mask);
        var program = new ActionList();
        program.copyFrom(actions);
        List<Verdict.Emitted> emits = new ArrayList<>();
        for (int i = 0; i < emitCount; i++) {
            byte[] frame = emitBuffer.asSlice(emitOffset(i), emitLength[i]).toArray(ValueLayout.JAVA_BYTE);
            emits.add(new Verdict.Emitted(emitPort[i], emitEnters[i], emitGuarded[i], frame));
        }
        var frames = List.copyOf(emits);
        return switch (kind) {
            case FORWARD -> new Verdict.Forward(program, proof, cacheable, frames);
            case DROP -> new Verdict.Drop(Objects.requireNonNull(dropReason), proof, cacheable, frames);
            case PARK ->
                isParkedOnService()
                        ? new Verdict.Delay(
                                new ServiceId(serviceWords[0], serviceWords[1], serviceWords[2], serviceWords[3]),
                                frames)
                        : new Verdict.Park(parkedRouter, parkedPort, new IpAddress(parkedHigh, parkedLow), frames);
            case CONSUMED -> new Verdict.Consumed(frames);
        };
    }
}
