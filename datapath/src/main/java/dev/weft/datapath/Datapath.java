package dev.weft.datapath;

import dev.weft.base.IpAddress;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.function.Consumer;

/**
 * A flow cache with ports. A frame that enters is looked up; a hit runs the flow's actions, a miss becomes an upcall
 * to its home worker. Frames that come through the tunnel are told apart by their key: a key bound to a port is
 * delivered there without any flow or upcall; a key bound to {@link #TO_WORKER} enters the flow cache with ingress
 * {@link dev.weft.sim.flow.FlowKey#TUNNEL_PORT} and that key; any other key, and any outer source that is not a known
 * peer, is dropped and counted. Control methods are safe from any thread and take effect before they return.
 *
 * <p><b>Survivors.</b> A kind that {@link #survives} keeps its ports, flows, tunnel keys and peers under the host's id
 * ({@link DatapathConfig#host}) when its process ends, however that ends, and goes on forwarding by them; what no flow
 * answers is dropped meanwhile. Opened again by the same host it is at first as it was left, with the new number of
 * workers, and:
 *
 * <ul>
 *   <li>flows are nobody's: {@link #forEachFlow} shows them with worker -1, no {@link WorkerPort#readUsed} reports them
 *       and {@link WorkerPort#remove} does not know them, whatever their old ids were. Each worker is handed its share by
 *       {@link WorkerPort#readSurvivors} and takes over what still holds ({@link WorkerPort#adopt}), replaces it ({@link
 *       WorkerPort#install} of an equal flow) or lets it go ({@link WorkerPort#discard});
 *   <li>ports forward and are listed by {@link #ports}. To {@link #attach} the same virtual port at the same interface
 *       (the very same: index, MAC and namespace are as they were) gives the number it had and interrupts nothing; the
 *       new budget holds. When the interface is another one now, the old port is detached first;
 *   <li>tunnel keys stay bound; binding one again to what it was bound to interrupts nothing;
 *   <li>{@link #dropUnadopted} ends this: what was not taken over by then goes.
 * </ul>
 *
 * <p>When what is there cannot be used (another layout, lost in part) the datapath takes it away itself and begins anew,
 * with another {@link #incarnation}.
 */
public interface Datapath extends AutoCloseable {
    /** Bound as the target of a tunnel key: the frame is looked up in the flow cache and, on a miss, simulated. */
    int TO_WORKER = -1;

    /**
     * The tunnel key of state frames between hosts; bound to {@link #TO_WORKER} by whoever wants them. Such a frame
     * passes by the flow cache to its home worker, and is queued there before any later frame of its sender is handled.
     */
    int STATE_KEY = 0xff_ffff;

    /** The tunnel key of {@link ProbeFrame}s, which each datapath answers itself. Never bound. */
    int PROBE_KEY = 0xff_fffe;

    /** What this kind is called: {@code memory}, {@code userspace}, {@code ebpf}. */
    String kind();

    /** Whether it goes on without its process. See the class's text on survivors. */
    boolean survives();

    /** Drawn at random when it was made anew; the same each time it is opened again with what survived. */
    long incarnation();

    /** Workers, fixed at construction; each frame has one home among them by the symmetric hash of its key. */
    int workers();

    /** The seat of worker {@code index} (0-based). One thread uses it. */
    WorkerPort worker(int index);

    /**
     * Attaches an interface that exists now. Numbers start at 1 and are not given again soon.
     *
     * @throws DatapathException when the interface is not there, is attached already, or cannot be attached
     */
    int attach(PortSpec spec);

    /** Detaches; flows that name the port drop what they would send there. Unknown numbers are ignored. */
    void detach(int port);

    List<PortStatistics> ports();

    /** Who is told when an attached interface vanishes; one listener, the last one set. */
    void setPortListener(PortListener listener);

    /**
     * Binds a tunnel key (1..0xFFFFFD) of this host to a port, or to {@link #TO_WORKER}; {@link #STATE_KEY} only to the
     * latter.
     *
     * @throws DatapathException when the key is out of range
     */
    void bindTunnelKey(int key, int portOrToWorker);

    void unbindTunnelKey(int key);

    /** The outer sources that may send to us; all others are refused and counted. */
    void setPeers(Set<IpAddress> underlayAddresses);

    /** Every counter of the datapath and each drop by reason, since it was opened. */
    DatapathStatistics statistics();

    /** All flows of all workers, for people; a walk of the cache at leisure, not a snapshot. */
    void forEachFlow(Consumer<FlowDump> each);

    /** All flows in a list. */
    default List<FlowDump> flows() {
        var flows = new ArrayList<FlowDump>();
        forEachFlow(flows::add);
        return flows;
    }

    /**
     * Ends the adoption of what survived: flows that no worker took over, ports that were not attached again and keys
     * that were not bound again go. Nothing happens when nothing survived, or the second time.
     *
     * @return flows that went
     */
    int dropUnadopted();

    /**
     * Copies a port's frames to the sink, as they come from the VM and as they go to it, until the capture is closed or
     * the port is detached. Several captures of one port may run.
     *
     * @param framesPerSecond at most; more are {@linkplain Capture#missed() missed}, never delayed
     * @throws DatapathException when the port is not attached
     */
    Capture capture(int port, int framesPerSecond, Capture.Sink sink);

    /**
     * Ends this process's part in it; workers must have stopped. A kind that {@link #survives} leaves everything in
     * place, others detach everything and free what they hold.
     */
    @Override
    void close();

    /** As {@link #close}, but nothing stays, whatever the kind: ports, flows, keys, and what it kept them in. */
    void remove();
}
