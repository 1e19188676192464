package dev.weft.datapath.bpf;

import dev.weft.datapath.kernel.Errno;
import dev.weft.datapath.kernel.Libc;
import dev.weft.datapath.kernel.MemoryMap;
import dev.weft.datapath.link.Direction;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.function.IntSupplier;

/**
 * What this kernel and machine can do for a BPF datapath, found by trying: tiny maps and programs are made and let go of
 * at once, no interface is touched.
 *
 * @param features in the order a person would go through them
 */
public record KernelFeatures(List<Feature> features) {
    /** No interface has this number, so an attach that gets as far as looking for it is one the kernel knows. */
    private static final int NO_INTERFACE = Integer.MAX_VALUE;

    private static final int LOG_SIZE = 1 << 16;

    /**
     * One thing looked for.
     *
     * @param name such as {@code map RING_BUFFER}
     * @param detail when absent: what the kernel said and what brings it; empty when present
     */
    public record Feature(String name, boolean present, String detail) {}

    public KernelFeatures {
        features = List.copyOf(features);
    }

    /** Looks now; without bpf(2) itself the maps and programs are not looked for, nor told. */
    public static KernelFeatures probe() {
        var found = new ArrayList<Feature>();
        var allowed = systemCall();
        found.add(allowed);
        if (allowed.present()) {
            maps(found);
            programs(found);
        }
        found.add(fileSystem());
        found.add(library());
        return new KernelFeatures(found);
    }

    /** Those that are not there. */
    public List<Feature> missing() {
        return features.stream().filter(feature -> !feature.present()).toList();
    }

    private static Feature systemCall() {
        return map(BpfMapType.ARRAY, "bpf(2)", 4, 8, 1, 0, "a kernel with CONFIG_BPF_SYSCALL, and root");
    }

    private static void maps(List<Feature> found) {
        found.add(map(BpfMapType.HASH, "map HASH", 8, 8, 1, BpfMap.NO_PREALLOCATION, "Linux 4.6"));
        found.add(map(BpfMapType.LRU_HASH, "map LRU_HASH", 8, 8, 1, 0, "Linux 4.10"));
        found.add(map(BpfMapType.PER_CPU_ARRAY, "map PER_CPU_ARRAY", 4, 8, 1, 0, "Linux 4.6"));
        found.add(map(BpfMapType.ARRAY, "map ARRAY in shared memory", 4, 8, 1, BpfMap.MMAPABLE, "Linux 5.5"));
        found.add(map(BpfMapType.RING_BUFFER, "map RING_BUFFER", 0, 0, MemoryMap.pageSize(), 0, "Linux 5.8"));
        try (var inner = BpfMap.create(BpfMapType.ARRAY, "probe", 4, 8, 1, 0)) {
            found.add(tried(
                    "map ARRAY_OF_MAPS",
                    "Linux 4.12",
                    () -> BpfMap.tryCreate(BpfMapType.ARRAY_OF_MAPS, "probe", 4, 4, 1, 0, inner.fd())));
            found.add(batches(inner));
        }
    }

    private static Feature map(
            BpfMapType type, String name, int keySize, int valueSize, int entries, int flags, String since) {
        return tried(name, since, () -> BpfMap.tryCreate(type, "probe", keySize, valueSize, entries, flags, 0));
    }

    private static Feature batches(BpfMap map) {
        try (var arena = Arena.ofConfined();
                var cursor = map.cursor()) {
            int result = cursor.next(
                    arena.allocate(map.keySize()).address(),
                    arena.allocate(map.valueBytes()).address(),
                    1);
            return feature("map entries in batches", result, "Linux 5.6");
        }
    }

    private static void programs(List<Feature> found) {
        try (var arena = Arena.ofConfined()) {
            var log = arena.allocate(LOG_SIZE);
            int program = BpfProgram.tryLoad("probe", log, Instruction.move(0, 0), Instruction.EXIT);
            found.add(feature("program for traffic control", program, "a kernel with CONFIG_NET_CLS_BPF"));
            if (program >= 0) {
                for (var helper : Helper.values()) {
                    String name = "helper bpf_" + helper.name().toLowerCase(Locale.ROOT);
                    found.add(helper(name, helper.number, helper.since));
                }
                int attached = BpfLink.tryTcx(NO_INTERFACE, Direction.INGRESS, program);
                found.add(feature("TCX link", Errno.ENODEV.is(attached) ? 0 : attached, "Linux 6.6"));
                Libc.close(program);
            }
        }
    }

    /** Helpers a datapath calls; numbers are enum bpf_func_id of linux/bpf.h. */
    private enum Helper {
        SKB_VLAN_PUSH(18, "Linux 4.3"),
        SKB_SET_TUNNEL_KEY(21, "Linux 4.3"),
        REDIRECT(23, "Linux 4.4"),
        SKB_ADJUST_ROOM(50, "Linux 4.13"),
        CLONE_REDIRECT(13, "Linux 4.2"),
        RINGBUF_RESERVE(131, "Linux 5.8"),
        REDIRECT_PEER(155, "Linux 5.10"),
        KTIME_GET_COARSE_NS(160, "Linux 5.11");

        final int number;
        final String since;

        Helper(int number, String since) {
            this.number = number;
            this.since = since;
        }
    }

    /** The verifier knows a helper when it complains of its arguments, not of its name. */
    static Feature helper(String name, int number, String since) {
        try (var arena = Arena.ofConfined()) {
            var log = arena.allocate(LOG_SIZE);
            int result = BpfProgram.tryLoad("probe", log, Instruction.call(number), Instruction.EXIT);
            if (result >= 0) {
                Libc.close(result);
            }
            String said = log.getString(0);
            boolean known = result >= 0
                    || !said.isBlank()
                            && !said.contains("invalid func")
                            && !said.contains("unknown func")
                            && !said.contains("cannot use helper");
            return feature(name, known ? 0 : result, since);
        }
    }

    private static Feature tried(String name, String since, IntSupplier attempt) {
        int result = attempt.getAsInt();
        if (result >= 0) {
            Libc.close(result);
        }
        return feature(name, result, since);
    }

    private static Feature feature(String name, int result, String since) {
        return result >= 0
                ? new Feature(name, true, "")
                : new Feature(name, false, Errno.name(-result) + "; needs " + since);
    }

    private static Feature fileSystem() {
        String name = "bpf file system";
        try {
            boolean known =
                    Files.readAllLines(Path.of("/proc/filesystems")).stream().anyMatch(line -> line.endsWith("\tbpf"));
            return new Feature(
                    name, known, known ? "" : "not in /proc/filesystems; needs a kernel with CONFIG_BPF_SYSCALL");
        } catch (IOException unreadable) {
            return new Feature(name, false, "/proc/filesystems cannot be read: is /proc mounted?");
        }
    }

    private static Feature library() {
        try {
            Libbpf.get();
            return new Feature("libbpf", true, "");
        } catch (BpfException absent) {
            return new Feature("libbpf", false, String.valueOf(absent.getMessage()));
        }
    }
}
