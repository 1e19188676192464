package dev.weft.datapath.ebpf;

import static java.lang.foreign.ValueLayout.JAVA_INT;

import dev.weft.datapath.DatapathConfig;
import dev.weft.datapath.DatapathException;
import dev.weft.datapath.bpf.BpfException;
import dev.weft.datapath.bpf.BpfFileSystem;
import dev.weft.datapath.bpf.BpfLink;
import dev.weft.datapath.bpf.BpfMap;
import dev.weft.datapath.bpf.BpfObject;
import dev.weft.datapath.link.Direction;
import dev.weft.datapath.link.NetworkNamespace;
import java.lang.foreign.Arena;
import java.nio.file.Files;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.UUID;
import org.jspecify.annotations.Nullable;

/**
 * What a host keeps beyond its process: a folder of pins under its id, or nothing for a datapath that dies with it. Not
 * thread safe: guarded by its users.
 */
final class Pins {
    private final @Nullable BpfFileSystem folder;

    private Pins(@Nullable BpfFileSystem folder) {
        this.folder = folder;
    }

    static Pins of(UUID host) {
        if (host.equals(DatapathConfig.NO_HOST)) {
            return new Pins(null);
        }
        try {
            return new Pins(BpfFileSystem.of(BpfFileSystem.USUAL, host.toString()));
        } catch (BpfException refused) {
            throw new DatapathException("the datapath cannot be kept: " + refused.getMessage(), refused);
        }
    }

    /** The pins of a host that has some. */
    static Optional<Pins> existing(UUID host) {
        boolean there = Files.isDirectory(BpfFileSystem.USUAL.resolve("weft").resolve(host.toString()));
        return there ? Optional.of(of(host)) : Optional.empty();
    }

    boolean keepsAnything() {
        return folder != null;
    }

    /**
     * Whether all of these maps are there, of that layout. If only some are, or they are of another one, they are let go
     * of: interfaces keep forwarding by them until their programs are swapped.
     */
    boolean hold(List<String> maps, int layout) {
        if (folder == null) {
            return false;
        }
        boolean all = folder.list().containsAll(maps);
        if (all && setting(Layout.Settings.LAYOUT_VERSION).equals(OptionalInt.of(layout))) {
            return true;
        }
        maps.forEach(folder::unpin);
        return false;
    }

    /** A number of the settings that are pinned. */
    OptionalInt setting(int offset) {
        if (folder == null) {
            return OptionalInt.empty();
        }
        Optional<BpfMap> settings = BpfMap.pinned(folder.pin("settings"));
        if (settings.isEmpty()) {
            return OptionalInt.empty();
        }
        try (var map = settings.get();
                var arena = Arena.ofConfined()) {
            var value = arena.allocate(map.valueBytes(), 8);
            BpfException.check(
                    map.lookup(arena.allocateFrom(JAVA_INT, 0).address(), value.address()), "read the pinned settings");
            return OptionalInt.of(value.get(JAVA_INT, offset));
        }
    }

    BpfMap map(String name) {
        if (folder == null) {
            throw new IllegalStateException("map " + name + " of a datapath that keeps nothing");
        }
        return BpfMap.pinned(folder.pin(name))
                .orElseThrow(
                        () -> new DatapathException("pin " + name + " in " + folder.folder() + " went away just now"));
    }

    void keep(String name, BpfObject object) {
        if (folder != null) {
            try (var map = object.map(name)) {
                map.pin(folder.pin(name));
            }
        }
    }

    /** The link of that name if it still holds a program at that interface. */
    Optional<BpfLink> find(String name, int ifindex) {
        if (folder == null) {
            return Optional.empty();
        }
        Optional<BpfLink> link = BpfLink.pinned(folder.pin(name));
        if (link.isPresent() && link.get().info().ifindex() != ifindex) {
            link.get().close();
            forget(name);
            return Optional.empty();
        }
        return link;
    }

    BpfLink link(String name, NetworkNamespace namespace, int ifindex, int program) {
        Optional<BpfLink> there = find(name, ifindex);
        if (there.isPresent()) {
            there.get().update(program);
            return there.get();
        }
        BpfLink link = BpfLink.tcx(namespace, ifindex, Direction.INGRESS, program);
        if (folder != null) {
            link.pin(folder.pin(name));
        }
        return link;
    }

    /** What was kept under that name is held by its other holders only. */
    void forget(String name) {
        if (folder != null) {
            folder.unpin(name);
        }
    }

    /** Names of all pins. */
    List<String> list() {
        return folder == null ? List.of() : folder.list();
    }

    void remove() {
        if (folder != null) {
            folder.remove();
        }
    }
}
