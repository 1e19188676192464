package dev.weft.agent.control;

import static org.assertj.core.api.Assertions.assertThat;

import dev.weft.agent.worker.Command;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

class TableMirrorTest {
    private static final int HOLD = 500;

    private final Set<Integer> network = new HashSet<>(Set.of(1, 2));
    private final List<Command> told = new ArrayList<>();
    private final TableMirror<String, Integer> mirror = new TableMirror<>(new Ports(), told::add, HOLD);

    /** Keys are words, values port numbers; a port must be in the network. */
    private final class Ports implements TableMirror.Translation<String, Integer> {
        @Override
        public @Nullable Command learned(String key, Integer port) {
            return network.contains(port) ? new Command.MacLearned(0, 0, key.length(), port) : null;
        }

        @Override
        public @Nullable Command forgotten(String key, Integer port) {
            return network.contains(port) ? new Command.MacForgotten(0, 0, key.length(), port) : null;
        }
    }

    @Test
    void anEntryAboutAPortThatIsNotThereYetWaitsForIt() {
        mirror.put("a", 3);
        assertThat(told).isEmpty();

        network.add(3);
        mirror.networkChanged();
        mirror.networkChanged();

        assertThat(told).containsExactly(new Command.MacLearned(0, 0, 1, 3));
    }

    @Test
    void anEntryThatWasTakenBackGoesAtOnce() {
        mirror.put("a", 1);
        mirror.remove("a", false, 0);

        assertThat(told).last().isEqualTo(new Command.MacForgotten(0, 0, 1, 1));
    }

    @Test
    void anEntryWhoseOwnerDiedStaysAMoment() {
        mirror.put("a", 1);
        mirror.remove("a", true, 0);
        mirror.release(HOLD - 1, key -> false);
        assertThat(told).hasSize(1);
        assertThat(mirror.holdsBack()).isTrue();

        mirror.release(HOLD, key -> false);

        assertThat(told).last().isEqualTo(new Command.MacForgotten(0, 0, 1, 1));
    }

    @Test
    void anEntryThatIsMadeAgainByANewSessionDoesNotBlink() {
        mirror.put("a", 1);
        mirror.remove("a", true, 0);
        mirror.put("a", 1);
        mirror.release(2 * HOLD, key -> false);

        assertThat(told).allMatch(command -> command instanceof Command.MacLearned);
    }
}
