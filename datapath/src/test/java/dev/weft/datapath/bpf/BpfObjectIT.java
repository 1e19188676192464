package dev.weft.datapath.bpf;

import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.ArrayDeque;
import java.util.Deque;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** Loads src/test/bpf/sample.bpf.c as the build compiled it. */
final class BpfObjectIT {
    private final Deque<AutoCloseable> opened = new ArrayDeque<>();
    private final Arena arena = Arena.ofConfined();
    private byte[] elf = {};

    @BeforeEach
    void read() throws IOException {
        TestPrograms.needKernel();
        try (var file = BpfObjectIT.class.getResourceAsStream("sample.bpf.o")) {
            Assumptions.assumeTrue(file != null, "sample.bpf.o was not built: no clang for BPF");
            elf = file.readAllBytes();
        }
    }

    @AfterEach
    void close() throws Exception {
        while (!opened.isEmpty()) {
            opened.pop().close();
        }
        arena.close();
    }

    private <T extends AutoCloseable> T opened(T resource) {
        opened.push(resource);
        return resource;
    }

    /** With the inner map that its map of maps needs, and without the program that the verifier refuses. */
    private BpfObject sample() {
        var object = opened(BpfObject.open(elf, "sample"));
        try (var inner = BpfMap.create(BpfMapType.ARRAY, "inner", 4, 8, 1, 0)) {
            object.innerMap("outer", inner.fd()).autoload("refused", false);
            return object;
        }
    }

    private int run(int program) {
        return BpfProgram.testRun(program, arena.allocate(60), MemorySegment.NULL, MemorySegment.NULL, 1)
                .returned();
    }

    @Test
    void constantsAreSetBeforeLoading() {
        var object = sample().constant("answer", 40).constant("wide", 2);
        assertThat(run(object.load().program("answering"))).isEqualTo(42);
        assertThatThrownBy(() -> object.constant("answer", 1))
                .isInstanceOf(IllegalStateException.class)
                .hasMessageContaining("before load()");
    }

    @Test
    void mapsAreSizedFoundAndSharedWithThePrograms() {
        var object = sample().maxEntries("table", 1000)
                .flags("table", BpfMap.NO_PREALLOCATION)
                .load();
        var table = opened(object.map("table"));
        assertThat(table.maxEntries()).isEqualTo(1000);
        assertThat(table.flags()).isEqualTo(BpfMap.NO_PREALLOCATION);
        assertThat(table.update(
                        arena.allocateFrom(JAVA_INT, 7).address(),
                        arena.allocateFrom(JAVA_LONG, 99).address(),
                        BpfMap.ANY))
                .isZero();
        assertThat(run(object.program("answering"))).isEqualTo(99);
    }

    @Test
    void innerMapsAreReachedThroughTheOuterOne() {
        var object = sample().load();
        var outer = opened(object.map("outer"));
        var inner = opened(BpfMap.create(BpfMapType.ARRAY, "inner", 4, 8, 1, 0));
        var zero = arena.allocateFrom(JAVA_INT, 0).address();
        assertThat(inner.update(zero, arena.allocateFrom(JAVA_LONG, 5).address(), BpfMap.ANY))
                .isZero();
        assertThat(run(object.program("nested"))).as("no inner map yet").isEqualTo(-1);
        assertThat(outer.update(zero, arena.allocateFrom(JAVA_INT, inner.fd()).address(), BpfMap.ANY))
                .isZero();
        assertThat(run(object.program("nested"))).isEqualTo(5);
    }

    @Test
    void mapOfAnEarlierObjectGoesOnInTheNext() {
        var before = sample().load();
        var table = opened(before.map("table"));
        assertThat(table.update(
                        arena.allocateFrom(JAVA_INT, 7).address(),
                        arena.allocateFrom(JAVA_LONG, 55).address(),
                        BpfMap.ANY))
                .isZero();
        var after = sample().reuse("table", table.fd()).load();
        assertThat(opened(after.map("table")).id()).isEqualTo(table.id());
        assertThat(run(after.program("answering"))).isEqualTo(55);
    }

    @Test
    void refusedProgramIsToldWithTheEndOfTheVerifiersLog() {
        var object = sample().autoload("refused", true);
        assertThatThrownBy(object::load)
                .isInstanceOf(BpfException.class)
                .hasMessageStartingWith("load object file sample: EACCES")
                .hasMessageContaining("invalid access to packet")
                .hasMessageContaining("refused");
    }

    @Test
    void whatIsNotInTheFileIsToldByName() {
        var object = sample();
        assertThatThrownBy(() -> object.maxEntries("none", 1))
                .isInstanceOf(BpfException.class)
                .hasMessageContaining("find map none in object file sample: ENOENT");
        assertThatThrownBy(() -> object.constant("none", 1))
                .isInstanceOf(BpfException.class)
                .hasMessageContaining("object file sample has no variable none in .rodata");
        assertThatThrownBy(() -> object.map("table"))
                .isInstanceOf(IllegalStateException.class)
                .hasMessageContaining("after load()");
        object.load();
        assertThatThrownBy(() -> object.program("refused"))
                .isInstanceOf(BpfException.class)
                .hasMessageContaining("was it left out?");
    }

    @Test
    void fileThatIsNoObjectIsRefused() {
        assertThatThrownBy(() -> BpfObject.open(new byte[100], "noise"))
                .isInstanceOf(BpfException.class)
                .hasMessageContaining("open object file noise")
                .satisfies(thrown -> assertThat(((BpfException) thrown).errno()).isNotZero());
    }

    @Test
    void absentLibraryIsNamedWithItsPackage() {
        assertThatThrownBy(() -> Libbpf.load("libbpf.so.none"))
                .isInstanceOf(BpfException.class)
                .hasMessageContaining("libbpf.so.none is not on this machine")
                .hasMessageContaining("install the package libbpf1");
        assertThatThrownBy(() -> Libbpf.load("libm.so.6"))
                .isInstanceOf(BpfException.class)
                .hasMessageContaining("libbpf has no function bpf_object__open_mem");
    }

    @Test
    void programRefusedByTheKernelItselfShowsTheLogToo() {
        assertThatThrownBy(() -> BpfProgram.load("endless", Instruction.EXIT))
                .isInstanceOf(BpfException.class)
                .hasMessageContaining("load program endless: EACCES")
                .hasMessageContaining("R0 !read_ok");
    }
}
