package dev.weft.agent;

import dev.weft.agent.worker.Worker;
import dev.weft.sim.guard.SalGuard;
import dev.weft.state.ConnectionHash;
import dev.weft.state.SalFlow;
import dev.weft.state.SalJournal;
import dev.weft.state.StateMessage;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.foreign.Arena;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/**
 * What guards know of Serval flows, in the state folder, as {@link Journals} has connections. Used by the thread that
 * starts the agent.
 */
final class SalJournals {
    private static final String NAMES = "serval-*.journal";

    private SalJournals() {}

    /**
     * Before the workers run: gives them what an earlier run left, each to the worker that has the port's guard now, and a
     * journal each for this one.
     *
     * @throws AgentException when there are journals that cannot be read or made
     */
    static void open(Path folder, List<Worker> workers, Arena arena) {
        List<SalFlow> left = new ArrayList<>();
        try (var files = Files.newDirectoryStream(folder, NAMES)) {
            for (Path file : files) {
                SalJournal.read(file, left::add);
                Files.delete(file);
            }
            for (int i = 0; i < workers.size(); i++) {
                Path path = folder.resolve("serval-" + i + ".journal");
                workers.get(i).keepServal(SalJournal.create(path, SalGuard.CAPACITY, arena));
            }
        } catch (IOException | UncheckedIOException broken) {
            throw new AgentException(
                    "state folder " + folder + ": " + broken.getMessage() + "; give --state-dir DIR", broken);
        }
        for (SalFlow flow : left) {
            int home = StateMessage.homeOfPort(flow.portHigh(), flow.portLow());
            workers.get(ConnectionHash.home(home, workers.size())).restoreServal(flow);
        }
    }
}
