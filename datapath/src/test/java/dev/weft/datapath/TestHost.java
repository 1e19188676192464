package dev.weft.datapath;

import org.jspecify.annotations.Nullable;

/** A host of the suite: a datapath under test and the VMs behind its ports, played by the suite. */
public interface TestHost extends AutoCloseable {
    Datapath datapath();

    /** An interface that exists now and is not attached. */
    PortSpec newInterface(int upcallsPerSecond);

    /** The VM behind the port sends. */
    void send(int port, byte[] frame);

    /** The oldest frame that reached the VM behind the port and was not taken yet; null when there is none. */
    byte @Nullable [] receive(int port);

    /** Destroys the interface of the port, as when its VM dies. */
    void destroy(int port);

    @Override
    void close();
}
