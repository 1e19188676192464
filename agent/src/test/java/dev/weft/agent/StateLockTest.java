package dev.weft.agent;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class StateLockTest {
    @TempDir
    Path folder;

    @Test
    void aSecondAgentIsKeptOutUntilTheFirstIsGone() throws IOException {
        StateLock first = StateLock.take(folder);
        assertThatThrownBy(() -> StateLock.take(folder))
                .isInstanceOf(AgentException.class)
                .hasMessageContaining(folder.toString())
                .hasMessageContaining("--state-dir");

        first.close();

        StateLock second = StateLock.take(folder);
        assertThat(second).isNotNull();
        second.close();
    }
}
