package dev.weft.it;

import dev.weft.it.bench.Benchmark;
import dev.weft.it.bench.Calibration;
import dev.weft.it.bench.ChangeBench;
import dev.weft.it.bench.DevicesBench;
import dev.weft.it.bench.Report;
import dev.weft.it.bench.Row;
import dev.weft.it.bench.ServalBench;
import dev.weft.it.bench.SimulationBench;
import dev.weft.it.bench.datapath.DatapathBench;
import java.io.IOException;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.Callable;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** The one door to every benchmark: {@code weft bench NAME}. Exit code 1 when a bar is missed. */
@Command(
        name = "weft bench",
        mixinStandardHelpOptions = true,
        description = "Runs a benchmark and prints its rows; without a name, lists them.")
public final class Bench implements Callable<Integer> {
    /** All there are, in the order of the list. */
    public static final List<Benchmark> ALL = List.of(
            new SimulationBench(), new ChangeBench(), new DatapathBench(), new ServalBench(), new DevicesBench());

    enum Format {
        table,
        json
    }

    @Parameters(arity = "0..1", paramLabel = "NAME", description = "Which benchmark.")
    private Optional<String> name = Optional.empty();

    @Option(
            names = {"-o", "--output"},
            defaultValue = "table",
            description = "${COMPLETION-CANDIDATES}; json stands alone on standard output.")
    private Format output = Format.table;

    @Option(names = "--smoke", description = "One iteration only: that it runs, not what it gives.")
    private boolean smoke;

    @Option(names = "--row", paramLabel = "ROW", description = "Only this row; may be given several times.")
    private Set<String> rows = Set.of();

    @Option(
            names = "--pairs",
            paramLabel = "N",
            description = "How often a subject and its reference are each run, in rows that compare pairs (21).")
    private Optional<Integer> pairs = Optional.empty();

    public static void main(String[] args) {
        System.exit(new CommandLine(new Bench()).execute(args));
    }

    @Override
    public Integer call() throws IOException {
        if (name.isEmpty()) {
            ALL.forEach(bench -> System.out.printf("%-12s %s%n", bench.name(), bench.about()));
            return 0;
        }
        Optional<Benchmark> bench =
                ALL.stream().filter(b -> b.name().equals(name.get())).findFirst();
        if (bench.isEmpty()) {
            System.err.printf(
                    "bench '%s' (expected one of %s)%n",
                    name.get(),
                    String.join(", ", ALL.stream().map(Benchmark::name).toList()));
            return 2;
        }
        Optional<String> refused = refusal(bench.get());
        if (refused.isPresent()) {
            System.err.println(refused.get());
            return 2;
        }
        var usual = smoke ? Benchmark.Plan.SMOKE : Benchmark.Plan.FULL;
        var plan = new Benchmark.Plan(usual.effort(), rows, pairs.orElse(usual.pairs()));
        return report(bench.get(), plan);
    }

    private Optional<String> refusal(Benchmark bench) {
        if (pairs.isPresent() && pairs.get() < 1) {
            return Optional.of("--pairs " + pairs.get() + " (expected 1 or more)");
        }
        return rows.stream()
                .filter(row -> !bench.rows().contains(row))
                .findFirst()
                .map(row -> "--row " + row + " (expected one of " + String.join(", ", bench.rows()) + ")");
    }

    private int report(Benchmark bench, Benchmark.Plan plan) throws IOException {
        List<Row> measured = bench.run(plan, step -> System.err.println("bench: " + step)).stream()
                .filter(row -> plan.wants(row.name()) || row.name().equals(Calibration.ROW))
                .toList();
        if (output == Format.json) {
            Report.json(bench.name(), measured, System.out);
        } else {
            System.out.println(Report.table(bench.name(), measured));
        }
        return measured.stream().allMatch(Row::holds) ? 0 : 1;
    }
}
