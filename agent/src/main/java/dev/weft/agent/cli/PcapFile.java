package dev.weft.agent.cli;

import java.io.BufferedOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;

/**
 * A capture file that every tool reads (draft-ietf-opsawg-pcap): Ethernet frames, whole, with nanoseconds. One thread.
 */
final class PcapFile implements AutoCloseable {
    private static final int NANOSECOND_MAGIC = 0xa1b2_3c4d;
    private static final short MAJOR = 2;
    private static final short MINOR = 4;
    private static final int SNAP_LENGTH = 262_144;
    private static final int ETHERNET = 1;

    private final OutputStream out;

    private PcapFile(OutputStream out) {
        this.out = out;
    }

    static PcapFile create(Path file) throws IOException {
        var out = new BufferedOutputStream(Files.newOutputStream(file));
        out.write(ByteBuffer.allocate(24)
                .putInt(NANOSECOND_MAGIC)
                .putShort(MAJOR)
                .putShort(MINOR)
                .putInt(0)
                .putInt(0)
                .putInt(SNAP_LENGTH)
                .putInt(ETHERNET)
                .array());
        return new PcapFile(out);
    }

    void add(Instant at, byte[] frame) throws IOException {
        out.write(ByteBuffer.allocate(16)
                .putInt((int) at.getEpochSecond())
                .putInt(at.getNano())
                .putInt(frame.length)
                .putInt(frame.length)
                .array());
        out.write(frame);
    }

    @Override
    public void close() throws IOException {
        out.close();
    }
}
