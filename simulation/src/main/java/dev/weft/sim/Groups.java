package dev.weft.sim;

import dev.weft.base.IpPrefix;
import dev.weft.sim.match.Test;
import dev.weft.topology.InterfaceAddress;
import dev.weft.topology.MatchText;
import dev.weft.topology.TopologySnapshot;
import dev.weft.topology.schema.AddressGroup;
import dev.weft.topology.schema.Port;
import dev.weft.topology.schema.SecurityGroup;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import java.util.stream.IntStream;

/** The groups that rules look at, with their members. Immutable after construction; what did not change is shared. */
final class Groups {
    static final Groups EMPTY = new Groups();

    private static final int[] NOBODY = {};

    private final Map<String, Addresses> addresses = new HashMap<>();
    private final Map<String, int[]> ports = new HashMap<>();

    /** @param written what the set was made of */
    private record Addresses(List<String> written, Test.AddressSet set) {}

    private Groups() {}

    static Groups compile(TopologySnapshot snapshot, Map<UUID, Integer> portIndices, Groups before) {
        var groups = new Groups();
        for (AddressGroup group : snapshot.all(AddressGroup.class)) {
            List<String> written = group.getAddressesList();
            Addresses was = before.addresses.get(group.getId());
            groups.addresses.put(group.getId(), was != null && was.written.equals(written) ? was : addresses(written));
        }
        addressesOfMembers(snapshot).forEach((group, written) -> {
            Addresses was = before.addresses.get(group);
            groups.addresses.put(group, was != null && was.written.equals(written) ? was : addresses(written));
        });
        var members = new HashMap<String, IntStream.Builder>();
        for (Port port : snapshot.ports()) {
            for (String group : port.getPortGroupIdsList()) {
                members.computeIfAbsent(group, id -> IntStream.builder())
                        .add(NetworkCompiler.indexOf(portIndices, port.getId()));
            }
        }
        members.forEach((group, indices) -> {
            int[] sorted = indices.build().sorted().distinct().toArray();
            int[] was = before.ports.get(group);
            groups.ports.put(group, Arrays.equals(was, sorted) ? was : sorted);
        });
        return groups;
    }

    /** By security group: what the ports in it say that their VMs have, or may use besides. */
    private static Map<String, List<String>> addressesOfMembers(TopologySnapshot snapshot) {
        var addresses = new HashMap<String, List<String>>();
        snapshot.all(SecurityGroup.class).forEach(group -> addresses.put(group.getId(), new ArrayList<>()));
        for (Port port : snapshot.ports()) {
            for (String group : port.getSecurityGroupIdsList()) {
                List<String> of = addresses.computeIfAbsent(group, id -> new ArrayList<>());
                for (String text : port.getAddressesList()) {
                    of.add(InterfaceAddress.parse(text).address().toString());
                }
                port.getAllowedPairsList().forEach(pair -> of.add(pair.getAddress()));
            }
        }
        addresses.values().forEach(Collections::sort);
        return addresses;
    }

    private static Addresses addresses(List<String> written) {
        List<IpPrefix> networks = written.stream().map(MatchText::network).toList();
        return new Addresses(written, new Test.AddressSet(networks));
    }

    /** The same object as long as the members are the same. */
    Test.AddressSet addresses(String id) {
        Addresses found = addresses.get(id);
        if (found == null) {
            throw new IllegalArgumentException("address group " + id + " (expected one of the topology)");
        }
        return found.set;
    }

    /** What {@link #addresses(String)} or {@link #ports} gives, to see whether it is still the same object. */
    Object membersOf(String id) {
        Addresses found = addresses.get(id);
        return found == null ? ports(id) : found.set;
    }

    /** Sorted indices; the same object as long as the members are the same. Do not write to it. */
    int[] ports(String id) {
        return ports.getOrDefault(id, NOBODY);
    }
}
