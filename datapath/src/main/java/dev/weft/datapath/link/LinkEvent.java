package dev.weft.datapath.link;

import java.util.List;

/** What happened to a link, in the order the kernel told it. */
public sealed interface LinkEvent {
    NetworkNamespace namespace();

    /** As it is now; for {@link LinkGone} as it was last seen. */
    Link link();

    /** It was created, moved in, renamed to this name, or was there when watching began. */
    record LinkAppeared(NetworkNamespace namespace, Link link) implements LinkEvent {}

    /** Same interface, same name, other facts. */
    record LinkChanged(NetworkNamespace namespace, Link before, Link link) implements LinkEvent {}

    /** It was deleted, moved out or renamed, or its whole namespace is no longer there. */
    record LinkGone(NetworkNamespace namespace, Link link) implements LinkEvent {}

    /** All addresses it has now; sent after {@link LinkAppeared} only when it has some. */
    record AddressesChanged(NetworkNamespace namespace, Link link, List<InterfaceAddress> addresses)
            implements LinkEvent {}
}
