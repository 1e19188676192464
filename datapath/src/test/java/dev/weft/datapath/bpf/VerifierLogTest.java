package dev.weft.datapath.bpf;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

class VerifierLogTest {
    @Test
    void shortLogIsWhole() {
        assertThat(VerifierLog.end("one\ntwo\n")).isEqualTo("one\ntwo");
        assertThat(VerifierLog.end("")).isEmpty();
    }

    @Test
    void longLogIsItsEndAndTheCountOfTheRest() {
        String log = IntStream.rangeClosed(1, 100).mapToObj(i -> "line " + i).collect(Collectors.joining("\n"));
        assertThat(VerifierLog.end(log).lines())
                .hasSize(41)
                .startsWith("(60 lines left out)", "line 61")
                .endsWith("line 100");
    }
}
