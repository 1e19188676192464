package dev.weft.datapath.ebpf;

import static java.lang.foreign.ValueLayout.JAVA_INT;
import static org.assertj.core.api.Assertions.assertThat;

import dev.weft.datapath.bpf.BpfObject;
import dev.weft.datapath.soft.FrameDrop;
import dev.weft.sim.packet.Malformed;
import java.lang.reflect.Field;
import java.lang.reflect.Modifier;
import java.util.Arrays;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** The numbers of layout.h are read from src/test/bpf/layout.bpf.c as it was compiled: nothing is loaded. */
class LayoutTest {
    private final BpfObject object = TestObjects.open("layout");

    @AfterEach
    void close() {
        object.close();
    }

    private int number(String name) {
        return object.variable(".rodata", name).get(JAVA_INT, 0);
    }

    @Test
    void eachNumberOfLayoutIsThatOfTheHeader() throws IllegalAccessException {
        int compared = 0;
        for (Class<?> type : Stream.concat(Stream.of(Layout.class), Arrays.stream(Layout.class.getDeclaredClasses()))
                .toList()) {
            for (Field field : type.getDeclaredFields()) {
                if (field.isSynthetic() || !Modifier.isStatic(field.getModifiers())) {
                    continue;
                }
                String name = type.getSimpleName() + "_" + field.getName();
                assertThat(field.getInt(null)).as(name).isEqualTo(number(name));
                compared++;
            }
        }
        assertThat(compared).isGreaterThan(100);
    }

    @Test
    void dropsAreCountedInTheOrderOfFrameDrop() {
        for (FrameDrop drop : FrameDrop.values()) {
            assertThat(drop.ordinal()).as("%s", drop).isEqualTo(number("FrameDrop_" + drop));
        }
        assertThat(FrameDrop.values()).hasSize(number("FrameDrop_count"));
    }

    @Test
    void malformedFramesAreCountedByTheCodesOfMalformed() {
        for (Malformed lie : Malformed.values()) {
            assertThat(lie.code()).as("%s", lie).isEqualTo(number("Malformed_" + lie));
        }
        assertThat(Malformed.count()).isEqualTo(number("Malformed_count"));
    }
}
