package dev.weft.state;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class SalJournalTest {
    @TempDir
    Path folder;

    private Path file() {
        return folder.resolve("serval-0.journal");
    }

    private List<SalFlow> read() {
        List<SalFlow> flows = new ArrayList<>();
        SalJournal.read(file(), flows::add);
        return flows;
    }

    @Test
    void whatWasWrittenIsThereWhenTheWriterIsGone() {
        try (var arena = Arena.ofConfined()) {
            var journal = SalJournal.create(file(), 8, arena);
            journal.write(3, 1, 2, 4, 5, 6, 7, 8, 9);
            journal.write(7, 1, 2, -4, 0, 0, 1, -8, 0);
            journal.write(5, 1, 2, 10, 0, 0, 1, 0, 0);
            journal.erase(5);
        }
        assertThat(read()).containsExactly(new SalFlow(1, 2, 4, 5, 6, 7, 8, 9), new SalFlow(1, 2, -4, 0, 0, 1, -8, 0));
    }

    @Test
    void aTornPlaceIsEmpty() throws IOException {
        try (var arena = Arena.ofConfined()) {
            SalJournal.create(file(), 8, arena).write(0, 1, 2, 4, 5, 6, 7, 8, 9);
        }
        byte[] octets = Files.readAllBytes(file());
        for (int at = 8; at < 8 + SalJournal.PLACE; at++) {
            octets[at] ^= 2;
            Files.write(file(), octets);
            assertThat(read()).as("octet %d", at).isEmpty();
            octets[at] ^= 2;
        }
        octets[7] ^= 1;
        Files.write(file(), octets);
        assertThat(read()).as("of another layout").isEmpty();
        Files.write(file(), new byte[3]);
        assertThat(read()).isEmpty();
        Files.delete(file());
        assertThat(read()).isEmpty();
    }
}
