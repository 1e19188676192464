/**
 * The portable kind: libpcap (by Pcap4J) captures and injects at each port's interface, Netty carries VXLAN over UDP.
 * It needs no support from the kernel beyond packet sockets, and it is held to correctness, not to speed.
 *
 * <p>A VM's stack leaves work to its "hardware", which on a veth is nobody: frames of up to 64 KB to be cut, and
 * checksums that are only begun. {@link dev.weft.datapath.userspace.OffloadCompleter} does that work at capture, so
 * that everything behind it sees frames as they would be on a wire.
 *
 * <p>Threads: one capture thread per port; one event loop for the tunnel, so that frames of one sender are handled in
 * order; anything may send.
 */
@NullMarked
package dev.weft.datapath.userspace;

import org.jspecify.annotations.NullMarked;
