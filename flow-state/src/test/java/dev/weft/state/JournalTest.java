package dev.weft.state;

import static org.assertj.core.api.Assertions.assertThat;

import dev.weft.base.Allocation;
import dev.weft.base.IpAddress;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

final class JournalTest {
    private static final int SLOTS = 8;

    @TempDir
    Path folder;

    private final Arena arena = Arena.ofConfined();

    @AfterEach
    void close() {
        arena.close();
    }

    private Path file() {
        return folder.resolve("connections-0.journal");
    }

    private List<String> read() {
        List<String> all = new ArrayList<>();
        Journal.read(file(), connection -> all.add(connection.forward + (connection.isOwned() ? " owned" : " copy")));
        return all;
    }

    @Test
    void hasWhatWasWrittenAndNotWhatWasErased() {
        var journal = Journal.create(file(), SLOTS, arena);
        journal.write(2, connection(1000, true));
        journal.write(5, connection(2000, false));
        journal.write(7, connection(3000, true));
        journal.erase(7);
        assertThat(read())
                .containsExactly("tcp 10.0.0.1:1000 > 8.8.8.8:443 owned", "tcp 10.0.0.1:2000 > 8.8.8.8:443 copy");
        journal.write(2, connection(1001, true));
        assertThat(read()).first().asString().contains(":1001 ");
    }

    @Test
    void leavesOutATornPlace() throws IOException {
        var journal = Journal.create(file(), SLOTS, arena);
        journal.write(0, connection(1000, true));
        journal.write(1, connection(2000, true));
        byte[] bytes = Files.readAllBytes(file());
        bytes[8 + Journal.PLACE + 100] ^= 1;
        Files.write(file(), bytes);
        assertThat(read()).containsExactly("tcp 10.0.0.1:1000 > 8.8.8.8:443 owned");
    }

    @Test
    void readsNothingFromWhatIsNoJournal() throws IOException {
        assertThat(read()).isEmpty();
        Files.write(file(), new byte[] {1, 2, 3});
        assertThat(read()).isEmpty();
        Files.write(file(), new byte[4096]);
        assertThat(read()).isEmpty();
    }

    @Test
    void holdsTheLongestRecordAndAllocatesNothing() {
        var journal = Journal.create(file(), SLOTS, arena);
        var longest = connection(1, true);
        for (int i = 1; i < Connection.MAX_BINDINGS; i++) {
            longest.bind(i, Connection.SOURCE, 0, IpAddress.V4_MARK | i, i);
        }
        Runnable many = () -> {
            for (int i = 0; i < 50_000; i++) {
                journal.write(i % SLOTS, longest);
                journal.erase((i + 1) % SLOTS);
            }
        };
        many.run();
        many.run();
        assertThat(Allocation.bytes(many)).isZero();
        assertThat(read()).isNotEmpty();
    }

    private static Connection connection(int port, boolean owned) {
        var connection = new Connection();
        connection.port(7, 1);
        connection.forward.scope(1).protocol(6);
        connection.forward.src(0, IpAddress.V4_MARK | 0x0a000001, port);
        connection.forward.dst(0, IpAddress.V4_MARK | 0x08080808, 443);
        connection.bind(9, Connection.SOURCE, 0, IpAddress.V4_MARK | 0xcb007101L, 20000);
        connection.state(Phase.OPEN, 3, owned);
        connection.answerAt(2);
        return connection;
    }
}
