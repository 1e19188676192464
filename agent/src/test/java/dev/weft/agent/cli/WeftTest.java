package dev.weft.agent.cli;

import static org.assertj.core.api.Assertions.assertThat;

import dev.weft.base.WeftException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.net.ConnectException;
import java.util.List;
import java.util.concurrent.Callable;
import org.junit.jupiter.api.Test;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;

class WeftTest {
    private final StringWriter out = new StringWriter();
    private final StringWriter err = new StringWriter();

    @Command(name = "show")
    static final class Show implements Callable<Integer> {
        @Mixin
        private Output output = new Output();

        @Override
        public Integer call() {
            output.print(
                    "hosts",
                    new Table("name", "ports", "alive", "tags")
                            .row("host-1", 12, true, List.of("a", "b"))
                            .row("h2", 3L, false, null));
            return ExitCode.OK;
        }
    }

    @Command(name = "fail")
    static final class Fail implements Callable<Integer> {
        private final Exception failure;

        Fail(Exception failure) {
            this.failure = failure;
        }

        @Override
        public Integer call() throws Exception {
            throw failure;
        }
    }

    private int run(String... args) {
        return Weft.run(new PrintWriter(out), new PrintWriter(err), args);
    }

    private int runWith(Object command, String... args) {
        return Weft.lineOf(new Weft(), new PrintWriter(out), new PrintWriter(err), command)
                .execute(args);
    }

    @Test
    void listsItsCommandsAndExitCodes() {
        assertThat(run("--help")).isEqualTo(ExitCode.OK);
        assertThat(out.toString()).contains("help", "Exit codes:", "verify", "bench", "--debug");
        assertThat(err.toString()).isEmpty();
    }

    @Test
    void tellsItsVersion() {
        assertThat(run("--version")).isZero();
        assertThat(out.toString()).startsWith("weft ").contains("Java 25");
    }

    @Test
    void refusesAnUnknownWordAndPointsToTheHelp() {
        assertThat(run("dmeo")).isEqualTo(ExitCode.USAGE);
        assertThat(err.toString()).contains("'dmeo'", "see weft --help").doesNotContain("\tat ");
    }

    @Test
    void refusesToDoNothing() {
        assertThat(run()).isEqualTo(ExitCode.USAGE);
        assertThat(err.toString()).contains("a command is missing");
    }

    @Test
    void printsAlignedColumnsForPeople() {
        assertThat(runWith(new Show(), "show")).isZero();
        assertThat(out.toString()).isEqualTo("""
                NAME    PORTS  ALIVE  TAGS
                host-1     12  yes    a, b
                h2          3  no     -
                """);
    }

    @Test
    void printsOneDocumentForPrograms() {
        assertThat(runWith(new Show(), "show", "-o", "json")).isZero();
        assertThat(out.toString())
                .isEqualToIgnoringNewLines(
                        "{\"hosts\":[{\"name\":\"host-1\",\"ports\":12,\"alive\":true,\"tags\":[\"a\",\"b\"]},"
                                + "{\"name\":\"h2\",\"ports\":3,\"alive\":false,\"tags\":null}]}\n");
    }

    @Test
    void saysOneSentenceWhenTheInputIsRefused() {
        assertThat(runWith(new Fail(new WeftException("port 'x' is not there")), "fail"))
                .isEqualTo(ExitCode.REFUSED);
        assertThat(err.toString()).contains("port 'x' is not there").doesNotContain("\tat ");
    }

    @Test
    void tellsAnUnreachableStoreFromRefusedInput() {
        var refused = new WeftException("store 127.0.0.1:1 does not answer", new ConnectException("refused"));
        assertThat(runWith(new Fail(refused), "fail")).isEqualTo(ExitCode.UNREACHABLE);
    }

    @Test
    void takesTheExitCodeThatACommandChose() {
        assertThat(runWith(new Fail(Failure.failed("2 of 3 hosts answered within 10 s")), "fail"))
                .isEqualTo(ExitCode.FAILED);
    }

    @Test
    void callsAnUnexpectedExceptionItsOwnMistake() {
        assertThat(runWith(new Fail(new IllegalStateException("odd")), "fail")).isEqualTo(ExitCode.INTERNAL);
        assertThat(err.toString()).contains("odd", "--debug").doesNotContain("\tat ");
    }

    @Test
    void showsTheStackTraceOnDemand() {
        assertThat(runWith(new Fail(new IllegalStateException("odd")), "--debug", "fail"))
                .isEqualTo(ExitCode.INTERNAL);
        assertThat(err.toString()).contains("\tat ");
    }
}
