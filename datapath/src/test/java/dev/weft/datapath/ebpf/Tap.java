package dev.weft.datapath.ebpf;

import static java.lang.foreign.ValueLayout.JAVA_SHORT;

import dev.weft.datapath.kernel.Errno;
import dev.weft.datapath.kernel.Libc;
import dev.weft.datapath.link.NetworkNamespace;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;

/**
 * A tap interface and the program behind it, as a hypervisor has them: each frame has a
 * {@link dev.weft.datapath.link.VirtioNetHeader} first, checksums and the segmentation of TCP may be left to the other
 * side (linux/if_tun.h). The interface goes with it.
 */
final class Tap implements AutoCloseable {
    private static final int O_RDWR = 2;
    private static final int O_NONBLOCK = 0x800;
    private static final long TUNSETIFF = 0x400454caL;
    private static final long TUNSETOFFLOAD = 0x400454d0L;
    private static final int IFF_TAP_NO_PI_VNET_HDR = 0x0002 | 0x1000 | 0x4000;
    private static final int TUN_F_CSUM_TSO4_TSO6 = 1 | 2 | 4;
    private static final int IFREQ_SIZE = 40;
    private static final int IFNAMSIZ = 16;

    private final int fd;

    private Tap(int fd) {
        this.fd = fd;
    }

    static Tap open(String namespace, String name) {
        return NetworkNamespace.named(namespace).call(() -> {
            var tap = new Tap(must(Libc.open("/dev/net/tun", O_RDWR | O_NONBLOCK | Libc.O_CLOEXEC), "open"));
            try (var arena = Arena.ofConfined()) {
                MemorySegment request = arena.allocate(IFREQ_SIZE, 8);
                request.setString(0, name);
                request.set(JAVA_SHORT, IFNAMSIZ, (short) IFF_TAP_NO_PI_VNET_HDR);
                must(Libc.ioctl(tap.fd, TUNSETIFF, request), "TUNSETIFF");
                must(Libc.ioctl(tap.fd, TUNSETOFFLOAD, MemorySegment.ofAddress(TUN_F_CSUM_TSO4_TSO6)), "TUNSETOFFLOAD");
            }
            return tap;
        });
    }

    private static int must(int result, String call) {
        if (result < 0) {
            throw new IllegalStateException(call + " of a tap: " + Errno.name(-result));
        }
        return result;
    }

    /** What the program sends comes in by the interface; negative errno. */
    int send(MemorySegment headerAndFrame) {
        return (int) Libc.write(fd, headerAndFrame);
    }

    /** The next frame that left by the interface, with its header: octets of both, or a negative errno. */
    int receive(MemorySegment buffer) {
        return (int) Libc.read(fd, buffer);
    }

    @Override
    public void close() {
        Libc.close(fd);
    }
}
