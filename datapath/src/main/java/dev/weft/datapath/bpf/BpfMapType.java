package dev.weft.datapath.bpf;

/** The kinds of map Weft knows by name; numbers are enum bpf_map_type of linux/bpf.h. */
public enum BpfMapType {
    HASH(1),
    ARRAY(2),
    PROGRAM_ARRAY(3),
    PER_CPU_HASH(5),
    PER_CPU_ARRAY(6),
    LRU_HASH(9),
    LRU_PER_CPU_HASH(10),
    LPM_TRIE(11),
    ARRAY_OF_MAPS(12),
    HASH_OF_MAPS(13),
    DEVICE_MAP(14),
    RING_BUFFER(27),
    OTHER(-1);

    final int number;

    BpfMapType(int number) {
        this.number = number;
    }

    boolean perCpu() {
        return this == PER_CPU_HASH || this == PER_CPU_ARRAY || this == LRU_PER_CPU_HASH;
    }

    static BpfMapType of(int number) {
        for (var type : values()) {
            if (type.number == number) {
                return type;
            }
        }
        return OTHER;
    }
}
