package dev.weft.state;

import dev.weft.base.HotPath;
import dev.weft.base.IpAddress;
import java.util.UUID;

/**
 * The name of a connection: the stateful port, and the tuple as the VM behind it sees it. IPv4 is mapped; ICMP echo has
 * its identifier as both ports. Mutable and reused: each instance belongs to one worker thread.
 */
@HotPath
public final class ConnectionKey {
    private long portHigh;
    private long portLow;
    private int protocol;
    private long vmHigh;
    private long vmLow;
    private int vmPort;
    private long remoteHigh;
    private long remoteLow;
    private int remotePort;

    /** The 128 bits of the stateful port's id. */
    public ConnectionKey port(long high, long low) {
        portHigh = high;
        portLow = low;
        return this;
    }

    /** @param l4Port 0..65535 */
    public ConnectionKey vm(long high, long low, int l4Port) {
        vmHigh = high;
        vmLow = low;
        vmPort = l4Port;
        return this;
    }

    /** @param l4Port 0..65535 */
    public ConnectionKey remote(long high, long low, int l4Port) {
        remoteHigh = high;
        remoteLow = low;
        remotePort = l4Port;
        return this;
    }

    /** @param value IP protocol, 0..255 */
    public ConnectionKey protocol(int value) {
        protocol = value;
        return this;
    }

    public void copyFrom(ConnectionKey other) {
        port(other.portHigh, other.portLow);
        vm(other.vmHigh, other.vmLow, other.vmPort);
        remote(other.remoteHigh, other.remoteLow, other.remotePort);
        protocol = other.protocol;
    }

    public long portHigh() {
        return portHigh;
    }

    public long portLow() {
        return portLow;
    }

    public int protocol() {
        return protocol;
    }

    public long vmHigh() {
        return vmHigh;
    }

    public long vmLow() {
        return vmLow;
    }

    public int vmPort() {
        return vmPort;
    }

    public long remoteHigh() {
        return remoteHigh;
    }

    public long remoteLow() {
        return remoteLow;
    }

    public int remotePort() {
        return remotePort;
    }

    /** Protocol and both ports in one word: {@code protocol << 32 | vm port << 16 | remote port}. */
    long transport() {
        return (long) protocol << 32 | (long) vmPort << 16 | remotePort;
    }

    void transport(long word) {
        protocol = (int) (word >>> 32);
        vmPort = (int) (word >>> 16) & 0xffff;
        remotePort = (int) word & 0xffff;
    }

    /** The hash whose home sees both directions of this connection. */
    public int homeHash() {
        return ConnectionHash.of(vmHigh, vmLow, remoteHigh, remoteLow, protocol, vmPort, remotePort);
    }

    @Override
    public boolean equals(Object other) {
        return other instanceof ConnectionKey key
                && portHigh == key.portHigh
                && portLow == key.portLow
                && vmHigh == key.vmHigh
                && vmLow == key.vmLow
                && remoteHigh == key.remoteHigh
                && remoteLow == key.remoteLow
                && transport() == key.transport();
    }

    @Override
    public int hashCode() {
        return homeHash() ^ Long.hashCode(portHigh ^ portLow);
    }

    @Override
    public String toString() {
        return "port " + new UUID(portHigh, portLow) + " protocol " + protocol + " "
                + IpAddress.toString(vmHigh, vmLow) + " " + vmPort + " > "
                + IpAddress.toString(remoteHigh, remoteLow) + " " + remotePort;
    }
}
