/**
 * Interfaces, addresses, routes and raw packets of the Linux kernel, reached by system calls alone: no other program is
 * ever started, no native code of our own is loaded.
 *
 * <p>{@link dev.weft.datapath.link.Links} asks and changes over rtnetlink, {@link dev.weft.datapath.link.LinkMonitor}
 * reports what comes, changes and goes in any number of namespaces, {@link dev.weft.datapath.link.PacketSocket} carries
 * frames. What flows in is a {@link dev.weft.datapath.link.NetworkNamespace} and a name; what flows out are records.
 *
 * <p>Every socket belongs for life to the namespace it was opened in, so only the opening happens inside; afterwards it
 * may be used from anywhere. Entering is the work of a short-lived platform thread (setns(2) acts on one operating
 * system thread, and a virtual thread would leave its carrier behind in the wrong place).
 *
 * <p>Threads: {@code Links} may be shared (one request at a time); a {@code PacketSocket} belongs to one thread; {@code
 * LinkMonitor} owns one daemon thread and calls its listener there. Layouts are the kernel's own structs in host byte
 * order, named where they are read (linux/netlink.h, rtnetlink.h, if_link.h, if_addr.h, neighbour.h, if_packet.h).
 *
 * <p>It never decides anything about virtual topology and keeps no cache of what the kernel knows, but for the
 * monitor's table of what it has reported.
 */
@NullMarked
package dev.weft.datapath.link;

import org.jspecify.annotations.NullMarked;
