package dev.weft.datapath;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.weft.base.IpAddress;
import dev.weft.datapath.memory.MemoryDatapath;
import dev.weft.datapath.memory.MemoryFabric;
import java.util.List;
import org.junit.jupiter.api.Test;

class DatapathsTest {
    private static final DatapathConfig CONFIG = DatapathConfig.of(1, IpAddress.parse("127.7.0.1"));

    private static Datapaths.Kind kind(String name, boolean automatic, boolean hasFeature) {
        return new Datapaths.Kind(
                name,
                automatic,
                () -> List.of(
                        new Feature(name, "first", true, "there"),
                        new Feature(name, "second", hasFeature, "upgrade to 6.6")),
                config -> new MemoryDatapath(config, new MemoryFabric()),
                host -> List.of());
    }

    @Test
    void theFirstKindThatHasAllItNeedsIsChosenAndTheOthersSayWhatTheyMiss() {
        var kinds = List.of(kind("best", true, false), kind("by-name", false, true), kind("good", true, true));
        Datapaths.Opened opened = Datapaths.open(kinds, Datapaths.AUTO, CONFIG);
        assertThat(opened.passedOver()).containsExactly("best needs second: upgrade to 6.6");
        opened.datapath().close();
        assertThat(Datapaths.open(kinds, "by-name", CONFIG).passedOver()).isEmpty();
    }

    @Test
    void aKindAskedForByNameIsNotReplacedByAnother() {
        var kinds = List.of(kind("best", true, false), kind("good", true, true));
        assertThatThrownBy(() -> Datapaths.open(kinds, "best", CONFIG))
                .isInstanceOf(DatapathException.class)
                .hasMessageContaining("best needs second: upgrade to 6.6");
    }

    @Test
    void anUnknownKindIsNamedWithThoseThereAre() {
        assertThatThrownBy(() -> Datapaths.open("magic", CONFIG))
                .isInstanceOf(DatapathException.class)
                .hasMessageContaining("'magic'")
                .hasMessageContaining("auto, ")
                .hasMessageContaining("memory");
    }
}
