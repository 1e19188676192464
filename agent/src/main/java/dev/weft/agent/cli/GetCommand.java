package dev.weft.agent.cli;

import com.google.protobuf.Message;
import dev.weft.topology.FieldRule;
import dev.weft.topology.ObjectKind;
import dev.weft.topology.Schema;
import dev.weft.topology.TopologySnapshot;
import dev.weft.topology.TopologyWriter;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import java.util.UUID;
import java.util.concurrent.Callable;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** {@code weft get}: shows objects of a kind. */
@Command(name = "get", description = "Shows the objects of a kind, or one of them.")
final class GetCommand implements Callable<Integer> {
    @Mixin
    private StoreOptions store = new StoreOptions();

    @Mixin
    private Output output = new Output();

    @Parameters(
            index = "0",
            paramLabel = "KIND",
            description = "tenant, host, bridge, router, port or route; the plural will do. With --yaml also: all.")
    private String kindName = "";

    @Parameters(index = "1", arity = "0..1", paramLabel = "NAME", description = "TENANT/NAME, NAME or an id.")
    private Optional<String> name = Optional.empty();

    @Option(names = "--tenant", paramLabel = "TENANT", description = "Only what belongs to this tenant.")
    private Optional<String> tenant = Optional.empty();

    @Option(names = "--yaml", description = "As a file that apply takes.")
    private boolean yaml;

    @Override
    public Integer call() {
        boolean all = yaml && kindName.equals("all");
        List<ObjectKind> kinds = all ? Schema.kinds() : List.of(Kinds.parse(kindName));
        try (var open = store.open()) {
            TopologySnapshot snapshot = open.topology().refresh();
            List<? extends Message> objects = kinds.stream()
                    .filter(kind -> !all || !kind.selfRegistered())
                    .flatMap(kind -> named(snapshot, kind))
                    .filter(object -> tenant.isEmpty()
                            || ObjectName.of(snapshot, object).tenant().equals(tenant.get()))
                    .toList();
            if (yaml) {
                output.printText(new TopologyWriter(snapshot).yaml(objects));
            } else {
                output.print(kinds.getFirst().plural(), table(snapshot, kinds.getFirst(), objects));
            }
        }
        return ExitCode.OK;
    }

    private Stream<? extends Message> named(TopologySnapshot snapshot, ObjectKind kind) {
        return name.isPresent()
                ? Stream.of(ObjectName.parse(name.get()).in(snapshot, kind))
                : snapshot.all(kind).stream();
    }

    /** For people without the columns that are empty in every row; programs get all. */
    private Table table(TopologySnapshot snapshot, ObjectKind kind, Collection<? extends Message> objects) {
        List<FieldRule> fields = kind.fields().stream()
                .filter(field -> !field.field().getName().equals("tenant_id")
                        && !field.field().getName().equals("id"))
                .filter(field ->
                        output.isJson() || objects.stream().anyMatch(object -> isSet(object.getField(field.field()))))
                .toList();
        var columns = new ArrayList<String>();
        if (kind.tenantOwned()) {
            columns.add("tenant");
        }
        fields.forEach(field -> columns.add(field.fileName()));
        columns.add("id");
        var table = new Table(columns.toArray(String[]::new));
        objects.stream()
                .sorted(Comparator.comparing(
                        object -> ObjectName.of(snapshot, object).toString()))
                .forEach(object -> table.row(cells(snapshot, kind, fields, object)));
        return table;
    }

    private static boolean isSet(Object value) {
        return !value.equals("") && !value.equals(false) && !value.equals(List.of());
    }

    private static @Nullable Object[] cells(
            TopologySnapshot snapshot, ObjectKind kind, List<FieldRule> fields, Message object) {
        var cells = new ArrayList<@Nullable Object>();
        if (kind.tenantOwned()) {
            cells.add(ObjectName.of(snapshot, object).tenant());
        }
        for (FieldRule field : fields) {
            cells.add(cell(snapshot, field, object.getField(field.field())));
        }
        cells.add(kind.idOf(object));
        return cells.toArray();
    }

    /** A reference shows the other object's name; an unset field is nothing. */
    private static @Nullable Object cell(TopologySnapshot snapshot, FieldRule field, Object value) {
        return switch (value) {
            case String text when text.isEmpty() -> null;
            case String text
            when field.reference() != null ->
                snapshot.find(Kinds.parse(field.reference().getTo()), UUID.fromString(text))
                        .map(target -> Schema.kindOf(target).nameOf(target))
                        .orElse(text);
            case Collection<?> many -> many.stream().map(GetCommand::shown).toList();
            case Boolean truth -> truth;
            case Integer number -> number.longValue();
            default -> shown(value);
        };
    }

    private static String shown(Object value) {
        return value instanceof Message message
                ? message.getAllFields().values().stream()
                        .map(Object::toString)
                        .reduce((a, b) -> a + " " + b)
                        .orElse("")
                : value.toString().toLowerCase(java.util.Locale.ROOT);
    }
}
