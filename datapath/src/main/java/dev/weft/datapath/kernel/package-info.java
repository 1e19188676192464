/**
 * The operating system's calls, by the foreign function interface: no native code of our own, no other program.
 *
 * <p>{@link dev.weft.datapath.kernel.Libc} has descriptors, sockets and namespaces, {@link
 * dev.weft.datapath.kernel.MemoryMap} shared memory, {@link dev.weft.datapath.kernel.Mounts} file systems, {@link
 * dev.weft.datapath.kernel.Waiter} epoll(7). Each call returns what the kernel itself would, a result or {@code
 * -errno}; {@link dev.weft.datapath.kernel.Errno} names the numbers. Nothing here throws for a refusal: the caller
 * knows what it tried and says so.
 *
 * <p>Threads: calls are safe from any thread and allocate nothing once a thread has made its first; a {@code Waiter}
 * belongs to the thread that waits.
 */
@NullMarked
package dev.weft.datapath.kernel;

import org.jspecify.annotations.NullMarked;
