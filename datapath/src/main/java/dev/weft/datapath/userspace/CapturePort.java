package dev.weft.datapath.userspace;

import dev.weft.datapath.PortSpec;
import dev.weft.datapath.soft.SoftDatapath;
import dev.weft.datapath.soft.SoftPort;
import java.lang.foreign.MemorySegment;
import org.jspecify.annotations.Nullable;
import org.pcap4j.core.NotOpenException;
import org.pcap4j.core.PcapHandle;
import org.pcap4j.core.PcapNativeException;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** An interface under libpcap: one handle captures and injects. Its own thread receives; any thread sends. */
final class CapturePort extends SoftPort {
    private static final Logger LOG = LoggerFactory.getLogger(CapturePort.class);
    private static final int FOREVER = -1;
    private static final int ETHERNET_AND_TAG = 18;
    private static final ThreadLocal<byte[]> OUTGOING = ThreadLocal.withInitial(() -> new byte[SoftDatapath.MAX_FRAME]);

    // Immutable after construction.
    private final UserspaceDatapath datapath;
    private final PcapHandle handle;
    private final int guarded;
    private final int mtu;
    private final SegmentSizes sizes = new SegmentSizes();
    private final OffloadCompleter completer;

    // Shared.
    private volatile boolean closing;
    private @Nullable Thread thread;

    /**
     * @param handle open on the interface, incoming frames only
     * @param guarded its link of the {@link StackGuard}
     * @param mtu of the interface, when it was attached
     * @param tunnelMtu longest IP packet the tunnel takes whole
     */
    CapturePort(
            UserspaceDatapath datapath,
            int number,
            PortSpec spec,
            PcapHandle handle,
            int guarded,
            int mtu,
            int tunnelMtu) {
        super(number, spec, datapath.workers());
        this.datapath = datapath;
        this.handle = handle;
        this.guarded = guarded;
        this.mtu = mtu;
        completer = new OffloadCompleter(Math.min(mtu, tunnelMtu), sizes);
    }

    @Override
    protected void start() {
        thread = Thread.ofPlatform()
                .daemon()
                .name("capture-" + spec().interfaceName())
                .start(this::capture);
    }

    private void capture() {
        try {
            handle.loop(FOREVER, this::captured);
        } catch (InterruptedException stopped) {
            // breakLoop() of close(): the thread ends here.
            return;
        } catch (PcapNativeException | NotOpenException gone) {
            if (!closing) {
                LOG.info("port {}: interface {} is gone: {}", number(), spec().interfaceName(), gone.getMessage());
            }
        }
        if (!closing) {
            datapath.vanished(this);
        }
    }

    private void captured(byte[] frame) {
        try {
            completer.complete(MemorySegment.ofArray(frame), 0, frame.length, this::finished);
        } catch (RuntimeException bug) {
            // Called from native code, which cannot pass an exception on: one frame is lost, the capture goes on.
            LOG.error("port {}: a captured frame of {} bytes was not handled", number(), frame.length, bug);
        }
    }

    private void finished(MemorySegment segment, long offset, int length) {
        if (!closing) {
            datapath.captured(this, segment, offset, length);
        }
    }

    @Override
    protected SendResult send(MemorySegment segment, long offset, int length) {
        sizes.learn(segment, offset, length);
        byte[] bytes = OUTGOING.get();
        MemorySegment.copy(segment, offset, MemorySegment.ofArray(bytes), 0, length);
        try {
            handle.sendPacket(bytes, length);
            return SendResult.SENT;
        } catch (PcapNativeException | NotOpenException refused) {
            // Counted by the caller; the capture thread notices when the interface is gone. The text of the error is in
            // the machine's language, so the length tells.
            return length > mtu + ETHERNET_AND_TAG ? SendResult.TOO_BIG : SendResult.FAILED;
        }
    }

    @Override
    protected void close() {
        closing = true;
        try {
            handle.breakLoop();
        } catch (NotOpenException already) {
            LOG.debug("port {}: closed already", number());
        }
        Thread captor = thread;
        if (captor != null && captor != Thread.currentThread()) {
            joinUninterruptibly(captor);
        }
        handle.close();
        datapath.release(guarded);
    }

    private static void joinUninterruptibly(Thread captor) {
        boolean interrupted = false;
        while (captor.isAlive()) {
            try {
                captor.join();
            } catch (InterruptedException later) {
                interrupted = true;
            }
        }
        if (interrupted) {
            Thread.currentThread().interrupt();
        }
    }
}
