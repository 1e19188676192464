package dev.weft.datapath.ebpf;

/**
 * The structs and numbers of {@code layout.h}, which says what they mean. Offsets in bytes; integers in host byte order.
 */
final class Layout {
    static final int VERSION = 5;

    static final int MAX_PORTS = 4096;
    static final int STATE_PORT = 4095;
    static final int LAST_PORT = 4094;
    static final int LOW_INTERFACES = 65_536;
    static final int MAX_MASKS = 4096;
    static final int PORT_MASKS = 64;
    static final int MAX_REMOTES = 4096;
    static final int MAX_STEPS = 65_536;
    static final int CHUNK = 2048;
    static final int EXACT_MASK = 1;

    static final int KEY_SIZE = 80;

    static final class Port {
        static final int SIZE = 176;
        static final int IFINDEX = 0;
        static final int FLAGS = 4;
        static final int MTU = 8;
        static final int MASK_COUNT = 12;
        static final int MASKS = 16;
        static final int RATE = 160;
        static final int CAPTURE = 164;
        static final int FLOOD_RATE = 168;

        static final int UP = 1;
        static final int PEER = 2;
        static final int TAP = 4;

        private Port() {}
    }

    static final class PortCounters {
        static final int RECEIVED_PACKETS = 0;
        static final int RECEIVED_BYTES = 8;
        static final int SENT_PACKETS = 16;
        static final int SENT_BYTES = 24;
        static final int HITS = 32;
        static final int MISSES = 40;
        static final int UPCALLS = 48;
        static final int OVER_BUDGET = 56;

        private PortCounters() {}
    }

    static final class Step {
        static final int SIZE = 68;
        static final int SET = 0;
        static final int OUT = 2;
        static final int TTL = 3;
        static final int MTU = 4;
        static final int TCI = 6;
        static final int DST_MAC = 8;
        static final int SRC_MAC = 14;
        static final int L4_SRC = 20;
        static final int L4_DST = 22;
        static final int ICMP_ID = 24;
        static final int DSCP = 26;
        static final int TARGET = 28;
        static final int REMOTE = 32;
        static final int SRC = 36;
        static final int DST = 52;

        static final int SET_DST_MAC = 1;
        static final int SET_SRC_MAC = 2;
        static final int SET_SRC = 4;
        static final int SET_DST = 8;
        static final int SET_L4_SRC = 16;
        static final int SET_L4_DST = 32;
        static final int SET_ICMP_ID = 64;
        static final int SET_DSCP = 128;
        static final int PUSH_VLAN = 256;
        static final int POP_VLAN = 512;

        static final int OUT_NONE = 0;
        static final int OUT_PORT = 1;
        static final int OUT_TUNNEL = 2;

        private Step() {}
    }

    static final class Flow {
        static final int SIZE = 112;
        static final int PACKETS = 0;
        static final int BYTES = 8;
        static final int USED = 16;
        static final int ID = 24;
        static final int FIRST_STEP = 32;
        static final int WORKER = 36;
        static final int TCP_FLAGS = 37;
        static final int STEP_COUNT = 38;
        static final int LEAST_MTU = 40;
        static final int MOST_TTL = 42;
        static final int LIFE = 43;
        static final int STEP = 44;

        private Flow() {}
    }

    static final class Remote {
        static final int SIZE = 64;
        static final int FLAGS = 0;
        static final int IFINDEX = 4;
        static final int DST = 8;
        static final int SRC = 24;
        static final int DST_MAC = 40;
        static final int SRC_MAC = 46;
        static final int V4_SUM = 52;
        static final int MTU = 56;

        static final int DIRECT = 1;
        static final int V6 = 2;

        private Remote() {}
    }

    static final class Settings {
        static final int SIZE = 64;
        static final int LAYOUT_VERSION = 0;
        static final int WORKERS = 4;
        static final int TUNNEL_PORT = 8;
        static final int VXLAN_IFINDEX = 12;
        static final int SHARE_CHUNKS = 16;
        static final int UNDERLAY_V6 = 20;
        static final int UNDERLAY = 24;
        static final int INCARNATION = 40;
        static final int LIFE = 48;
        static final int NAMESPACE = 56;

        private Settings() {}
    }

    static final class Identity {
        static final int SIZE = 64;
        static final int ID_HIGH = 0;
        static final int ID_LOW = 8;
        static final int MAC = 16;
        static final int NAMESPACE = 24;
        static final int IFINDEX = 32;
        static final int NAME = 40;
        static final int NAME_SIZE = 24;

        private Identity() {}
    }

    static final class Fragmented {
        static final int SIZE = 48;
        static final int INGRESS = 0;
        static final int SRC_HIGH = 8;
        static final int SRC_LOW = 16;
        static final int DST_HIGH = 24;
        static final int DST_LOW = 32;
        static final int ID = 40;
        static final int PROTOCOL = 44;

        private Fragmented() {}
    }

    static final class FirstFragment {
        static final int SIZE = 16;
        static final int SEEN = 0;
        static final int L4 = 8;
        static final int KEPT_SECONDS = 30;

        private FirstFragment() {}
    }

    static final class Upcall {
        static final int SIZE = 32;
        static final int LENGTH = 0;
        static final int IN_PORT = 4;
        static final int TUNNEL_KEY = 8;
        static final int REASON = 12;
        static final int FLAGS = 14;
        static final int GSO_SIZE = 16;
        static final int CHUNKS = 20;

        static final int FROM_VM = 1;
        static final int UNREAD = 1;
        static final int AGAIN = 2;

        private Upcall() {}
    }

    static final class Inject {
        static final int SIZE = 88;
        static final int MARK = 0;
        static final int FLAGS = 4;
        static final int IN_PORT = 8;
        static final int TUNNEL_KEY = 12;
        static final int STEP = 16;

        static final int LOOKUP = 1;
        static final int NO_PUNT = 2;
        static final int SLOT_BITS = 12;
        static final int PLACE_BITS = 19;

        private Inject() {}
    }

    static final int COUNT_DELIVERED = 0;
    static final int COUNT_STATE_FRAMES = 1;
    static final int COUNT_TUNNEL_UPCALLS = 2;
    static final int COUNT_CAPTURES_MISSED = 3;

    private Layout() {}
}
