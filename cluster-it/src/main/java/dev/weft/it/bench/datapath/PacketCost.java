package dev.weft.it.bench.datapath;

import dev.weft.agent.lab.Vm;
import dev.weft.base.NanoClock;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;

/**
 * The CPU time of a packet's whole way along a path: a generator at the sender, and a program at the receiver's interface
 * that drops what arrives once it is counted, so that the receiver's own stack is no part of it.
 */
final class PacketCost implements AutoCloseable {
    /** Of a run's packets, so many may be lost before it says nothing any more. */
    private static final double LOSS_ALLOWED = 0.01;

    private static final long SETTLE_NANOS = TimeUnit.MILLISECONDS.toNanos(200);

    private final Path path;
    private final Generator generator;
    private final TcProgram drop;

    /** One run: packets that were sent and arrived, and what all of it cost the sending CPU. */
    record Run(long sent, long delivered, long cpuNanos, long wallNanos) {
        double nanosPerPacket() {
            return (double) cpuNanos / delivered;
        }
    }

    private PacketCost(Path path, Generator generator, TcProgram drop) {
        this.path = path;
        this.generator = generator;
        this.drop = drop;
    }

    static PacketCost open(Path path) {
        var generator = Generator.open(path.sender().namespace(), Vm.INTERFACE);
        try {
            return new PacketCost(
                    path, generator, TcProgram.dropAll(path.receiver().namespace(), Vm.INTERFACE));
        } catch (RuntimeException refused) {
            generator.close();
            throw refused;
        }
    }

    /** As many packets as go in that time. @throws MeasureException when more than one in a hundred is lost */
    Run run(Frames frames, long nanos) {
        return run(frames, nanos, Generator.Pace.UNLIMITED);
    }

    Run run(Frames frames, long nanos, Generator.Pace pace) {
        Run run = attempt(frames, nanos, pace);
        if (run.delivered() < run.sent() * (1 - LOSS_ALLOWED)) {
            throw new MeasureException(path + " delivered " + run.delivered() + " of " + run.sent()
                    + " packets (expected all but one in a hundred)");
        }
        return run;
    }

    /** As {@link #run}, whatever is lost. */
    Run attempt(Frames frames, long nanos, Generator.Pace pace) {
        long before = received();
        Generator.Sent sent = generator.send(frames, nanos, pace);
        return new Run(sent.packets(), settle(before, sent.packets()), sent.cpuNanos(), sent.wallNanos());
    }

    /** Exactly so many packets. */
    Run attempt(Frames frames, int count, Generator.Pace pace) {
        long before = received();
        Generator.Sent sent = generator.send(frames, count, pace);
        return new Run(sent.packets(), settle(before, sent.packets()), sent.cpuNanos(), sent.wallNanos());
    }

    /** What has arrived, once it is all or no more comes. */
    private long settle(long before, long sent) {
        long begin = NanoClock.SYSTEM.nanoTime();
        long arrived = received() - before;
        while (arrived < sent && NanoClock.SYSTEM.nanoTime() - begin < SETTLE_NANOS) {
            LockSupport.parkNanos(TimeUnit.MILLISECONDS.toNanos(5));
            arrived = received() - before;
        }
        return arrived;
    }

    private long received() {
        return Interfaces.receivedPackets(path.receiver().namespace(), Vm.INTERFACE);
    }

    @Override
    public void close() {
        drop.close();
        generator.close();
    }
}
