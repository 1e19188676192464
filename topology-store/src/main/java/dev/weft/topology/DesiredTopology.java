package dev.weft.topology;

import com.google.protobuf.Descriptors.FieldDescriptor;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * What files describe, before it meets a topology: objects by name, references still names. Immutable. Problems found
 * while reading travel with it, so that {@link ChangeSet} reports them together with those that only the topology shows.
 */
public record DesiredTopology(List<DesiredObject> objects, List<Problem> problems) {
    public DesiredTopology {
        objects = List.copyOf(objects);
        problems = List.copyOf(problems);
    }

    /**
     * One object of a file.
     *
     * @param tenant the tenant's name, or null for kinds that belong to none
     * @param name unique within tenant and kind
     * @param id when the file gives one
     * @param fields what the file mentions: values as protobuf holds them, except that a reference is a name or id in
     *     text, and that an empty Optional clears the field. What is not mentioned keeps its stored value.
     * @param broken a problem of it was reported already: what else it lacks may be the same mistake
     * @param positions where each mentioned field stands, by its name in the file
     */
    public record DesiredObject(
            ObjectKind kind,
            @Nullable String tenant,
            String name,
            Optional<String> id,
            Map<FieldDescriptor, Optional<Object>> fields,
            Map<String, Position> positions,
            Position at,
            boolean broken) {
        public DesiredObject {
            fields = Map.copyOf(fields);
            positions = Map.copyOf(positions);
        }

        /** The closest known place of a field: {@code addresses[1]} falls back to {@code addresses}, then the object. */
        Position positionOf(String field) {
            String path = field;
            while (!path.isEmpty()) {
                Position found = positions.get(path);
                if (found != null) {
                    return found;
                }
                path = path.substring(0, Math.max(0, Math.max(path.lastIndexOf('.'), path.lastIndexOf('['))));
            }
            return at;
        }
    }
}
