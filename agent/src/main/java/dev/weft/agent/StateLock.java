package dev.weft.agent;

import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.channels.OverlappingFileLockException;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;

/** Keeps a second agent away from a state folder: two with one host id would take each other's place for ever. */
final class StateLock implements AutoCloseable {
    private final FileChannel channel;

    private StateLock(FileChannel channel) {
        this.channel = channel;
    }

    /** @throws AgentException when another agent has the folder */
    static StateLock take(Path stateDir) {
        Path file = stateDir.resolve("lock");
        try {
            FileChannel channel = FileChannel.open(file, StandardOpenOption.CREATE, StandardOpenOption.WRITE);
            if (isTaken(channel)) {
                channel.close();
                throw new AgentException("another agent runs with the state folder " + stateDir
                        + " (expected one agent for each); stop it, or give --state-dir DIR");
            }
            return new StateLock(channel);
        } catch (IOException e) {
            throw new AgentException(file + " cannot be locked (expected a writable folder): " + e.getMessage(), e);
        }
    }

    private static boolean isTaken(FileChannel channel) throws IOException {
        try {
            return channel.tryLock() == null;
        } catch (OverlappingFileLockException here) {
            return true; // An agent of this same process.
        }
    }

    @Override
    public void close() throws IOException {
        channel.close();
    }
}
