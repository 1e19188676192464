package dev.weft.datapath;

import dev.weft.datapath.ebpf.EbpfDatapath;
import dev.weft.datapath.memory.MemoryDatapath;
import dev.weft.datapath.memory.MemoryFabric;
import dev.weft.datapath.userspace.UserspaceDatapath;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Set;
import java.util.function.Function;

/** The kinds of datapath there are, and the one way to open one by its name. */
public final class Datapaths {
    private static final Map<String, Function<DatapathConfig, Datapath>> KINDS = byName();

    private Datapaths() {}

    private static Map<String, Function<DatapathConfig, Datapath>> byName() {
        var kinds = new LinkedHashMap<String, Function<DatapathConfig, Datapath>>();
        kinds.put(EbpfDatapath.KIND, EbpfDatapath::new);
        kinds.put("userspace", UserspaceDatapath::new);
        // Alone in a fabric of its own; whoever wants several hosts makes the fabric and the datapaths itself.
        kinds.put("memory", config -> new MemoryDatapath(config, new MemoryFabric()));
        return kinds;
    }

    /** Names that {@link #open} knows, the preferred one first. */
    public static Set<String> kinds() {
        return KINDS.keySet();
    }

    /** @throws DatapathException when there is no such kind, or it cannot work here; the text says why */
    public static Datapath open(String kind, DatapathConfig config) {
        var opener = KINDS.get(kind);
        if (opener == null) {
            throw new DatapathException("datapath kind '" + kind + "' (expected one of " + KINDS.keySet() + ")");
        }
        return opener.apply(config);
    }
}
