package dev.weft.sim;

import dev.weft.base.Hashing;
import dev.weft.base.HotPath;
import dev.weft.base.IpAddress;
import dev.weft.sim.packet.Wire;
import dev.weft.topology.schema.Service;
import java.lang.foreign.MemorySegment;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collection;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.TreeMap;

/**
 * The names of one tenant's services, {@code web.acme.svc}, with their addresses; and the names above them, which have
 * none. Immutable. Names are found as they stand in a packet, upper and lower case alike.
 */
@HotPath
final class ServiceNames {
    static final int NONE = -1;
    /** Below it are names of services, and nothing else. */
    static final String TOP = "svc";

    private static final int MAX_NAME = 255;
    private static final int MAX_LABEL = 63;

    /** What it was made of. */
    private final Map<String, List<IpAddress>> texts;

    private final byte[][] names;
    private final IpAddress[][] addresses;
    /** Of each place, the number of a name; a power of two of them. */
    private final int[] places;

    private final String domain;

    private ServiceNames(String domain, Map<String, List<IpAddress>> texts) {
        this.domain = domain;
        this.texts = texts;
        int count = texts.size();
        names = new byte[count][];
        addresses = new IpAddress[count][];
        places = new int[Integer.highestOneBit(Math.max(2, count)) << 2];
        Arrays.fill(places, NONE);
        int number = 0;
        for (Map.Entry<String, List<IpAddress>> entry : texts.entrySet()) {
            names[number] = wire(entry.getKey());
            addresses[number] = entry.getValue().toArray(IpAddress[]::new);
            MemorySegment name = MemorySegment.ofArray(names[number]);
            int place = place(name, 0, names[number].length);
            while (places[place] != NONE) {
                place = place + 1 & places.length - 1;
            }
            places[place] = number++;
        }
    }

    /** The services of a tenant, which are at least one. */
    static ServiceNames of(String tenant, Collection<Service> services) {
        Map<String, List<IpAddress>> texts = new TreeMap<>();
        for (Service service : services) {
            String name = service.getName() + "." + tenant + "." + TOP;
            if (isDomainName(name)) {
                List<IpAddress> its = texts.computeIfAbsent(name, each -> new ArrayList<>());
                service.getAddressesList().forEach(text -> its.add(IpAddress.parse(text)));
                for (int dot = name.indexOf('.'); dot > 0; dot = name.indexOf('.', dot + 1)) {
                    texts.computeIfAbsent(name.substring(dot + 1), each -> new ArrayList<>());
                }
            }
        }
        return new ServiceNames(tenant + "." + TOP, texts);
    }

    /** Names of objects may have two dots in a row, or one at the end; those of domains may not. */
    private static boolean isDomainName(String name) {
        return Arrays.stream(name.split("\\.", -1)).noneMatch(label -> label.isEmpty() || label.length() > MAX_LABEL)
                && name.length() < MAX_NAME - 1;
    }

    private static byte[] wire(String name) {
        var wire = new byte[name.length() + 2];
        int at = 0;
        for (String label : name.toLowerCase(Locale.ROOT).split("\\.")) {
            byte[] octets = label.getBytes(StandardCharsets.US_ASCII);
            wire[at++] = (byte) octets.length;
            System.arraycopy(octets, 0, wire, at, octets.length);
            at += octets.length;
        }
        return wire;
    }

    /** What all of them end in: {@code acme.svc}. */
    String domain() {
        return domain;
    }

    boolean isSame(ServiceNames other) {
        return domain.equals(other.domain) && texts.equals(other.texts);
    }

    /** The number of the name that stands there, {@link #NONE} when there is none such. */
    int find(MemorySegment segment, long at, int length) {
        int place = place(segment, at, length);
        while (places[place] != NONE) {
            if (isAt(names[places[place]], segment, at, length)) {
                return places[place];
            }
            place = place + 1 & places.length - 1;
        }
        return NONE;
    }

    private static boolean isAt(byte[] name, MemorySegment segment, long at, int length) {
        if (name.length != length) {
            return false;
        }
        for (int i = 0; i < length; i++) {
            if (lower(Wire.u8(segment, at + i)) != name[i]) {
                return false;
            }
        }
        return true;
    }

    private int place(MemorySegment segment, long at, int length) {
        long hash = length;
        for (int i = 0; i < length; i++) {
            hash = Hashing.combine(hash, lower(Wire.u8(segment, at + i)));
        }
        return (int) hash & places.length - 1;
    }

    /** Whether a label, given from its length on, is the top one. */
    static boolean isTop(MemorySegment segment, long at) {
        return Wire.u8(segment, at) == 3
                && lower(Wire.u8(segment, at + 1)) == 's'
                && lower(Wire.u8(segment, at + 2)) == 'v'
                && lower(Wire.u8(segment, at + 3)) == 'c';
    }

    private static int lower(int octet) {
        return octet >= 'A' && octet <= 'Z' ? octet + ('a' - 'A') : octet;
    }

    int addressCount(int name) {
        return addresses[name].length;
    }

    IpAddress address(int name, int index) {
        return addresses[name][index];
    }
}
