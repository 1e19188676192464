package dev.weft.agent.health;

import dev.weft.base.IpAddress;
import java.time.Duration;
import java.util.UUID;

/**
 * What to ask of a member.
 *
 * @param router the pool balances at, through which the member is asked
 * @param memberPort as the pool has it, 0 for none of its own; with pool and address, who the member is
 * @param port to ask at
 * @param fall failures in a row after which it is down
 * @param rise successes in a row after which it is up again
 * @param path of HTTP; empty for the others
 */
public record Target(
        UUID pool,
        UUID router,
        IpAddress address,
        int memberPort,
        Kind kind,
        int port,
        Duration interval,
        Duration timeout,
        int fall,
        int rise,
        String path) {
    /** How it is asked. */
    public enum Kind {
        TCP,
        HTTP,
        UDP
    }
}
