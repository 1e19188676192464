package dev.weft.topology;

import com.google.protobuf.Message;
import java.util.List;
import java.util.Optional;

/**
 * What has to happen so that a topology is as files describe it: creations and updates, never deletions of what the
 * files do not mention. Applying the same files again changes nothing.
 *
 * @param transaction the changes, each with the version it was planned on; empty when all is as described
 * @param unchanged how many described objects are there already
 * @param warnings what is allowed of the described objects, and yet hardly meant; each with its place in the files
 */
public record ChangeSet(List<Change> changes, int unchanged, Transaction transaction, List<Problem> warnings) {
    public ChangeSet {
        changes = List.copyOf(changes);
        warnings = List.copyOf(warnings);
    }

    /** @param before empty for an object to be created */
    public record Change(ObjectKind kind, String tenant, String name, Optional<Message> before, Message after) {}

    /**
     * @throws TopologyException with every problem of the files, with file, line and column; nothing to apply then
     */
    public static ChangeSet plan(TopologySnapshot snapshot, DesiredTopology desired) {
        return new Planner(snapshot, Planner.Ids.RANDOM, false).plan(desired);
    }

    /**
     * The topology that the files alone describe, for use without a store: checked like any other, ids made from names,
     * so that the same files always give the same ids. Hosts may be described; one that a port only names stands with
     * an address of the documentation prefix 2001:db8::/32 (RFC 3849).
     *
     * @throws TopologyException with every problem of the files
     */
    public static TopologySnapshot offlineSnapshot(DesiredTopology desired) {
        ChangeSet all = new Planner(TopologySnapshot.EMPTY, Planner.Ids.FROM_NAMES, true).plan(desired);
        return TopologySnapshot.EMPTY.after(1, Draft.check(TopologySnapshot.EMPTY, all.transaction));
    }
}
