package dev.weft.datapath;

import dev.weft.base.IpAddress;
import java.util.List;
import java.util.Set;

/**
 * A flow cache with ports. A frame that enters is looked up; a hit runs the flow's actions, a miss becomes an upcall
 * to its home worker. Frames that come through the tunnel are told apart by their key: a key bound to a port is
 * delivered there without any flow or upcall; a key bound to {@link #TO_WORKER} enters the flow cache with ingress
 * {@link dev.weft.sim.flow.FlowKey#TUNNEL_PORT} and that key; any other key, and any outer source that is not a known
 * peer, is dropped and counted. Control methods are safe from any thread and take effect before they return.
 */
public interface Datapath extends AutoCloseable {
    /** Bound as the target of a tunnel key: the frame is looked up in the flow cache and, on a miss, simulated. */
    int TO_WORKER = -1;

    /**
     * The tunnel key of state frames between hosts; bound to {@link #TO_WORKER} by whoever wants them. Such a frame
     * passes by the flow cache to its home worker, and is queued there before any later frame of its sender is handled.
     */
    int STATE_KEY = 0xff_ffff;

    /** What this kind is called: {@code memory}, {@code userspace}, {@code ebpf}. */
    String kind();

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
     * Binds a tunnel key (1..0xFFFFFE) of this host to a port, or to {@link #TO_WORKER}; {@link #STATE_KEY} only to the
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
    List<FlowDump> flows();

    /** Detaches everything and frees what it holds; workers must have stopped. */
    @Override
    void close();
}
