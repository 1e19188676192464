package dev.weft.datapath.link;

/** What a link may leave to hardware, or for a veth to nobody: ETHTOOL_G and ETHTOOL_S pairs of linux/ethtool.h. */
public enum Offload {
    RX_CHECKSUM(0x14, 0x15),
    /** Off: every frame carries complete checksums. Switching it off takes TSO with it. */
    TX_CHECKSUM(0x16, 0x17),
    SCATTER_GATHER(0x18, 0x19),
    /** TCP segmentation: a veth passes super-packets of up to 64 KB through unsplit while it is on. */
    TSO(0x1e, 0x1f),
    GSO(0x23, 0x24),
    /** Merging of received segments. */
    GRO(0x2b, 0x2c);

    final int get;
    final int set;

    Offload(int get, int set) {
        this.get = get;
        this.set = set;
    }
}
