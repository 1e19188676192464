package dev.weft.agent;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;

/** What an agent keeps between its runs, by file; one folder for each host. */
record StateFolder(Path folder) {
    /** @throws AgentException when it cannot be made */
    static StateFolder make(Path folder) {
        try {
            Files.createDirectories(folder);
            return new StateFolder(folder);
        } catch (IOException e) {
            throw new AgentException(
                    "state folder " + folder + " cannot be made (expected a writable place): " + e.getMessage()
                            + "; give --state-dir DIR",
                    e);
        }
    }

    /** The id of the host, the same for ever. */
    Path hostId() {
        return folder.resolve("host-id");
    }

    /** The ZooKeeper session of the last agent. */
    Path session() {
        return folder.resolve("session");
    }

    /** Tunnel keys, for as long as the datapath that knows them. */
    Path tunnelKeys() {
        return folder.resolve("tunnel-keys");
    }

    /** What rules want noted. */
    Path ruleLog() {
        return folder.resolve("rules.log");
    }

    /** Topology and tables as the last agent had read them. */
    Path archive() {
        return folder.resolve("state");
    }
}
