package dev.weft.datapath.ebpf;

import dev.weft.datapath.bpf.BpfException;
import dev.weft.datapath.bpf.BpfObject;
import java.io.IOException;
import java.io.UncheckedIOException;
import org.junit.jupiter.api.Assumptions;

/** What the build made of src/test/bpf. */
final class TestObjects {
    private TestObjects() {}

    /** Skips the calling test, with the reason, where it was not built or cannot be read. */
    static BpfObject open(String name) {
        try (var file = TestObjects.class.getResourceAsStream("/dev/weft/datapath/bpf/" + name + ".bpf.o")) {
            Assumptions.assumeTrue(file != null, name + ".bpf.o was not built: no clang for BPF");
            return BpfObject.open(file.readAllBytes(), name);
        } catch (IOException unreadable) {
            throw new UncheckedIOException(unreadable);
        } catch (BpfException refused) {
            // libbpf is not on this machine
            Assumptions.assumeFalse(refused.getCause() instanceof IllegalArgumentException, refused.getMessage());
            throw refused;
        }
    }
}
