package dev.weft.agent;

import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;

/** Waits for what a worker or an actor answers to a request from the control socket. */
final class Answers {
    private static final long SECONDS = 5;

    private Answers() {}

    /**
     * The answer, which must come within five seconds.
     *
     * @param who who was asked, for the error
     * @param failure what it means when that one failed, for the error
     * @throws AgentException no answer in time, a failure, or this thread was interrupted
     */
    static <T> T await(CompletableFuture<T> answer, String who, String failure) {
        try {
            return answer.get(SECONDS, TimeUnit.SECONDS);
        } catch (TimeoutException e) {
            throw new AgentException(who + " did not answer within " + SECONDS + " s", e);
        } catch (ExecutionException e) {
            throw new AgentException(failure + ": " + e.getCause().getMessage(), e.getCause());
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new AgentException("the request was interrupted", e);
        }
    }
}
