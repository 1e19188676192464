package dev.weft.it;

import static org.assertj.core.api.Assertions.assertThat;

import dev.weft.datapath.bpf.BpfFileSystem;
import dev.weft.datapath.bpf.BpfMap;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.NetworkInterface;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.Order;
import org.junit.jupiter.api.Test;

/**
 * The last class of the last module: whatever the tests made is gone. Names that tests give carry the number of the
 * process that gave them, so that what another run on the same machine is using now is not taken for a leftover.
 */
@Order(Integer.MAX_VALUE)
class NothingLeftIT {
    private static final Path NAMESPACES = Path.of("/run/netns");
    /** As the tests of all modules name them: the labs', the datapath's, the link monitor's. */
    private static final Pattern OURS = Pattern.compile("(?:lab|wi|wb|weft-dp-[hv]-|weft-lm-|weft-e-)(\\d+)(?:-.*)?");

    private static final Path PINS = BpfFileSystem.USUAL.resolve("weft");
    private static final Path PROCESSES = Path.of("/proc");
    /** What a datapath makes for itself: both ends of its injection pair, its vxlan device. */
    private static final Pattern DEVICES = Pattern.compile("weft-[iov]\\d+");

    private static final Pattern CABLES = Pattern.compile("underlay0|fabric0|(?:vm|up)\\d+");

    @Test
    void noNamespaceIsLeft() throws IOException {
        if (!Files.isDirectory(NAMESPACES)) {
            return; // Nobody could make one.
        }
        try (Stream<Path> entries = Files.list(NAMESPACES)) {
            assertThat(entries.map(path -> path.getFileName().toString()).filter(NothingLeftIT::isLeftover))
                    .as("namespaces in %s", NAMESPACES)
                    .isEmpty();
        }
    }

    private static boolean isLeftover(String namespace) {
        Matcher ours = OURS.matcher(namespace);
        if (!ours.matches()) {
            return false;
        }
        long pid = Long.parseLong(ours.group(1));
        return pid == ProcessHandle.current().pid()
                || ProcessHandle.of(pid).filter(ProcessHandle::isAlive).isEmpty();
    }

    @Test
    void noCableOfALabIsLeftOutside() throws IOException {
        assertThat(NetworkInterface.networkInterfaces().map(NetworkInterface::getName))
                .noneMatch(name -> CABLES.matcher(name).matches());
    }

    /** A datapath that runs holds its maps; one that another run is about to take over again is nobody's for a moment. */
    @Test
    void noPinIsLeft() {
        Awaitility.await()
                .atMost(Duration.ofSeconds(20))
                .untilAsserted(
                        () -> assertThat(abandonedPins()).as("pins in %s", PINS).isEmpty());
    }

    private static List<Path> abandonedPins() throws IOException {
        if (!Files.isDirectory(PINS)) {
            return List.of(); // Nobody made one, or there is no such file system.
        }
        Set<String> held = mapsInUse(ProcessHandle.allProcesses());
        try (Stream<Path> hosts = Files.list(PINS)) {
            return hosts.filter(host -> BpfMap.pinned(host.resolve("settings"))
                            .map(settings -> !held.contains(idOf(settings)))
                            .orElse(true))
                    .toList();
        }
    }

    private static String idOf(BpfMap map) {
        try (map) {
            return Integer.toString(map.id());
        }
    }

    /** The kernel's numbers of the BPF maps that these processes have open. */
    private static Set<String> mapsInUse(Stream<ProcessHandle> processes) {
        return processes
                .flatMap(process -> descriptors(process).stream())
                .filter(line -> line.startsWith("map_id:"))
                .map(line -> line.substring(line.indexOf('\t') + 1))
                .collect(Collectors.toSet());
    }

    /** All that the kernel tells of a process's open descriptors. */
    private static List<String> descriptors(ProcessHandle process) {
        var lines = new ArrayList<String>();
        try (Stream<Path> files = Files.list(PROCESSES.resolve(process.pid() + "/fdinfo"))) {
            for (Path file : files.toList()) {
                lines.addAll(Files.readAllLines(file));
            }
        } catch (IOException | UncheckedIOException gone) {
            return lines; // The process or one of its descriptors ended meanwhile, or is not ours to look at.
        }
        return lines;
    }

    @Test
    void thisProcessHoldsNoProgramAtAnInterface() {
        assertThat(descriptors(ProcessHandle.current()))
                .as("BPF links among the descriptors")
                .noneMatch(line -> line.startsWith("link_id:"));
    }

    @Test
    void noDeviceOfADatapathIsLeftOutside() throws IOException {
        var others = ProcessHandle.allProcesses().filter(process -> !process.equals(ProcessHandle.current()));
        if (!mapsInUse(others).isEmpty()) {
            return; // Another datapath runs on this machine, and may have them.
        }
        assertThat(NetworkInterface.networkInterfaces().map(NetworkInterface::getName))
                .noneMatch(name -> DEVICES.matcher(name).matches());
    }

    @Test
    void noProcessIsLeft() {
        assertThat(ProcessHandle.current().descendants().map(NothingLeftIT::describe))
                .as("children of this process")
                .isEmpty();
        assertThat(ProcessHandle.allProcesses()
                        .filter(NothingLeftIT::isOrphan)
                        .map(NothingLeftIT::describe)
                        .filter(NothingLeftIT::isOfALab))
                .as("children of test processes that are no more")
                .isEmpty();
    }

    private static boolean isOrphan(ProcessHandle process) {
        return process.parent().map(parent -> parent.pid() == 1).orElse(true);
    }

    /** Agents and stores of labs keep their things in temporary folders. */
    private static boolean isOfALab(String commandLine) {
        return commandLine.contains("dev.weft.agent.cli.Weft")
                && List.of("/weft-it-", "/junit", "/weft-demo-").stream().anyMatch(commandLine::contains);
    }

    private static String describe(ProcessHandle process) {
        try {
            // ProcessHandle.Info cuts long command lines.
            String line = Files.readString(Path.of("/proc", Long.toString(process.pid()), "cmdline"));
            return process.pid() + " " + line.replace('\0', ' ');
        } catch (IOException gone) {
            return process.pid() + " ended meanwhile";
        }
    }
}
