package dev.weft.datapath.kernel;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;

class WaiterTest {
    private static final long LONG_NANOS = Duration.ofSeconds(20).toNanos();

    @Test
    void sleepEndsWithItsTime() {
        try (var waiter = Waiter.open()) {
            assertThat(waiter.await(100_000)).isFalse();
        }
    }

    @Test
    void wakeUpBeforeTheSleepEndsItAtOnceAndIsUsedUp() {
        try (var waiter = Waiter.open()) {
            waiter.wakeUp();
            waiter.wakeUp();
            assertThat(waiter.await(LONG_NANOS)).isTrue();
            assertThat(waiter.await(1000)).isFalse();
        }
    }

    @Test
    void noWakeUpOfAnotherThreadIsLost() throws InterruptedException {
        int rounds = 2000;
        try (var waiter = Waiter.open()) {
            var received = new Semaphore(0);
            var begun = new CountDownLatch(1);
            var sleeper = Thread.ofPlatform().start(() -> {
                begun.countDown();
                for (int i = 0; i < rounds; ) {
                    if (waiter.await(LONG_NANOS)) {
                        received.release();
                        i++;
                    }
                }
            });
            begun.await();
            for (int i = 0; i < rounds; i++) {
                waiter.wakeUp();
                assertThat(received.tryAcquire(10, TimeUnit.SECONDS))
                        .as("wake-up %d", i)
                        .isTrue();
            }
            sleeper.join();
        }
    }
}
