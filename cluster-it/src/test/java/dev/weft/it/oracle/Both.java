package dev.weft.it.oracle;

import static org.assertj.core.api.Assertions.assertThat;

import dev.weft.sim.DropReason;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.random.RandomGenerator;

/** The two networks side by side: the same conversations in both, held against each other packet by packet. */
final class Both {
    /** Net, host and port unreachable, time exceeded. */
    private static final List<Integer> V4_ERRORS = List.of(0x300, 0x301, 0x303, 0xb00);

    private static final List<Integer> V6_ERRORS = List.of(0x100, 0x103, 0x104, 0x300);

    private static final int RATION = 4;

    private final Plan plan;
    private final WeftNetwork weft;
    private final KernelNetwork kernel;
    /** Rationed errors by whom they are for. */
    private final Map<Integer, Integer> errors = new HashMap<>();

    // Of a conversation.
    private final List<String> history = new ArrayList<>();
    /** A TCP connection that was answered has more than its first packet: without, Linux calls that invalid. */
    private boolean replied;

    /** A frame here and there: alike, but for what routers choose. */
    private record Pair(Seen weft, Seen kernel) {}

    Both(Plan plan, WeftNetwork weft, KernelNetwork kernel) {
        this.plan = plan;
        this.weft = weft;
        this.kernel = kernel;
    }

    /** A first packet, answers to it, errors about it, and the packet again. How many of them arrived. */
    int converse(Seen question, RandomGenerator random) {
        history.clear();
        replied = false;
        List<Pair> arrived = send(new Pair(question, question));
        int count = arrived.size();
        for (Pair pair : arrived) {
            for (int steps = isAnswerable(question, pair.weft()) ? random.nextInt(1, 5) : 0; steps > 0; steps--) {
                count += step(question, pair, random);
            }
        }
        return count;
    }

    /** What the router itself answers ends the matter. */
    private static boolean isAnswerable(Seen question, Seen arrived) {
        return !arrived.packet().isError() && !arrived.vm().equals(question.vm());
    }

    private int step(Seen question, Pair pair, RandomGenerator random) {
        List<Integer> errors = question.packet().v6() ? V6_ERRORS : V4_ERRORS;
        int error = errors.get(random.nextInt(errors.size()));
        boolean other = random.nextBoolean();
        return switch (random.nextInt(6)) {
            case 0, 1 ->
                send(new Pair(reply(pair.weft()), reply(pair.kernel()))).size();
            case 2 -> {
                IpPacket sent = question.packet();
                IpPacket again = sent.protocol() == IpPacket.TCP && replied ? sent.with(IpPacket.ACK) : sent;
                var frame = new Seen(question.vm(), question.srcMac(), question.dstMac(), again);
                yield send(new Pair(frame, frame)).size();
            }
            case 3, 4 ->
                send(new Pair(error(pair.weft(), error, other, false), error(pair.kernel(), error, other, false)))
                        .size();
            default ->
                isForgeable(question, pair)
                        ? send(new Pair(
                                        error(pair.weft(), error, other, true),
                                        error(pair.kernel(), error, other, true)))
                                .size()
                        : 0;
        };
    }

    private static Seen reply(Seen arrived) {
        return arrived.back(arrived.packet().reply());
    }

    private static Seen error(Seen arrived, int typeAndCode, boolean fromOther, boolean forged) {
        IpPacket about = forged ? arrived.packet().forged() : arrived.packet();
        int from = fromOther ? Plan.address(arrived.vm()) : about.dst();
        return arrived.back(about.error(from, typeAndCode));
    }

    /** Static rules translate what belongs to no connection; bridges of this kernel know no connections. */
    private boolean isForgeable(Seen question, Pair pair) {
        IpPacket sent = question.packet();
        IpPacket arrived = pair.weft().packet();
        boolean floating = plan.isFloating(sent.src())
                || plan.isFloating(sent.dst())
                || plan.isFloating(arrived.src())
                || plan.isFloating(arrived.dst());
        boolean bridged = sent.ttl() == arrived.ttl();
        return !floating && !(bridged && plan.isStateful(question.vm()));
    }

    private List<Pair> send(Pair sent) {
        List<Seen> here = weft.send(sent.weft());
        List<Seen> there = kernel.send(sent.kernel(), here.size());
        history.add("sent " + sent.weft() + "\n  Weft " + here + "\n  kernel " + there);
        if (here.isEmpty() && !there.isEmpty()) {
            if (weft.drops(sent.weft(), DropReason.SAME_PORT)) {
                there.removeIf(seen -> seen.vm().equals(sent.kernel().vm()));
            } else if (weft.drops(sent.weft(), DropReason.NOT_TRANSLATABLE)) {
                there.clear();
            } else if (sent.weft().packet().ttl() == 1 && weft.drops(sent.weft().withTtl(IpPacket.TTL))) {
                there.removeIf(seen -> seen.packet().isTimeExceeded()); // a flow drops it, whatever its TTL
            }
        }
        for (Seen seen : here) {
            if (isRationed(seen.packet()) && there.isEmpty()) {
                there.add(seen);
            }
        }
        there.replaceAll(this::inTheRoutersName);
        here.sort(Comparator.comparing(Both::text));
        there.sort(Comparator.comparing(Both::text));
        assertThat(here.stream().map(Both::text).toList())
                .as(() -> "%s\nWeft's trace by now:\n%s\nchains: %s\nrules:\n%s"
                        .formatted(
                                String.join("\n", history),
                                weft.explain(sent.weft()),
                                plan.weftChains(),
                                plan.ruleset()))
                .isEqualTo(there.stream().map(Both::text).toList());
        var pairs = new ArrayList<Pair>();
        for (int i = 0; i < here.size(); i++) {
            pairs.add(new Pair(here.get(i), there.get(i)));
        }
        return pairs;
    }

    /**
     * IPv4's "no route" and "prohibited": Linux has five at once for each source and one a second more, for all namespaces
     * alike.
     */
    private boolean isRationed(IpPacket packet) {
        boolean rationed = !packet.v6() && packet.isError() && (packet.detail() == 0x300 || packet.detail() == 0x30d);
        return rationed && errors.merge(packet.dst(), 1, Integer::sum) > RATION;
    }

    /** A router's own error about a packet that it translated comes from an address of its own; Linux says the public one. */
    private Seen inTheRoutersName(Seen seen) {
        IpPacket packet = seen.packet();
        boolean own = packet.isError() && packet.ttl() == IpPacket.TTL && plan.isPublic(packet.src());
        return own
                ? new Seen(seen.vm(), seen.srcMac(), seen.dstMac(), packet.from(Plan.gateway(Plan.subnet(seen.vm()))))
                : seen;
    }

    private static String text(Seen seen) {
        return seen.blurred().toString();
    }
}
