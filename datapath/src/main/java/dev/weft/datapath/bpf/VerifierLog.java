package dev.weft.datapath.bpf;

/** The verifier's words, which may be many thousand lines: the reason stands at their end. */
final class VerifierLog {
    private static final int LINES = 40;

    private VerifierLog() {}

    /** The last lines, and how many were left out before them; nothing for an empty log. */
    static String end(String log) {
        var lines = log.strip().lines().toList();
        int left = lines.size() - LINES;
        if (left <= 0) {
            return String.join("\n", lines);
        }
        return "(" + left + " lines left out)\n" + String.join("\n", lines.subList(left, lines.size()));
    }
}
