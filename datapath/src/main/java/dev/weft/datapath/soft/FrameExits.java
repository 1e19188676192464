package dev.weft.datapath.soft;

import dev.weft.base.HotPath;
import java.lang.foreign.MemorySegment;
import org.jspecify.annotations.Nullable;

/** The way out of one frame's actions: the frame as it came, and the datapath it came to. Confined to its thread. */
@HotPath
final class FrameExits implements ActionRunner.Exits {
    private @Nullable SoftDatapath datapath;
    private @Nullable SoftPort port;
    private MemorySegment segment = MemorySegment.NULL;
    private long offset;
    private int length;
    private int inPort;
    private int tunnelKey;

    /** @param port null when the frame came through the tunnel */
    void aim(
            SoftDatapath datapath,
            @Nullable SoftPort port,
            MemorySegment segment,
            long offset,
            int length,
            int inPort,
            int tunnelKey) {
        this.datapath = datapath;
        this.port = port;
        this.segment = segment;
        this.offset = offset;
        this.length = length;
        this.inPort = inPort;
        this.tunnelKey = tunnelKey;
    }

    private SoftDatapath datapath() {
        if (datapath == null) {
            throw new IllegalStateException("actions of a frame that was never aimed (expected aim() before run())");
        }
        return datapath;
    }

    @Override
    public void output(int number, MemorySegment frame, long at, int frameLength) {
        datapath().transmit(number, frame, at, frameLength);
    }

    @Override
    public void tunnel(long remoteHigh, long remoteLow, int key, MemorySegment frame, long at, int frameLength) {
        datapath().transmitTunnel(remoteHigh, remoteLow, key, frame, at, frameLength);
    }

    @Override
    public void punt(int reason) {
        datapath().upcall(port, segment, offset, length, inPort, tunnelKey, reason);
    }

    @Override
    public void drop(FrameDrop why) {
        datapath().count(why);
    }
}
