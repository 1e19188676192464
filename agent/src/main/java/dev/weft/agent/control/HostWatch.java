package dev.weft.agent.control;

import dev.weft.base.IpAddress;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.UUID;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import java.util.random.RandomGenerator;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Tells hosts whose agent is down from hosts that are down. When a host's session ends its datapath is asked whether it
 * still forwards, again and again: while it answers, what the host published stays valid, up to the grace; when it stops
 * answering the host is down. Not thread safe: touched only by its actor, but for {@link #isKept}.
 */
final class HostWatch {
    private static final Logger LOG = LoggerFactory.getLogger(HostWatch.class);
    /** Of a host that has not answered the last question. */
    private static final long QUICK_NANOS = TimeUnit.MILLISECONDS.toNanos(150);
    /** Of one that has. */
    private static final long CALM_NANOS = TimeUnit.SECONDS.toNanos(1);

    /** So long for a new agent to say again all that the one before had said. */
    private static final long RETURN_NANOS = TimeUnit.SECONDS.toNanos(5);

    private static final int MISSES = 3;

    // Immutable after construction.
    private final Asker asker;
    private final long graceNanos;
    private final RandomGenerator random;
    // Owned by the actor.
    private Consumer<UUID> over = host -> {};
    private final Map<UUID, Suspect> suspects = new HashMap<>();
    // Written by the actor, read by anyone.
    private final Set<UUID> kept = ConcurrentHashMap.newKeySet();

    /** Sends a question to the datapath of a host. */
    @FunctionalInterface
    interface Asker {
        void ask(IpAddress underlay, long token);
    }

    private static final class Suspect {
        private final IpAddress underlay;
        private final long since;
        private long token;
        private long nextAt;
        private int unanswered;
        private boolean answers;
        private boolean returning;
        private long returnedAt;

        Suspect(IpAddress underlay, long now) {
            this.underlay = underlay;
            since = now;
            nextAt = now;
        }
    }

    /** @param random of the tokens, which strangers must not guess */
    HostWatch(Asker asker, long graceNanos, RandomGenerator random) {
        this.asker = asker;
        this.graceNanos = graceNanos;
        this.random = random;
    }

    /** Who hears of each host of which nothing is valid any more but what it has said since its session ended. */
    void tellOver(Consumer<UUID> listener) {
        over = listener;
    }

    /** Its session ended; it is not known yet what else did. */
    void sessionEnded(UUID host, IpAddress underlay, long now) {
        Suspect known = suspects.get(host);
        if (known == null || known.returning) {
            suspects.put(host, new Suspect(underlay, now));
            kept.add(host);
        }
    }

    /** It has a session again; what it had published stays valid for another while, until it has said it again. */
    void back(UUID host, long now) {
        Suspect suspect = suspects.get(host);
        if (suspect != null && !suspect.returning) {
            suspect.returning = true;
            suspect.returnedAt = now;
            LOG.info("the agent of host {} is back", host);
        }
    }

    void answered(long token, long now) {
        suspects.forEach((host, suspect) -> {
            if (suspect.unanswered > 0 && suspect.token == token) {
                suspect.unanswered = 0;
                suspect.nextAt = now + CALM_NANOS;
                if (!suspect.answers) {
                    suspect.answers = true;
                    LOG.info("the agent of host {} is down; its datapath goes on", host);
                }
            }
        });
    }

    /** Asks who is to be asked, and gives up who has to be given up. */
    void look(long now) {
        List<UUID> gone = new ArrayList<>();
        suspects.forEach((host, suspect) -> {
            if (suspect.returning) {
                if (now - suspect.returnedAt > RETURN_NANOS) {
                    gone.add(host);
                }
            } else if (now - suspect.since > graceNanos || suspect.nextAt - now <= 0 && suspect.unanswered == MISSES) {
                gone.add(host);
            } else if (suspect.nextAt - now <= 0) {
                suspect.token = random.nextLong();
                suspect.unanswered++;
                suspect.nextAt = now + QUICK_NANOS;
                asker.ask(suspect.underlay, suspect.token);
            }
        });
        gone.forEach(this::giveUp);
    }

    private void giveUp(UUID host) {
        Suspect suspect = suspects.remove(host);
        kept.remove(host);
        if (suspect != null && !suspect.returning) {
            LOG.info(
                    "host {} is down: {}",
                    host,
                    suspect.unanswered == MISSES ? "its datapath does not answer" : "its agent was away for too long");
        }
        over.accept(host);
    }

    /** Nobody is to be asked. */
    boolean isIdle() {
        return suspects.isEmpty();
    }

    /** By anyone: whether what the host published is valid though its session ended. */
    boolean isKept(UUID host) {
        return kept.contains(host);
    }
}
