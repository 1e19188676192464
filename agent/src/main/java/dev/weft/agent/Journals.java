package dev.weft.agent;

import dev.weft.agent.worker.Worker;
import dev.weft.state.Connection;
import dev.weft.state.ConnectionHash;
import dev.weft.state.Journal;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.foreign.Arena;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/**
 * The connections of all workers in the state folder: what an earlier run left is read once, at start, and given to the
 * workers that are home to it now; there may be another number of them. Used by the thread that starts the agent.
 */
final class Journals {
    private static final String NAMES = "connections-*.journal";

    private final Path folder;
    private final List<Connection> left = new ArrayList<>();

    /** @throws AgentException when there are journals that cannot be read */
    Journals(Path folder) {
        this.folder = folder;
        for (Path file : files()) {
            try {
                Journal.read(file, connection -> {
                    var copy = new Connection();
                    copy.copyFrom(connection);
                    left.add(copy);
                });
            } catch (UncheckedIOException broken) {
                throw new AgentException(broken.getMessage() + "; remove it to start without its connections", broken);
            }
        }
    }

    /** An empty journal for a worker of this run. */
    Journal create(int worker, int slots, Arena arena) {
        try {
            return Journal.create(path(worker), slots, arena);
        } catch (UncheckedIOException broken) {
            throw new AgentException(broken.getMessage() + "; give --state-dir DIR", broken);
        }
    }

    /** Before the workers run: an owner's record to the home of its forward packets, a copy to that of its answers. */
    void restore(List<Worker> workers) {
        for (Connection connection : left) {
            int forward = ConnectionHash.home(connection.forward.homeHash(), workers.size());
            int answer = ConnectionHash.home(connection.answer.homeHash(), workers.size());
            if (connection.isOwned()) {
                workers.get(forward).restore(connection);
            }
            if (!connection.isOwned() || answer != forward) {
                connection.state(connection.phase(), connection.epoch(), false);
                workers.get(answer).restore(connection);
            }
        }
        left.clear();
    }

    /** Those of workers that this run does not have. */
    void removeBeyond(int workers) {
        List<Path> kept = new ArrayList<>();
        for (int i = 0; i < workers; i++) {
            kept.add(path(i));
        }
        for (Path file : files()) {
            if (!kept.contains(file)) {
                try {
                    Files.deleteIfExists(file);
                } catch (IOException e) {
                    throw new AgentException("journal " + file + " cannot be removed: " + e.getMessage(), e);
                }
            }
        }
    }

    private Path path(int worker) {
        return folder.resolve("connections-" + worker + ".journal");
    }

    private List<Path> files() {
        try (var found = Files.newDirectoryStream(folder, NAMES)) {
            var files = new ArrayList<Path>();
            found.forEach(files::add);
            return files;
        } catch (IOException e) {
            throw new AgentException("state folder " + folder + " cannot be read: " + e.getMessage(), e);
        }
    }
}
