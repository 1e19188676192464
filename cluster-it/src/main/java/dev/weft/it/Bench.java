package dev.weft.it;

import dev.weft.it.bench.Benchmark;
import dev.weft.it.bench.ChangeBench;
import dev.weft.it.bench.Report;
import dev.weft.it.bench.Row;
import dev.weft.it.bench.ServalBench;
import dev.weft.it.bench.SimulationBench;
import java.io.IOException;
import java.util.List;
import java.util.Optional;
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
    public static final List<Benchmark> ALL = List.of(new SimulationBench(), new ChangeBench(), new ServalBench());

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
        var effort = smoke ? Benchmark.Effort.SMOKE : Benchmark.Effort.FULL;
        List<Row> rows = bench.get().run(effort, step -> System.err.println("bench: " + step));
        if (output == Format.json) {
            Report.json(bench.get().name(), rows, System.out);
        } else {
            System.out.println(Report.table(bench.get().name(), rows));
        }
        return rows.stream().allMatch(Row::holds) ? 0 : 1;
    }
}
