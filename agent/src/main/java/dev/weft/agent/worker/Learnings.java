package dev.weft.agent.worker;

/** Hears what workers learn from packets, for the other hosts. Called on worker threads: hand it on and return. */
public interface Learnings {
    /** A bridge saw a MAC at one of this host's ports. */
    void macLearned(int bridge, int vlan, long mac, int port);

    /** That MAC has been silent there for long. */
    void macForgotten(int bridge, int vlan, long mac, int port);

    /** A router's neighbour, behind that port of ours, said its MAC. */
    void neighbourLearned(int router, int routerPort, long high, long low, long mac, int vmPort);

    /** The datapath of another host answered the question with this token. */
    void probeAnswered(long token);

    /**
     * A worker is out of public ports of a pool, or soon will be.
     *
     * @param ahead it still has some
     */
    void blockWanted(long pool, int worker, boolean ahead);

    /** A packet waits for a service, since a rule of the table with this number delays it: once a second for each. */
    void serviceDelayed(int table, long word0, long word1, long word2, long word3);

    /**
     * The VM behind a port of this host says that it serves services, or serves them no longer.
     *
     * @param bits of the id that count: 1..256
     * @param address IPv4 bits
     */
    void instanceHeard(int port, boolean goes, int bits, int address, long word0, long word1, long word2, long word3);
}
