package dev.weft.agent;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.attribute.FileTime;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The launcher script, copied beside a built tree in which java only says who it is. No privilege needed. */
class LauncherIT {
    private static final Path LAUNCHER = Path.of("..", "weft").toAbsolutePath().normalize();
    private static final List<String> TOOLS = List.of(
            "bash",
            "readlink",
            "dirname",
            "find",
            "mkdir",
            "flock",
            "touch",
            "uname",
            "rm",
            "mv",
            "cp",
            "tee",
            "sed",
            "head",
            "env",
            "mktemp",
            "timeout");

    @TempDir
    private Path folder;

    private Path root;
    private Path bin;
    private final Map<String, String> environment = new HashMap<>();

    private record Ended(int code, String out, String err) {}

    @BeforeEach
    void buildTheTree() throws IOException {
        root = Files.createDirectories(folder.resolve("weft-tree"));
        Files.copy(LAUNCHER, root.resolve("weft"), StandardCopyOption.COPY_ATTRIBUTES);
        Files.createDirectories(root.resolve(".mvn"));
        Files.writeString(root.resolve(".mvn/weft.jvmargs"), "");
        Files.writeString(root.resolve("pom.xml"), "");
        Files.createDirectories(root.resolve("agent/src/main"));
        Files.writeString(root.resolve("agent/pom.xml"), "");
        Path built = Files.createDirectories(root.resolve(".weft/build"));
        Files.writeString(built.resolve("classpath"), "one.jar\ntwo.jar\n");
        Files.writeString(built.resolve("stamp"), "");
        bin = Files.createDirectories(folder.resolve("bin"));
        for (String tool : TOOLS) {
            Path real = Path.of("/usr/bin", tool);
            if (Files.exists(real)) {
                program(bin.resolve(tool), "exec " + real + " \"$@\"");
            }
        }
        environment.put("PATH", bin.toString());
        environment.put("HOME", folder.toString());
    }

    private Path jdk(String name, String version) throws IOException {
        Path home = Files.createDirectories(folder.resolve(name));
        Files.createDirectories(home.resolve("bin"));
        program(home.resolve("bin/java"), "echo " + name + ' ' + "\"$@\"");
        program(home.resolve("bin/javac"), "exit 1");
        Files.writeString(home.resolve("release"), "IMPLEMENTOR=\"x\"\nJAVA_VERSION=\"" + version + "\"\n");
        return home;
    }

    private static void program(Path file, String body) throws IOException {
        Files.writeString(file, "#!/bin/sh\n" + body + "\n");
        assertThat(file.toFile().setExecutable(true)).isTrue();
    }

    private Ended weft(String... arguments) throws IOException, InterruptedException {
        var command = new ArrayList<String>(List.of(root.resolve("weft").toString()));
        command.addAll(List.of(arguments));
        Path out = folder.resolve("out");
        Path err = folder.resolve("err");
        ProcessBuilder builder =
                new ProcessBuilder(command).redirectOutput(out.toFile()).redirectError(err.toFile());
        builder.environment().clear();
        builder.environment().putAll(environment);
        Process process = builder.start();
        assertThat(process.waitFor(30, TimeUnit.SECONDS)).isTrue();
        return new Ended(
                process.exitValue(),
                Files.readString(out, StandardCharsets.UTF_8),
                Files.readString(err, StandardCharsets.UTF_8));
    }

    @Test
    void takesTheJdkThatItWasToldBeforeAnyOther() throws Exception {
        environment.put("WEFT_JAVA_HOME", jdk("told", "25.0.1").toString());
        environment.put("JAVA_HOME", jdk("home", "25").toString());
        assertThat(weft("status", "two words").out())
                .startsWith("told ")
                .contains("dev.weft.agent.cli.Weft status two words");
    }

    @Test
    void refusesToBeToldAJdkOfAnotherVersion() throws Exception {
        environment.put("WEFT_JAVA_HOME", jdk("told", "17.0.9").toString());
        environment.put("JAVA_HOME", jdk("home", "25").toString());
        Ended ended = weft("status");
        assertThat(ended.code()).isNotZero();
        assertThat(ended.err()).contains("WEFT_JAVA_HOME", "told", "not a JDK 25");
    }

    @Test
    void passesOverAJavaHomeOfAnotherVersion() throws Exception {
        environment.put("JAVA_HOME", jdk("home", "17.0.9").toString());
        Path inPath = jdk("path", "25.0.3");
        Files.createSymbolicLink(bin.resolve("java"), inPath.resolve("bin/java"));
        assertThat(weft("status").out()).startsWith("path ");
    }

    @Test
    void startsTheBenchmarksByTheirOwnMain() throws Exception {
        environment.put("JAVA_HOME", jdk("home", "25").toString());
        assertThat(weft("--no-install", "bench", "simulation", "-o", "json").out())
                .contains("dev.weft.it.Bench simulation -o json");
    }

    @Test
    void passesFlagsOnToTheJvm() throws Exception {
        environment.put("JAVA_HOME", jdk("home", "25").toString());
        environment.put("WEFT_JAVA_OPTS", "-Xmx64m -Done=1");
        assertThat(weft("status").out()).containsSubsequence("-Xmx64m", "-Done=1", "-cp", "Weft status");
    }

    @Test
    void namesWhatTheBuildLacksAndGoesOnWhenToldNotToInstall() throws Exception {
        environment.put("JAVA_HOME", jdk("home", "25").toString());
        Files.delete(root.resolve(".weft/build/stamp"));
        Ended ended = weft("--no-install", "status");
        assertThat(ended.code()).isNotZero();
        assertThat(ended.err()).contains("maven", "--no-install", "Maven 3.8.7");
        assertThat(ended.out()).isEmpty();
    }

    @Test
    void saysOfTheBuildWhatItWentOnWithout() throws Exception {
        environment.put("JAVA_HOME", jdk("home", "25").toString());
        Files.delete(root.resolve(".weft/build/stamp"));
        program(bin.resolve("mvn"), "echo 'weft: no clang: built without the ebpf datapath'; exit 1");
        assertThat(weft("--no-install", "status").err().lines())
                .containsOnlyOnce("weft: no clang: built without the ebpf datapath");
    }

    @Test
    void buildsAgainWhenASourceIsNewerAndShowsWhatFailed() throws Exception {
        environment.put("JAVA_HOME", jdk("home", "25").toString());
        program(
                bin.resolve("mvn"),
                "echo '[ERROR] Weft.java:[1,2] cannot find symbol'; echo '[ERROR] -> [Help 1]'; exit 1");
        assertThat(weft("status").code()).isZero();
        Files.setLastModifiedTime(
                root.resolve("agent/src/main"),
                FileTime.from(Files.getLastModifiedTime(root.resolve(".weft/build/stamp"))
                        .toInstant()
                        .plusSeconds(5)));
        // Whether there is a clang here is not the question.
        Ended ended = weft("--no-install", "status");
        assertThat(ended.code()).isEqualTo(1);
        assertThat(ended.err())
                .contains("cannot find symbol", "the build failed", "build.log")
                .doesNotContain("Help 1");
        assertThat(ended.out()).isEmpty();
    }
}
