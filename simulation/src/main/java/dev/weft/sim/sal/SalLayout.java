package dev.weft.sim.sal;

import dev.weft.base.HotPath;

/**
 * Where the parts of a packet's SAL header lie, from the frame's start; an extension at 0 is not there. Filled by
 * {@link SalParser}. Not thread safe; reused per packet.
 */
@HotPath
public final class SalLayout {
    /** It is a SAL packet, and well formed. All else is meaningless when false. */
    public boolean present;

    /** Inside UDP. */
    public boolean encapsulated;

    public int offset;
    /** With extensions, in octets; the transport header follows. */
    public int length;

    /** How many, each octet of padding counted. */
    public int extensions;

    public int srcFlow;
    public int dstFlow;
    /** Of {@link SalControl}; 0 without CONTROL. */
    public int flags;

    public int control;
    /** The service it is for. */
    public int service;
    /** Of an unconnected datagram, the service it comes from. */
    public int fromService;

    public int address;
    public int source;

    /**
     * It names a service that is still to be resolved: it opens a connection, or no flow of its receiver is known to its
     * sender, as of an unconnected datagram. All other packets go by their addresses.
     */
    public boolean isForService() {
        return present && service != 0 && (SalControl.opens(flags) || dstFlow == 0);
    }

    public void clear() {
        present = false;
        encapsulated = false;
        offset = 0;
        length = 0;
        extensions = 0;
        srcFlow = 0;
        dstFlow = 0;
        flags = 0;
        control = 0;
        service = 0;
        fromService = 0;
        address = 0;
        source = 0;
    }
}
