package dev.weft.datapath.bpf;

import static java.lang.foreign.ValueLayout.JAVA_INT;

import dev.weft.datapath.kernel.Libc;
import dev.weft.datapath.link.Direction;
import dev.weft.datapath.link.NetworkNamespace;
import java.lang.foreign.Arena;
import java.nio.file.Path;
import java.util.Optional;

/**
 * A program held at an interface by a TCX link (Linux 6.6). May be used from any thread while open. The interface keeps
 * the program as long as anybody holds the link: this object, or a pin.
 */
public final class BpfLink implements AutoCloseable {
    private static final int INFO_SIZE = 64; // struct bpf_link_info

    /**
     * What the kernel says of a link.
     *
     * @param ifindex in the interface's namespace; 0 once the interface went away or the link was detached
     * @param programId the kernel's number of the program that runs there
     */
    public record Info(int id, int programId, int ifindex) {
        public boolean attached() {
            return ifindex != 0;
        }
    }

    private final int fd;
    private boolean closed; // guarded by this

    private BpfLink(int fd) {
        this.fd = fd;
    }

    /** Runs the program on every packet of the interface that goes this way, behind those attached before. */
    public static BpfLink tcx(NetworkNamespace namespace, int ifindex, Direction direction, int programFd) {
        int fd = namespace.call(() -> tryTcx(ifindex, direction, programFd));
        return new BpfLink(BpfException.check(
                fd, "attach a program at " + direction + " of interface " + ifindex + " in " + namespace));
    }

    /** In the calling thread's namespace. */
    static int tryTcx(int ifindex, Direction direction, int programFd) {
        var block = Bpf.clearBlock();
        block.set(JAVA_INT, 0, programFd);
        block.set(JAVA_INT, 4, ifindex);
        block.set(JAVA_INT, 8, attachType(direction));
        return Bpf.call(Bpf.LINK_CREATE, block);
    }

    /** enum bpf_attach_type. */
    private static int attachType(Direction direction) {
        return switch (direction) {
            case INGRESS -> 46;
            case EGRESS -> 47;
        };
    }

    /** What is pinned there; empty when nothing is. */
    public static Optional<BpfLink> pinned(Path path) {
        int fd = Bpf.pinned(path, "link");
        return fd < 0 ? Optional.empty() : Optional.of(new BpfLink(fd));
    }

    /** Swaps the program: each packet meets the old or the new one, none meets neither. */
    public void update(int programFd) {
        var block = Bpf.clearBlock();
        block.set(JAVA_INT, 0, fd);
        block.set(JAVA_INT, 4, programFd);
        BpfException.check(
                Bpf.call(Bpf.LINK_UPDATE, block),
                "put program of descriptor " + programFd + " into link of descriptor " + fd);
    }

    /** Gives it a name in a bpf file system, where it outlives this process. */
    public void pin(Path path) {
        Bpf.pin(fd, path, "link");
    }

    /** Takes the program off the interface now, whoever else holds the link. */
    public void detach() {
        var block = Bpf.clearBlock();
        block.set(JAVA_INT, 0, fd);
        BpfException.check(Bpf.call(Bpf.LINK_DETACH, block), "detach link of descriptor " + fd);
    }

    public Info info() {
        try (var arena = Arena.ofConfined()) {
            // type(32) id(32) prog_id(32) pad(32) tcx: ifindex(32) attach_type(32)
            var info = arena.allocate(INFO_SIZE, 8);
            Bpf.info(fd, info, "read about link of descriptor " + fd);
            return new Info(info.get(JAVA_INT, 4), info.get(JAVA_INT, 8), info.get(JAVA_INT, 16));
        }
    }

    public int fd() {
        return fd;
    }

    /** Lets go; unless pinned, the program leaves the interface. */
    @Override
    public synchronized void close() {
        if (!closed) {
            closed = true;
            Libc.close(fd);
        }
    }
}
