package dev.weft.topology;

/** A standing interest; closing it ends the calls. A call that is under way may still finish. */
@FunctionalInterface
public interface Watch extends AutoCloseable {
    @Override
    void close();
}
