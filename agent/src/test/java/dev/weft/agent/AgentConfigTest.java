package dev.weft.agent;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class AgentConfigTest {
    @TempDir
    Path folder;

    @Test
    void optionsGoBeforeTheFileAndTheFileBeforeDefaults() throws IOException {
        Path file = Files.writeString(
                folder.resolve("weft.conf"),
                "weft.agent { name = from-file, underlay = 172.16.0.9, session-timeout = 2 s, workers = 3 }");

        var config = AgentConfig.load(file, Map.of("name", "h1", "state-dir", folder.toString()));

        assertThat(config.name()).isEqualTo("h1");
        assertThat(config.underlay()).hasToString("172.16.0.9");
        assertThat(config.workers()).isEqualTo(3);
        assertThat(config.sessionTimeout()).isEqualTo(Duration.ofSeconds(2));
        assertThat(config.socket()).isEqualTo(folder.resolve("agent.sock"));
        assertThat(config.limits().learnedPerPort()).isEqualTo(64);
    }

    @Test
    void theMachineNamesTheHostAndItsProcessorsTheWorkers() {
        var config = AgentConfig.load(Map.of("underlay", "fd00::1"));

        assertThat(config.name()).isNotBlank();
        assertThat(config.workers()).isBetween(1, 4);
        assertThat(config.sessionTimeout()).isEqualTo(Duration.ofSeconds(6));
    }

    @Test
    void badValuesAreNamedWithWhatIsAllowed() {
        assertThatThrownBy(() -> AgentConfig.load(Map.of("underlay", "here")))
                .isInstanceOf(AgentException.class)
                .hasMessageContaining("'here'")
                .hasMessageContaining("--underlay");
        assertThatThrownBy(() -> AgentConfig.load(Map.of("underlay", "10.0.0.1", "datapath", "magic")))
                .hasMessageContaining("'magic'")
                .hasMessageContaining("userspace");
        assertThatThrownBy(() -> AgentConfig.load(Map.of("underlay", "10.0.0.1", "workers", 1000)))
                .hasMessageContaining("1000")
                .hasMessageContaining("1..127");
        assertThatThrownBy(() -> AgentConfig.load(Map.of("underlay", "10.0.0.1", "session-timeout", "soon")))
                .hasMessageContaining("session-timeout");
    }
}
