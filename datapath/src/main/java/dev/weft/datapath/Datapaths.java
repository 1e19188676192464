package dev.weft.datapath;

import dev.weft.datapath.ebpf.EbpfDatapath;
import dev.weft.datapath.memory.MemoryDatapath;
import dev.weft.datapath.memory.MemoryFabric;
import dev.weft.datapath.userspace.UserspaceDatapath;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.UUID;
import java.util.function.Function;
import java.util.function.Supplier;
import java.util.stream.Stream;

/** The kinds of datapath there are, what each needs, and the one way to open one. */
public final class Datapaths {
    /** Asks for the best kind that this machine can run. */
    public static final String AUTO = "auto";

    private static final List<Kind> KINDS = List.of(
            new Kind(EbpfDatapath.KIND, true, EbpfDatapath::features, EbpfDatapath::new, EbpfDatapath::remove),
            new Kind("userspace", true, UserspaceDatapath::features, UserspaceDatapath::new, host -> List.of()),
            // Alone in a fabric of its own; whoever wants several hosts makes the fabric and the datapaths itself.
            new Kind(
                    "memory",
                    false,
                    List::of,
                    config -> new MemoryDatapath(config, new MemoryFabric()),
                    host -> List.of()));

    private Datapaths() {}

    /**
     * A kind of datapath; the better ones stand first.
     *
     * @param automatic whether {@link #AUTO} may choose it
     * @param features what it needs, looked up now
     * @param remover takes away what a datapath of this host left behind, and names it
     */
    record Kind(
            String name,
            boolean automatic,
            Supplier<List<Feature>> features,
            Function<DatapathConfig, Datapath> opener,
            Function<UUID, List<String>> remover) {
        /** The first thing that is missing here. */
        Optional<Feature> obstacle() {
            return features.get().stream().filter(feature -> !feature.there()).findFirst();
        }
    }

    /**
     * A datapath, and why it is not a better one.
     *
     * @param passedOver the better kinds, each with the feature it misses here; empty when the kind was asked for
     */
    public record Opened(Datapath datapath, List<String> passedOver) {}

    /** What can be asked for: {@link #AUTO}, then the kinds, the preferred one first. */
    public static List<String> names() {
        return Stream.concat(Stream.of(AUTO), KINDS.stream().map(Kind::name)).toList();
    }

    /**
     * Opens a kind by its name, or the best one.
     *
     * @throws DatapathException when there is no such kind, or it cannot work here; the text names what is missing
     */
    public static Opened open(String kindOrAuto, DatapathConfig config) {
        return open(KINDS, kindOrAuto, config);
    }

    static Opened open(List<Kind> kinds, String kindOrAuto, DatapathConfig config) {
        var passedOver = new ArrayList<String>();
        for (Kind kind : kinds) {
            if (!(kindOrAuto.equals(AUTO) ? kind.automatic() : kind.name().equals(kindOrAuto))) {
                continue;
            }
            Optional<Feature> missing = kind.obstacle();
            if (missing.isEmpty()) {
                return new Opened(kind.opener().apply(config), List.copyOf(passedOver));
            }
            passedOver.add(kind.name() + " needs " + missing.get().name() + ": "
                    + missing.get().detail());
        }
        if (passedOver.isEmpty()) {
            throw new DatapathException(
                    "datapath kind '" + kindOrAuto + "' (expected one of " + String.join(", ", names()) + ")");
        }
        throw new DatapathException("no datapath can work here (" + String.join("; ", passedOver)
                + "); 'weft datapath probe' shows all that is missing");
    }

    /** What each kind needs, and whether this machine has it for this process. */
    public static List<Feature> features() {
        return KINDS.stream().flatMap(kind -> kind.features().get().stream()).toList();
    }

    /** Takes away whatever a datapath of this host left on the machine, and names it; no agent of it may run. */
    public static List<String> remove(UUID host) {
        return KINDS.stream()
                .flatMap(kind -> kind.remover().apply(host).stream())
                .toList();
    }
}
