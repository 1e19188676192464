package dev.weft.datapath.memory;

import dev.weft.base.HotPath;
import dev.weft.datapath.DatapathConfig;
import dev.weft.datapath.PortSpec;
import dev.weft.datapath.soft.SoftDatapath;
import dev.weft.datapath.soft.SoftPort;
import dev.weft.datapath.soft.SoftPort.SendResult;
import java.lang.foreign.MemorySegment;
import org.jspecify.annotations.Nullable;

/**
 * One host of a {@link MemoryFabric}. An interface comes into being when it is attached; the caller plays the VM behind
 * it with {@link #send} and {@link #receive}.
 */
public final class MemoryDatapath extends SoftDatapath {
    private final MemoryFabric fabric;
    private final boolean survives;

    public MemoryDatapath(DatapathConfig config, MemoryFabric fabric) {
        this(config, fabric, false);
    }

    private MemoryDatapath(DatapathConfig config, MemoryFabric fabric, boolean survives) {
        super(config);
        this.fabric = fabric;
        this.survives = survives;
        fabric.join(config.underlay(), this);
    }

    /**
     * A datapath that lives in the fabric, as a kernel's lives in its machine: opened again for the same host, after its
     * process closed it or was lost, it is the one that survived.
     */
    public static MemoryDatapath inFabric(DatapathConfig config, MemoryFabric fabric) {
        MemoryDatapath survivor = fabric.survivor(config.host());
        if (survivor != null) {
            survivor.reopen(config.workers());
            return survivor;
        }
        var datapath = new MemoryDatapath(config, fabric, true);
        fabric.keep(config.host(), datapath);
        return datapath;
    }

    @Override
    public boolean survives() {
        return survives;
    }

    @Override
    public String kind() {
        return "memory";
    }

    /** The VM behind the port sends a frame; everything it causes has happened on return. */
    public void send(int port, byte[] frame) {
        send(port, MemorySegment.ofArray(frame), 0, frame.length);
    }

    @HotPath
    public void send(int port, MemorySegment segment, long offset, int length) {
        receive(port(port), segment, offset, length);
    }

    /** The oldest frame the VM behind the port has not taken yet; null when there is none. */
    public byte @Nullable [] receive(int port) {
        return memoryPort(port).poll();
    }

    /** Frames to the port go to the sink instead of its queue. */
    public void setSink(int port, FrameSink sink) {
        memoryPort(port).setSink(sink);
    }

    /** The port's interface vanishes, as when its VM is destroyed. */
    public void vanish(int port) {
        lost(port(port));
    }

    private MemoryPort memoryPort(int port) {
        return (MemoryPort) port(port);
    }

    @Override
    protected SoftPort open(int number, PortSpec spec) {
        return new MemoryPort(number, spec, workers());
    }

    @HotPath
    @Override
    protected SendResult sendTunnel(
            long remoteHigh, long remoteLow, int key, MemorySegment segment, long offset, int length) {
        fabric.send(config().underlay(), remoteHigh, remoteLow, key, segment, offset, length);
        return SendResult.SENT;
    }

    @HotPath
    void fromFabric(long sourceHigh, long sourceLow, int key, MemorySegment segment, long offset, int length) {
        receiveTunnel(sourceHigh, sourceLow, key, segment, offset, length);
    }

    @Override
    protected void closeUnderlay() {
        fabric.leave(config().underlay(), this);
        fabric.forget(config().host(), this);
    }
}
