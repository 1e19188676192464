package dev.weft.topology;

import static org.assertj.core.api.Assertions.assertThat;

import com.google.protobuf.Message;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

class TopologyWriterTest {
    private static final TopologySnapshot NET = ChangeSet.offlineSnapshot(
            new TopologyReader().text("net.yaml", TopologyReaderTest.NET).desired());

    private static List<Message> all(TopologySnapshot net) {
        var all = new ArrayList<Message>();
        Schema.kinds().forEach(kind -> all.addAll(net.all(kind)));
        return all;
    }

    @Test
    void yamlReadsBackAsTheSameTopology() {
        readsBack(NET);
        readsBack(ChangeSet.offlineSnapshot(
                new TopologyReader().text("net.yaml", TopologyReaderTest.CHAINS).desired()));
    }

    private static void readsBack(TopologySnapshot net) {
        String yaml = new TopologyWriter(net).yaml(all(net));
        TopologySnapshot again = ChangeSet.offlineSnapshot(
                new TopologyReader().text("again.yaml", yaml).desired());
        for (ObjectKind kind : Schema.kinds()) {
            assertThat(List.copyOf(again.all(kind))).as(kind.plural()).isEqualTo(List.copyOf(net.all(kind)));
        }
    }

    @Test
    void yamlIsWrittenAsPeopleWriteIt() {
        String yaml = new TopologyWriter(NET).yaml(NET.routes());
        assertThat(yaml)
                .startsWith("tenant: acme\nroutes:\n  - id: ")
                .contains(
                        "    router: r\n    destination: 0.0.0.0/0\n    port: r-right\n    gateway: 10.0.2.9\n    weight: 2\n")
                .contains("    action: blackhole\n");
    }
}
