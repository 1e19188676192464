package dev.weft.base;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.HashSet;
import java.util.UUID;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class BaseTest {
    @Test
    void macAddressesReadWhatTheyWrite() {
        Property.holds(random -> {
            var mac = new MacAddress(random.nextLong() >>> 16);
            assertThat(MacAddress.parse(mac.toString())).isEqualTo(mac);
            assertThat(MacAddress.isGroup(mac.bits())).isEqualTo((mac.bits() >>> 40 & 1) == 1);
        });
        assertThat(MacAddress.parse("2:0:0:0:A:b")).hasToString("02:00:00:00:0a:0b");
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "",
                "02:00:00:00:00",
                "02:00:00:00:00:01:02",
                "02-00-00-00-00-01",
                "0g:00:00:00:00:01",
                "002:00:00:00:00:01",
                "02:00:00:00:00:",
                "02:00:00:00:00:+1",
                "\u0660:0:0:0:0:0"
            })
    void refusesWhatIsNoMac(String text) {
        assertThat(MacAddress.tryParse(text)).isEmpty();
        assertThatThrownBy(() -> MacAddress.parse(text)).isInstanceOf(IllegalArgumentException.class);
    }

    @Test
    void tagsOfDifferentThingsDiffer() {
        var tags = new HashSet<Long>();
        int things = 0;
        for (int i = 0; i < 1_000; i++) {
            var id = new UUID(i, ~i);
            long[] all = {
                Tag.device(id),
                Tag.host(id),
                Tag.location(id),
                Tag.flood(id),
                Tag.datapathPort(i),
                Tag.connection(i),
                Tag.mac(id, 0, 2),
                Tag.mac(id, 1, 2),
                Tag.mac(id, 0, 3),
                Tag.neighbour(id, 0, 1),
                Tag.neighbour(id, 1, 0),
                Tag.routed(id, 0, 0, 64, 0),
                Tag.routed(id, 0, 0, 65, 0),
                Tag.routed(id, 0, 0, 64, 1)
            };
            for (long tag : all) {
                tags.add(tag);
                things++;
            }
        }
        assertThat(tags).hasSize(things);
    }

    @Test
    void mixingSpreadsNeighbouringNumbers() {
        var buckets = new int[64];
        for (int i = 0; i < 64_000; i++) {
            buckets[(int) (Hashing.mix(i) >>> 58)]++;
        }
        for (int bucket : buckets) {
            assertThat(bucket).isBetween(800, 1_200);
        }
        assertThat(Hashing.combine(1, 2)).isNotEqualTo(Hashing.combine(2, 1));
    }
}
