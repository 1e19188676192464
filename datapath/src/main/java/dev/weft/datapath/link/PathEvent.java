package dev.weft.datapath.link;

/** What may change how a namespace reaches others, in the order the kernel told it. */
public sealed interface PathEvent {
    NetworkNamespace namespace();

    /** It has another MAC, became usable or stopped being so; or was there when watching began. */
    record NeighbourChanged(NetworkNamespace namespace, KernelNeighbour neighbour) implements PathEvent {}

    /** The kernel forgot it; as it was last seen. */
    record NeighbourGone(NetworkNamespace namespace, KernelNeighbour neighbour) implements PathEvent {}

    /**
     * A route came, changed or went, of any table.
     *
     * @param present false when it went
     */
    record RouteChanged(NetworkNamespace namespace, KernelRoute route, boolean present) implements PathEvent {}

    /**
     * Any path may be another now: links changed (with IPv4 routes the kernel takes away without a word), watching
     * began or ended, or the kernel's messages were lost. Neighbours are told apart from it.
     */
    record AllChanged(NetworkNamespace namespace) implements PathEvent {}
}
