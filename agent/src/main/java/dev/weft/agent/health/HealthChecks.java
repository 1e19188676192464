package dev.weft.agent.health;

import io.netty.channel.EventLoop;
import io.netty.channel.EventLoopGroup;
import io.netty.channel.MultiThreadIoEventLoopGroup;
import io.netty.channel.nio.NioIoHandler;
import io.netty.util.concurrent.DefaultThreadFactory;
import java.io.IOException;
import java.util.HashMap;
import java.util.Map;
import java.util.Set;
import java.util.UUID;
import java.util.concurrent.TimeUnit;
import java.util.function.Predicate;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Asks each target again and again, and says when one has changed. All begin up. The first questions are spread over
 * the interval, so that a pool is not asked all at once. Thread safe.
 */
public final class HealthChecks implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(HealthChecks.class);
    private static final long END_MILLIS = 1_000;

    private final EventLoopGroup group = new MultiThreadIoEventLoopGroup(
            1, new DefaultThreadFactory("weft-health", true), NioIoHandler.newFactory());
    private final EventLoop loop = group.next();
    private final Places places;
    private final Predicate<UUID> ready;
    private final Listener listener;
    // Owned by the event loop.
    private final Map<Target, Check> running = new HashMap<>();

    /** Hears on the event loop; must not block. */
    @FunctionalInterface
    public interface Listener {
        void changed(Target target, boolean up);
    }

    /**
     * @param places where from
     * @param ready whether the place of a router can be used yet; nobody is asked before
     */
    public HealthChecks(Places places, Predicate<UUID> ready, Listener listener) {
        this.places = places;
        this.ready = ready;
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
            if (over) {
                return;
            }
            try {
                if (ready.test(target.router())) {
                    Probe.send(target, places, loop, this::answered);
                    return;
                }
            } catch (IOException here) {
                LOG.debug("could not ask: nothing is said of the member", here);
            }
            askLater();
        }

        private void askLater() {
            loop.schedule(this::ask, target.interval().toMillis(), TimeUnit.MILLISECONDS);
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
            askLater();
        }
    }

    @Override
    public void close() {
        group.shutdownGracefully(0, END_MILLIS, TimeUnit.MILLISECONDS);
    }
}
