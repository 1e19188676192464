package dev.weft.agent.cli;

import static org.assertj.core.api.Assertions.assertThat;

import dev.weft.agent.cli.ServicePolicy.Write;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

/** What the reference controller writes because of which events, as a specification. */
class ServicePolicyTest {
    private static final String WEB = "0x00004001/256";

    private static Map<String, Object> instance(String event, String service, String port, String address) {
        return Map.of("event", event, "service", service, "port", port, "address", address);
    }

    private static Map<String, Object> up(String port, String address) {
        return instance("instance-up", WEB, port, address);
    }

    private static Map<String, Object> down(String port) {
        return instance("instance-down", WEB, port, "10.0.0.1");
    }

    private static Map<String, Object> statistics(int second, String port, long bytes) {
        return Map.of(
                "event",
                "statistics",
                "at",
                "2026-01-01T00:00:%02dZ".formatted(second),
                "ports",
                List.of(Map.of("port", port, "received-bytes", bytes, "sent-bytes", 0L)));
    }

    private static Write share(String address, String name, String value) {
        return new Write(Map.of("service", WEB, "port", address, name, value));
    }

    @Test
    void theBusierAnInstanceTheSmallerItsWeight() {
        var load = new ServicePolicy.Load(WEB, 1000);
        assertThat(load.on(up("i1", "10.0.2.11"))).isEmpty();
        assertThat(load.on(statistics(1, "i1", 0))).as("no rate yet").isEmpty();
        assertThat(load.on(statistics(2, "i1", 0))).containsExactly(share("10.0.2.11", "weight", "100"));
        assertThat(load.on(statistics(3, "i1", 50))).as("hardly changed").isEmpty();
        assertThat(load.on(statistics(5, "i1", 1050))).containsExactly(share("10.0.2.11", "weight", "50"));
        assertThat(load.on(statistics(6, "i1", 9050))).containsExactly(share("10.0.2.11", "weight", "1"));
        assertThat(load.on(statistics(7, "other", 9050))).as("no instance").isEmpty();
        assertThat(load.isDone()).isFalse();
    }

    @Test
    void aWeightIsWrittenAnewWhenTheInstanceCameBack() {
        var load = new ServicePolicy.Load(WEB, 1000);
        load.on(up("i1", "10.0.2.11"));
        load.on(statistics(1, "i1", 0));
        assertThat(load.on(statistics(2, "i1", 0))).hasSize(1);
        load.on(down("i1"));
        load.on(up("i1", "10.0.2.12"));
        assertThat(load.on(statistics(3, "i1", 0))).containsExactly(share("10.0.2.12", "weight", "100"));
    }

    @Test
    void aDrainedInstanceIsDoneWhenItHasBeenQuietForAWhile() {
        var drain = new ServicePolicy.Drain(WEB, "i1", 100);
        assertThat(drain.on(up("i2", "10.0.2.12"))).isEmpty();
        assertThat(drain.on(up("i1", "10.0.2.11"))).containsExactly(share("10.0.2.11", "drain", "true"));
        assertThat(drain.on(down("i1"))).as("the drained one is no instance").isEmpty();
        long[] bytes = {0, 1000, 1010, 1020, 5000, 5001, 5002};
        for (int i = 0; i < bytes.length; i++) {
            drain.on(statistics(i, "i1", bytes[i]));
            assertThat(drain.isDone()).isFalse();
        }
        drain.on(statistics(bytes.length, "i1", 5003));
        assertThat(drain.isDone()).isTrue();
    }

    @Test
    void theActiveGroupIsUsedOnceThereAreEnoughOfIt() {
        var policy = new ServicePolicy.BlueGreen(WEB, "green", 2);
        assertThat(policy.on(up("blue1", "10.0.2.11"))).isEmpty();
        assertThat(policy.on(up("green1", "10.0.2.21"))).isEmpty();
        assertThat(policy.on(up("green2", "10.0.2.22")))
                .containsExactly(
                        share("10.0.2.11", "priority", "0"),
                        share("10.0.2.21", "priority", "1000"),
                        share("10.0.2.22", "priority", "1000"));
        assertThat(policy.on(up("green2", "10.0.2.22"))).as("nothing is new").isEmpty();
        assertThat(policy.on(down("green2")))
                .as("the others stand by as they are")
                .isEmpty();
        assertThat(policy.on(up("green3", "10.0.2.23"))).containsExactly(share("10.0.2.23", "priority", "1000"));
    }

    @Test
    void aPolicySaysWhatItNeeds() {
        var err = new StringWriter();
        int code = Weft.run(
                new PrintWriter(new StringWriter()),
                new PrintWriter(err, true),
                "service",
                "controller",
                "--policy",
                "blue-green",
                "--table",
                "web",
                "--service",
                "0x00004001");
        assertThat(code).isEqualTo(ExitCode.USAGE);
        assertThat(err.toString()).contains("policy blue-green needs --active");
    }

    @Test
    void otherServicesAndEventsAreNoneOfItsBusiness() {
        var policy = new ServicePolicy.BlueGreen(WEB, "g", 1);
        assertThat(policy.on(instance("instance-up", "0x00004002/256", "g1", "10.0.2.21")))
                .isEmpty();
        assertThat(policy.on(Map.of("event", "topology", "change", 7L))).isEmpty();
        assertThat(policy.instances).isEmpty();
    }
}
