package dev.weft.agent.socket;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import org.jspecify.annotations.Nullable;

/** Lines of UTF-8 with a bound on their length. One thread. */
final class LineReader {
    private final InputStream in;
    private final int maxBytes;

    LineReader(InputStream buffered, int maxBytes) {
        this.in = buffered;
        this.maxBytes = maxBytes;
    }

    /**
     * @return the next line without its end, null at the end of the stream
     * @throws ControlException when the line is longer than allowed
     */
    @Nullable
    String next() throws IOException {
        var line = new ByteArrayOutputStream();
        for (int octet = in.read(); octet != '\n'; octet = in.read()) {
            if (octet < 0) {
                return null;
            }
            if (line.size() == maxBytes) {
                throw new ControlException("a line longer than " + maxBytes + " bytes");
            }
            line.write(octet);
        }
        return line.toString(StandardCharsets.UTF_8);
    }
}
