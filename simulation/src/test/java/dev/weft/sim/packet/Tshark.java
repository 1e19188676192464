package dev.weft.sim.packet;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;

/** An independent parser: writes frames to a capture file and lets tshark dissect them, all checksums verified. */
public final class Tshark {
    private static final List<String> VERIFY = List.of("ip", "tcp", "udp");

    private Tshark() {}

    public static boolean isPresent() {
        for (String folder : System.getenv().getOrDefault("PATH", "").split(":")) {
            if (Files.isExecutable(Path.of(folder, "tshark"))) {
                return true;
            }
        }
        return false;
    }

    /**
     * One line per frame: the fields, parted by tabs; several values of one field by commas.
     *
     * @param folder for the capture file
     */
    public static List<String> fields(Path folder, List<byte[]> frames, String... fields)
            throws IOException, InterruptedException {
        var file = folder.resolve("frames.pcap");
        writeCapture(file, frames);
        var command = new ArrayList<String>();
        command.addAll(List.of("tshark", "-n", "-r", file.toString(), "-T", "fields", "-E", "separator=/t"));
        for (String protocol : VERIFY) {
            command.addAll(List.of("-o", protocol + ".check_checksum:TRUE"));
        }
        command.addAll(List.of("-o", "ip.defragment:FALSE", "-o", "ipv6.defragment:FALSE"));
        for (String field : fields) {
            command.addAll(List.of("-e", field));
        }
        var errors = folder.resolve("tshark-errors.txt").toFile();
        var process = new ProcessBuilder(command).redirectError(errors).start();
        try (var output = process.inputReader()) {
            var lines = output.lines().toList();
            if (!process.waitFor(60, TimeUnit.SECONDS) || process.exitValue() != 0) {
                throw new IOException("tshark failed: " + Files.readString(errors.toPath()));
            }
            return lines;
        } finally {
            process.destroyForcibly();
        }
    }

    private static void writeCapture(Path file, List<byte[]> frames) throws IOException {
        int size = 24 + frames.stream().mapToInt(frame -> 16 + frame.length).sum();
        var capture = ByteBuffer.allocate(size).order(ByteOrder.LITTLE_ENDIAN);
        // Magic, version 2.4, zone and accuracy 0, snap length, link type Ethernet.
        capture.putInt(0xa1b2c3d4)
                .putShort((short) 2)
                .putShort((short) 4)
                .putLong(0)
                .putInt(0x40000)
                .putInt(1);
        for (byte[] frame : frames) {
            capture.putLong(0).putInt(frame.length).putInt(frame.length).put(frame);
        }
        Files.write(file, capture.array());
    }
}
