package dev.weft.it.bench;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.List;
import org.junit.jupiter.api.Test;

class ReportTest {
    private final Row fast = Row.of("fast", 640, "ns", Row.Bar.atMost(1000), "calibration");
    private final Row slow = Row.of(
            "slow",
            List.of(new Row.Figure(1.5, "us", Row.Bar.atMost(2)), new Row.Figure(0.5, "ratio", Row.Bar.atLeast(0.9))),
            "bare echo");

    @Test
    void aRowHoldsOnlyIfAllItsFiguresDo() {
        assertThat(fast.holds()).isTrue();
        assertThat(slow.holds()).isFalse();
    }

    @Test
    void aRowThatCouldNotRunDoesNotHoldAndSaysWhy() throws IOException {
        Row absent = Row.couldNotRun("absent", "needs root");

        assertThat(absent.holds()).isFalse();
        assertThat(json(absent)).contains("\"holds\":false").contains("\"why\":\"needs root\"");
    }

    @Test
    void severalFiguresBecomeLists() throws IOException {
        assertThat(json(fast, slow)).isEqualTo("""
                        {"bench":"b","rows":[\
                        {"name":"fast","value":640.0,"unit":"ns","bar":"<= 1000","holds":true,"against":"calibration"},\
                        {"name":"slow","value":[1.5,0.5],"unit":["us","ratio"],"bar":["<= 2",">= 0.9000"],\
                        "holds":false,"against":"bare echo"}]}
                        """);
    }

    @Test
    void theTableNamesTheMissedBar() {
        assertThat(Report.table("b", List.of(slow)).lines().toList().get(3))
                .contains("ratio")
                .contains("NO");
    }

    private static String json(Row... rows) throws IOException {
        var out = new ByteArrayOutputStream();
        Report.json("b", List.of(rows), out);
        return out.toString(StandardCharsets.UTF_8);
    }
}
