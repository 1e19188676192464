/**
 * The kernel's flow cache, driven: {@code src/main/bpf} holds its programs, this package their other half. {@link
 * dev.weft.datapath.ebpf.EbpfDatapath} is the {@code ebpf} kind.
 *
 * <p>What flows in: frames that no flow answered, one ring for each worker, whole. What flows out: flows, written to the
 * kernel's maps by the worker that owns them; frames to be executed, sent through a pair of interfaces of our own
 * ({@link dev.weft.datapath.ebpf.Injector}) to the very code that runs a flow's actions. No action is done here.
 *
 * <p>{@link dev.weft.datapath.ebpf.Layout} is the twin of {@code layout.h}. Small tables that both sides read lie in
 * memory shared with the kernel ({@link dev.weft.datapath.ebpf.KernelTables}); what the kernel may not see half-written
 * is written before what points to it.
 *
 * <p>Threads: ports, tunnel keys and the underlay belong to the control side and are guarded by locks; an {@link
 * dev.weft.datapath.ebpf.EbpfWorker} belongs to its worker thread. Masks, remotes and steps of floods are shared by the
 * workers: found without a lock, added under one.
 */
@NullMarked
package dev.weft.datapath.ebpf;

import org.jspecify.annotations.NullMarked;
