package dev.weft.topology;

import dev.weft.base.IpAddress;
import java.util.ArrayList;
import java.util.List;
import java.util.UUID;

/** Where everything lies in ZooKeeper. */
final class ZkPaths {
    static final String ROOT = "/weft";
    /** One number: how many transactions there were. Each transaction writes it, so they happen one after another. */
    static final String CHANGE = ROOT + "/change";
    /** {@code <number>}: what that transaction wrote. */
    static final String LOG = ROOT + "/log";
    /** {@code <kind>/<id>}: the newest form of each object. */
    static final String TOPOLOGY = ROOT + "/topology";
    /** {@code <kind>/<device>/<bucket>/<entry>}. */
    static final String TABLES = ROOT + "/tables";
    /** {@code <host>}, ephemeral: the host's agent has a session. */
    static final String ALIVE = ROOT + "/alive";
    /** {@code <host>}: how often the host lost its tunnel keys. */
    static final String EPOCHS = ROOT + "/epochs";
    /** {@code <wait>}, ephemeral: somebody waits for hosts to have a change. */
    static final String WAITS = ROOT + "/waits";
    /** {@code <wait>/<host>}, ephemeral: the host has it. */
    static final String ANSWERS = ROOT + "/answers";

    /** {@code <pool>/<address>/<number>}: whose a block of public ports is. */
    static final String NAT = ROOT + "/nat";

    /** {@code <role>/<candidate>}, ephemeral: who does it, and who would. */
    static final String LEADERS = ROOT + "/leaders";

    private ZkPaths() {}

    /** All that must be there before anything else, parents first. {@link #CHANGE} is made last and holds a zero. */
    static List<String> foundations() {
        var paths = new ArrayList<>(List.of(ROOT, LOG, TOPOLOGY, TABLES, ALIVE, EPOCHS, WAITS, ANSWERS, NAT, LEADERS));
        Schema.kinds().forEach(kind -> paths.add(kind(kind)));
        return paths;
    }

    static String kind(ObjectKind kind) {
        return TOPOLOGY + "/" + kind.name();
    }

    static String object(ObjectKind kind, UUID id) {
        return kind(kind) + "/" + id;
    }

    static String log(long number) {
        return LOG + "/" + number;
    }

    static String alive(UUID host) {
        return ALIVE + "/" + host;
    }

    static String natPool(UUID pool) {
        return NAT + "/" + pool;
    }

    static String natAddress(UUID pool, IpAddress address) {
        return natPool(pool) + "/" + address;
    }

    static String lastPart(String path) {
        return path.substring(path.lastIndexOf('/') + 1);
    }
}
