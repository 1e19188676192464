package dev.weft.agent.health;

import io.netty.channel.EventLoop;
import io.netty.channel.EventLoopGroup;
import io.netty.channel.MultiThreadIoEventLoopGroup;
import io.netty.channel.nio.NioIoHandler;
import io.netty.util.concurrent.DefaultThreadFactory;
import java.util.HashMap;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.TimeUnit;

/**
 * Asks each target again and again, and says when one has changed. All begin up. The first questions are spread over
 * the interval, so that a pool is not asked all at once. Thread safe.
 */
public final class HealthChecks implements AutoCloseable {
    private static final long END_MILLIS = 1_000;

    private final EventLoopGroup group = new MultiThreadIoEventLoopGroup(
            1, new DefaultThreadFactory("weft-health", true), NioIoHandler.newFactory());
    private final EventLoop loop = group.next();
    private final Listener listener;
    // Owned by the event loop.
    private final Map<Target, Check> running = new HashMap<>();

    /** Hears on the event loop; must not block. */
    @FunctionalInterface
    public interface Listener {
        void changed(Target target, boolean up);
    }

    public HealthChecks(Listener listener) {
        this.listener = listener;
    }

    /** From now on these, and no others; those that are asked already go on. */
    public void follow(Set<Target> targets) {
        Set<Target> wanted = Set.copyOf(targets);
        loop.execute(() -> {
            running.entrySet().removeIf(entry -> {
                entry.getValue().over = !wanted.contains(entry.getKey());
                return entry.getValue().over;
            });
            for (Target target : wanted) {
                if (!running.containsKey(target)) {
                    var check = new Check(target);
                    running.put(target, check);
                    long millis =
                            Math.floorMod(target.hashCode(), target.interval().toMillis());
                    loop.schedule(check::ask, millis, TimeUnit.MILLISECONDS);
                }
            }
        });
    }

    /** One target's questions. Touched only by the event loop. */
    private final class Check {
        private final Target target;
        private boolean over;
        private boolean down;
        private int inARow;

        Check(Target target) {
            this.target = target;
        }

        void ask() {
            if (!over) {
                Probe.send(target, loop, this::answered);
            }
        }

        private void answered(boolean well) {
            if (over) {
                return;
            }
            inARow = well == down ? inARow + 1 : 0;
            if (inARow >= (down ? target.rise() : target.fall())) {
                down = !well;
                inARow = 0;
                listener.changed(target, well);
            }
            loop.schedule(this::ask, target.interval().toMillis(), TimeUnit.MILLISECONDS);
        }
    }

    @Override
    public void close() {
        group.shutdownGracefully(0, END_MILLIS, TimeUnit.MILLISECONDS);
    }
}
