package dev.weft.datapath.bpf;

import dev.weft.datapath.kernel.Mounts;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.List;

/**
 * Where pins are: a folder in a file system of type {@code bpf}, one for each host id. Safe from any thread.
 *
 * <p>Names hold letters, digits, '-' and '_': the kernel keeps those with a dot for itself.
 */
public final class BpfFileSystem {
    /** Where systemd and most distributions mount it. */
    public static final Path USUAL = Path.of("/sys/fs/bpf");

    private static final String TYPE = "bpf";

    private final Path folder;

    private BpfFileSystem(Path folder) {
        this.folder = folder;
    }

    /**
     * The folder of one host, made when it is not there; the file system is mounted when it is not yet.
     *
     * @param mountPoint such as {@link #USUAL}; made if need be when its parent can be written
     */
    public static BpfFileSystem of(Path mountPoint, String hostId) {
        if (hostId.isEmpty() || !hostId.matches("[A-Za-z0-9_-]+")) {
            throw new IllegalArgumentException(
                    "folder of pins '" + hostId + "' (expected letters, digits, '-' and '_')");
        }
        mount(mountPoint);
        var pins = new BpfFileSystem(mountPoint.resolve("weft").resolve(hostId));
        pins.create();
        return pins;
    }

    /** Mounts a bpf file system there unless one is there. */
    public static void mount(Path mountPoint) {
        try {
            Files.createDirectories(mountPoint);
        } catch (IOException refused) {
            throw new BpfException(
                    "folder " + mountPoint + " for a bpf file system cannot be made: " + refused.getMessage()
                            + "; name another one",
                    refused);
        }
        if (!isMounted(mountPoint)) {
            BpfException.check(Mounts.mount(TYPE, mountPoint, "mode=0700"), "mount a bpf file system on " + mountPoint);
        }
    }

    /** Takes one off again that {@link #mount} put there; pins in it are gone with it. */
    public static void unmount(Path mountPoint) {
        BpfException.check(Mounts.unmount(mountPoint), "unmount the bpf file system on " + mountPoint);
    }

    public static boolean isMounted(Path path) {
        try {
            return Files.getFileStore(path).type().equals(TYPE);
        } catch (IOException unknown) {
            return false;
        }
    }

    private void create() {
        try {
            var onlyUs = PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rwx------"));
            Files.createDirectories(folder, onlyUs);
        } catch (IOException refused) {
            throw new BpfException("folder " + folder + " for pins cannot be made: " + refused.getMessage(), refused);
        }
    }

    public Path folder() {
        return folder;
    }

    public Path pin(String name) {
        return folder.resolve(name);
    }

    /** Names of what is pinned, in order. */
    public List<String> list() {
        if (!Files.isDirectory(folder)) {
            return List.of();
        }
        try (var entries = Files.list(folder)) {
            return entries.map(path -> path.getFileName().toString()).sorted().toList();
        } catch (IOException unreadable) {
            throw new BpfException("folder " + folder + " of pins cannot be read", unreadable);
        }
    }

    /** Removes a pin if it is there; what it held lives on if anybody else holds it. */
    public void unpin(String name) {
        try {
            Files.deleteIfExists(pin(name));
        } catch (IOException refused) {
            throw new BpfException("pin " + pin(name) + " cannot be removed: " + refused.getMessage(), refused);
        }
    }

    /** Removes all pins of this host and their folder. */
    public void remove() {
        list().forEach(this::unpin);
        try {
            Files.deleteIfExists(folder);
        } catch (IOException refused) {
            throw new BpfException("folder " + folder + " of pins cannot be removed: " + refused.getMessage(), refused);
        }
    }
}
