package dev.weft.datapath.link;

import java.util.Optional;
import java.util.OptionalInt;

/**
 * A namespace that is followed, and the sockets that tell of it. Not thread safe: touched only by its monitor's thread.
 * Attached while the namespace is there; one of another identity under the same name is another namespace, so all that
 * was known goes before what is new appears. Messages that the kernel dropped are made good by reading everything.
 */
abstract class NamespaceWatch {
    private static final int DATAGRAMS_PER_TURN = 64;

    // Immutable after construction.
    private final NetworkNamespace namespace;
    private final int groups;
    // Owned by the monitor thread.
    private Optional<Attachment> attachment = Optional.empty();

    private record Attachment(NetworkNamespace.Identity identity, Netlink notifications, Links queries) {}

    /** @param groups GROUP_ bits of {@link Netlink} */
    NamespaceWatch(NetworkNamespace namespace, int groups) {
        this.namespace = namespace;
        this.groups = groups;
    }

    /** Reads the whole state and reports the difference. */
    abstract void resync(Links queries);

    abstract void accept(Message message);

    /** Reports that everything known is gone. */
    abstract void forget();

    NetworkNamespace namespace() {
        return namespace;
    }

    /** To poll for input; empty while detached. */
    OptionalInt fileDescriptor() {
        return attachment.isPresent()
                ? OptionalInt.of(attachment.get().notifications().fileDescriptor())
                : OptionalInt.empty();
    }

    /**
     * Attaches to or detaches from what is there now.
     *
     * @throws LinkException when something is there that cannot be watched (yet): detached, try again
     */
    void reconcile() {
        var present = namespace.identity();
        if (present.equals(attachment.map(Attachment::identity))) {
            return;
        }
        detach();
        if (present.isPresent()) {
            attach(present.get());
        }
    }

    private void attach(NetworkNamespace.Identity identity) {
        var notifications = Netlink.subscribed(namespace, groups);
        try {
            attachment = Optional.of(new Attachment(identity, notifications, Links.in(namespace)));
        } catch (LinkException refused) {
            notifications.close();
            throw refused;
        }
        // The name may have been given to another namespace between looking and opening.
        if (!namespace.identity().equals(Optional.of(identity))) {
            detach();
            throw new LinkException(namespace + " changed while it was being entered");
        }
        orDetach(this::resync);
    }

    /** Everything reported is gone; the sockets are closed, so that they do not keep a deleted namespace alive. */
    void detach() {
        close();
        forget();
    }

    /** Without a word to the listener. */
    void close() {
        attachment.ifPresent(held -> {
            held.notifications().close();
            held.queries().close();
        });
        attachment = Optional.empty();
    }

    /** Reports what has arrived; bounded, so that a busy namespace does not starve the others. */
    void read() {
        orDetach(this::readSome);
    }

    private void readSome() {
        var notifications = attachment.orElseThrow().notifications();
        for (int i = 0; i < DATAGRAMS_PER_TURN; i++) {
            switch (notifications.receive(this::accept)) {
                case NOTHING -> {
                    return;
                }
                case MESSAGES -> {}
                case LOST -> resync();
            }
        }
    }

    private void resync() {
        resync(attachment.orElseThrow().queries());
    }

    private void orDetach(Runnable step) {
        try {
            step.run();
        } catch (LinkException failed) {
            detach();
            throw failed;
        }
    }
}
