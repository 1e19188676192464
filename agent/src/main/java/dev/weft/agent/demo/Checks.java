package dev.weft.agent.demo;

import java.io.PrintStream;
import java.util.ArrayList;
import java.util.List;

/** What the demo claims and whether it held, told as it happens and once more as a table at the end. */
final class Checks {
    private record Check(String claim, boolean held, String detail) {}

    private final PrintStream out;
    private final List<Check> checks = new ArrayList<>();

    Checks(PrintStream out) {
        this.out = out;
    }

    /** A new part of the story. */
    void chapter(String text) {
        out.println();
        out.println("== " + text);
    }

    void say(String text) {
        out.println("   " + text);
    }

    boolean check(String claim, boolean held, String detail) {
        checks.add(new Check(claim, held, detail));
        out.println((held ? " + " : " ! ") + claim + (detail.isEmpty() ? "" : ": " + detail));
        return held;
    }

    boolean allHeld() {
        return !checks.isEmpty() && checks.stream().allMatch(Check::held);
    }

    void table() {
        int width =
                checks.stream().mapToInt(check -> check.claim().length()).max().orElse(0);
        out.println();
        out.println("CHECK" + " ".repeat(Math.max(width - 5, 0)) + "  HELD  DETAIL");
        for (Check check : checks) {
            out.println(check.claim()
                    + " ".repeat(width - check.claim().length())
                    + (check.held() ? "  yes   " : "  NO    ")
                    + check.detail().lines().findFirst().orElse(""));
        }
        long held = checks.stream().filter(Check::held).count();
        out.println(held + " of " + checks.size() + " checks held");
    }
}
