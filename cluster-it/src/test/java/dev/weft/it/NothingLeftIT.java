package dev.weft.it;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.net.NetworkInterface;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
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
    private static final Pattern OURS = Pattern.compile("(?:lab|wi|wb|weft-dp-[hv]-|weft-lm-)(\\d+)(?:-.*)?");

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
