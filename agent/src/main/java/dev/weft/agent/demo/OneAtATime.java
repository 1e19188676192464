package dev.weft.agent.demo;

import dev.weft.agent.lab.LabException;
import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.channels.FileLock;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import org.jspecify.annotations.Nullable;

/** The right to be the only demo on this machine: a second one would take the first one's machines for leftovers. */
final class OneAtATime implements AutoCloseable {
    private final FileChannel file;

    private OneAtATime(FileChannel file) {
        this.file = file;
    }

    /** The kernel gives the lock back however the process ends. @throws LabException when a demo is running */
    static OneAtATime take(Path path) {
        try {
            FileChannel file = FileChannel.open(path, StandardOpenOption.CREATE, StandardOpenOption.WRITE);
            @Nullable FileLock lock = file.tryLock();
            if (lock == null) {
                file.close();
                throw new LabException(
                        "another demo is running on this machine (it holds " + path + "); wait for it or end it");
            }
            return new OneAtATime(file);
        } catch (IOException e) {
            throw new LabException("cannot lock " + path + ": " + e.getMessage(), e);
        }
    }

    @Override
    public void close() {
        try {
            file.close();
        } catch (IOException e) {
            throw new LabException("cannot give the lock back: " + e.getMessage(), e);
        }
    }
}
