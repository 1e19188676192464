package dev.weft.datapath.memory;

import dev.weft.datapath.Datapath;
import dev.weft.datapath.PortSpec;
import dev.weft.datapath.TestHost;
import java.util.UUID;
import org.jspecify.annotations.Nullable;

/** A host of the suites: a datapath in memory, whose VMs are its sink. */
final class MemoryHost implements TestHost {
    private final MemoryDatapath datapath;
    private int interfaces;

    MemoryHost(MemoryDatapath datapath) {
        this.datapath = datapath;
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
