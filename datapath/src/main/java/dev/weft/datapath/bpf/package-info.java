/**
 * The kernel's BPF machinery as Java objects: maps, programs, links to interfaces, the ring of records, pins.
 *
 * <p>Terms are the kernel's. A <em>map</em> is a table that programs and we share; a <em>program</em> runs in the
 * kernel; a <em>link</em> holds a program at an interface (TCX) and lets go when its last holder closes it; a
 * <em>pin</em> is a name in a bpf file system that holds one of them beyond our own life. An <em>object</em> is a file
 * of the compiler with maps and programs in it; loading one is the work of libbpf, which is looked for only then, so
 * that a machine without it can run everything else. All the rest is bpf(2) itself.
 *
 * <p>What flows in are bytes of an object file, addresses of keys and values whose layout is the caller's, and network
 * namespaces; what flows out are descriptors, entries and records. Results are the kernel's, {@code -errno} included,
 * where a refusal is ordinary (map entries); everything else throws {@link dev.weft.datapath.bpf.BpfException}, which
 * names what was tried and shows the verifier's words.
 *
 * <p>Threads: maps, links and programs may be used from any thread; a {@link dev.weft.datapath.bpf.RingReader}, a
 * {@link dev.weft.datapath.bpf.MapCursor} and a {@link dev.weft.datapath.bpf.BpfObject} belong to one thread at a time.
 * Entry operations and ring reading allocate nothing.
 *
 * <p>It knows nothing of flows, packets or Weft's own programs.
 */
@NullMarked
package dev.weft.datapath.bpf;

import org.jspecify.annotations.NullMarked;
