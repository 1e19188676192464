package dev.weft.datapath.memory;

import dev.weft.datapath.Datapath;
import dev.weft.datapath.PortSpec;
import dev.weft.datapath.TestHost;
import java.util.UUID;
import org.jspecify.annotations.Nullable;

/** A host whose VMs are queues. */
final class MemoryHost implements TestHost {
    private final MemoryDatapath datapath;
    private int interfaces;

    MemoryHost(MemoryDatapath datapath) {
        this.datapath = datapath;
    }

    /** The same interfaces, another process. */
    MemoryHost with(MemoryDatapath reopened) {
        var host = new MemoryHost(reopened);
        host.interfaces = interfaces;
        return host;
    }

    @Override
    public Datapath datapath() {
        return datapath;
    }

    @Override
    public PortSpec newInterface(int upcallsPerSecond) {
        return new PortSpec(UUID.randomUUID(), "vm" + interfaces++, "", upcallsPerSecond);
    }

    @Override
    public void send(int port, byte[] frame) {
        datapath.send(port, frame);
    }

    @Override
    public byte @Nullable [] receive(int port) {
        return datapath.receive(port);
    }

    @Override
    public void destroy(int port) {
        datapath.vanish(port);
    }

    @Override
    public void close() {
        datapath.close();
    }
}
