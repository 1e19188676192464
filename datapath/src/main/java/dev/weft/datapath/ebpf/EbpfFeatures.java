package dev.weft.datapath.ebpf;

import dev.weft.datapath.Feature;
import dev.weft.datapath.bpf.KernelFeatures;
import java.util.ArrayList;
import java.util.List;

/** What the kernel's flow cache needs of this machine. */
public final class EbpfFeatures {
    /** A clsact filter stands in for it. */
    private static final String DISPENSABLE = "TCX link";

    private EbpfFeatures() {}

    /** Looks now; takes a few milliseconds. */
    public static List<Feature> find() {
        var features = new ArrayList<Feature>();
        boolean built = EbpfFeatures.class.getResource(KernelTables.OBJECT) != null;
        features.add(new Feature(
                EbpfDatapath.KIND,
                "programs",
                true,
                built,
                built ? "" : "this build has none; build it on a machine with clang"));
        for (KernelFeatures.Feature found : KernelFeatures.probe().features()) {
            features.add(new Feature(
                    EbpfDatapath.KIND,
                    found.name(),
                    !found.name().equals(DISPENSABLE),
                    found.present(),
                    found.detail()));
        }
        return features;
    }
}
