package dev.weft.datapath.ebpf;

import dev.weft.datapath.link.VirtioNetHeader;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.concurrent.locks.LockSupport;

/**
 * The program between a host's tap and a machine: it carries frames and what their headers leave undone both ways, as a
 * hypervisor does for the network card of its guest.
 */
final class TapMachine implements AutoCloseable {
    private static final int IDLE_NANOS = 50_000;

    private final Tap host;
    private final Tap guest;
    private final Thread thread;
    private volatile int longestToGuest;
    private volatile int otherThanTcp;
    private volatile int refused;
    private volatile boolean over;

    TapMachine(Tap host, Tap guest) {
        this.host = host;
        this.guest = guest;
        thread = Thread.ofPlatform().daemon().start(this::run);
    }

    private void run() {
        try (var arena = Arena.ofConfined()) {
            var buffer = arena.allocate(70_000, 8);
            while (!over) {
                int toGuest = host.receive(buffer);
                if (toGuest > 0) {
                    look(buffer, toGuest);
                    carry(guest, buffer.asSlice(0, toGuest));
                }
                int toHost = guest.receive(buffer);
                if (toHost > 0) {
                    carry(host, buffer.asSlice(0, toHost));
                }
                if (toGuest <= 0 && toHost <= 0) {
                    LockSupport.parkNanos(IDLE_NANOS);
                }
            }
        }
    }

    private void look(MemorySegment frame, int length) {
        longestToGuest = Math.max(longestToGuest, length - VirtioNetHeader.LENGTH);
        int type = VirtioNetHeader.gsoType(frame, 0);
        if (type != VirtioNetHeader.GSO_NONE
                && type != VirtioNetHeader.GSO_TCPV4
                && type != VirtioNetHeader.GSO_TCPV6) {
            otherThanTcp++; // by this thread alone
        }
    }

    private void carry(Tap to, MemorySegment frame) {
        if (to.send(frame) < 0) {
            refused++; // by this thread alone
        }
    }

    /** Octets of the longest frame that the guest was given, super-packets included. */
    int longestToGuest() {
        return longestToGuest;
    }

    /** Super-packets for the guest of a kind that it did not agree to. */
    int otherThanTcp() {
        return otherThanTcp;
    }

    /** Frames that a tap did not take. */
    int refused() {
        return refused;
    }

    @Override
    public void close() {
        over = true;
        try {
            thread.join();
        } catch (InterruptedException stopped) {
            Thread.currentThread().interrupt();
        }
        host.close();
        guest.close();
    }
}
