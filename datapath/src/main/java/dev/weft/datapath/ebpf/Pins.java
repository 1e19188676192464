package dev.weft.datapath.ebpf;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;
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
import java.io.IOException;
import java.lang.foreign.Arena;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.StandardCopyOption;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.UUID;
import org.jspecify.annotations.Nullable;

/**
 * What a host keeps beyond its process: a folder of pins under its id, or nothing for a datapath that dies with it. Safe
 * from any thread.
 *
 * <p><b>Upgrade.</b> Maps of another layout are let go of, but not the links: the old programs go on forwarding by the
 * old maps, while ports and keys are written to new ones. {@link #swap} then exchanges the programs; what was established
 * is a miss from then on, is simulated anew and loses no packet.
 */
final class Pins {
    /** Before the names of links whose programs wait to be swapped. */
    private static final String OLD = "old-";

    private final @Nullable BpfFileSystem folder;
    // Guarded by this: programs that will be at their interfaces after the swap, by the names of their links.
    private final Map<String, Waiting> waiting = new LinkedHashMap<>();
    private boolean upgrading;
    private long incarnation;

    /** A program that waits for the swap, and the place for it. */
    private record Waiting(NetworkNamespace namespace, int ifindex, int program) {}

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

    /** Whether all of these maps are there, of that layout; if not, those that are there are let go of. */
    synchronized boolean hold(List<String> maps, int layout) {
        if (folder == null) {
            return false;
        }
        boolean all = folder.list().containsAll(maps);
        OptionalInt found = setting(Layout.Settings.LAYOUT_VERSION);
        if (all && found.equals(OptionalInt.of(layout))) {
            return true;
        }
        incarnation = all && found.isPresent() ? longSetting(Layout.Settings.INCARNATION) : 0;
        maps.forEach(folder::unpin);
        for (String link : folder.list()) {
            upgrading = true;
            rename(link, OLD + link);
        }
        return false;
    }

    /** Of the datapath whose links go on until the swap, 0 when there is none that can be known. */
    synchronized long upgradedIncarnation() {
        return upgrading ? incarnation : 0;
    }

    private void rename(String from, String to) {
        try {
            Files.move(requireFolder().pin(from), requireFolder().pin(to), StandardCopyOption.REPLACE_EXISTING);
        } catch (IOException refused) {
            throw new DatapathException("pin " + from + " cannot be renamed to " + to, refused);
        }
    }

    private BpfFileSystem requireFolder() {
        return Objects.requireNonNull(folder, "a datapath that keeps nothing has no pins");
    }

    /** Ends an upgrade: each interface gets its new program in place of the old; old ones that nobody wants go. */
    synchronized void swap() {
        if (!upgrading) {
            return;
        }
        upgrading = false;
        var names = requireFolder().list();
        waiting.forEach((name, wanted) -> {
            for (String old : names) {
                if (old.startsWith(OLD) && isAt(old, wanted.ifindex)) {
                    rename(old, name);
                    break;
                }
            }
            link(name, wanted.namespace, wanted.ifindex, wanted.program).close();
        });
        waiting.clear();
        requireFolder().list().stream().filter(name -> name.startsWith(OLD)).forEach(this::forget);
    }

    private boolean isAt(String name, int ifindex) {
        Optional<BpfLink> link = BpfLink.pinned(requireFolder().pin(name));
        if (link.isEmpty()) {
            return false;
        }
        try (var held = link.get()) {
            return held.info().ifindex() == ifindex;
        }
    }

    /** A number of the settings that are pinned: what stands at their beginning is the same in all layouts. */
    OptionalInt setting(int offset) {
        return settings().map(bytes -> OptionalInt.of(bytes.getInt(offset))).orElse(OptionalInt.empty());
    }

    /** As {@link #setting}, of 64 bits; 0 when there are none. */
    long longSetting(int offset) {
        return settings().map(bytes -> bytes.getLong(offset)).orElse(0L);
    }

    private Optional<ByteBuffer> settings() {
        if (folder == null) {
            return Optional.empty();
        }
        Optional<BpfMap> settings = BpfMap.pinned(folder.pin("settings"));
        if (settings.isEmpty()) {
            return Optional.empty();
        }
        try (var map = settings.get();
                var arena = Arena.ofConfined()) {
            var value = arena.allocate(map.valueBytes(), 8);
            BpfException.check(
                    map.lookup(arena.allocateFrom(JAVA_INT, 0).address(), value.address()), "read the pinned settings");
            return Optional.of(ByteBuffer.wrap(value.toArray(JAVA_BYTE)).order(ByteOrder.nativeOrder()));
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

    /**
     * A program at an interface from the swap on, when there is one to come; at once else.
     *
     * @return empty: it waits
     */
    synchronized Optional<BpfLink> linkAtSwap(String name, NetworkNamespace namespace, int ifindex, int program) {
        if (!upgrading) {
            return Optional.of(link(name, namespace, ifindex, program));
        }
        waiting.put(name, new Waiting(namespace, ifindex, program));
        return Optional.empty();
    }

    synchronized BpfLink link(String name, NetworkNamespace namespace, int ifindex, int program) {
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
    synchronized void forget(String name) {
        waiting.remove(name);
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
