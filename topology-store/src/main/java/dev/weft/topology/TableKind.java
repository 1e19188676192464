package dev.weft.topology;

import dev.weft.base.IpAddress;
import dev.weft.base.MacAddress;
import dev.weft.base.ServiceId;
import dev.weft.base.ServicePrefix;
import java.nio.ByteBuffer;
import java.util.Optional;
import java.util.UUID;
import java.util.function.Function;

/**
 * A kind of table that hosts share: what its keys and values are. Names and codecs are a stored format.
 *
 * @param buckets nodes that the entries of one table are spread over, fixed when the table is made; a listing of one
 *     bucket stays below 256 KB up to about 2,000 entries of it
 */
public record TableKind<K, V>(String name, int buckets, Codec<K> keys, Codec<V> values) {
    /** On a bridge: a MAC in a VLAN is behind a port. Device: the bridge. */
    public static final TableKind<MacKey, UUID> MACS = new TableKind<>(
            "macs",
            16,
            codec(
                    10,
                    (key, out) ->
                            out.putShort((short) key.vlan()).putLong(key.mac().bits()),
                    in -> new MacKey(in.getShort() & 0xffff, new MacAddress(in.getLong()))),
            codec(16, TableKind::putId, TableKind::getId));

    /** On a router: an address has a MAC and is behind a port. Device: the router. */
    public static final TableKind<IpAddress, NeighbourValue> NEIGHBOURS = new TableKind<>(
            "neighbours",
            4,
            codec(
                    16,
                    (key, out) -> out.putLong(key.high()).putLong(key.low()),
                    in -> new IpAddress(in.getLong(), in.getLong())),
            codec(
                    40,
                    (value, out) -> putId(
                            value.macPort(),
                            putId(value.port(), out.putLong(value.mac().bits()))),
                    in -> new NeighbourValue(new MacAddress(in.getLong()), getId(in), getId(in))));

    /** Which tunnel key a host chose for a port or for floods on a bridge. Device: {@link #CLUSTER}. */
    public static final TableKind<TunnelTarget, Integer> TUNNEL_KEYS = new TableKind<>(
            "tunnel-keys", 16, new TargetCodec(), codec(4, (value, out) -> out.putInt(value), ByteBuffer::getInt));

    /** Who serves which services, as the host of each said. Device: {@link #CLUSTER}. */
    public static final TableKind<InstanceKey, InstanceValue> INSTANCES = new TableKind<>(
            "instances",
            64,
            codec(
                    50,
                    (key, out) ->
                            putId(key.port(), putService(key.prefix().id(), out).putShort((short)
                                    key.prefix().bits())),
                    in -> new InstanceKey(new ServicePrefix(getService(in), in.getShort()), getId(in))),
            new InstanceCodec());

    /** Services for which packets wait at a host, since a DELAY rule holds for them. Device: {@link #CLUSTER}. */
    public static final TableKind<DelayedService, Integer> DELAYED_SERVICES = new TableKind<>(
            "delayed-services",
            4,
            codec(
                    48,
                    (key, out) -> putService(key.service(), putId(key.table(), out)),
                    in -> new DelayedService(getId(in), getService(in))),
            codec(1, (value, out) -> out.put(value.byteValue()), in -> (int) in.get()));

    /** Members of a pool that do not answer their health checks. Device: the pool. */
    public static final TableKind<MemberKey, Integer> DOWN_MEMBERS = new TableKind<>(
            "down-members",
            4,
            codec(
                    18,
                    (key, out) -> out.putLong(key.address().high())
                            .putLong(key.address().low())
                            .putShort((short) key.port()),
                    in -> new MemberKey(new IpAddress(in.getLong(), in.getLong()), in.getShort() & 0xffff)),
            codec(1, (value, out) -> out.put(value.byteValue()), in -> (int) in.get()));

    /** The device of a table of which the whole cluster has one. */
    public static final UUID CLUSTER = new UUID(0, 0);

    /** @param table the service table that delays it */
    public record DelayedService(UUID table, ServiceId service) {}

    /** What an instance serves, and the port it is behind. */
    public record InstanceKey(ServicePrefix prefix, UUID port) {}

    /**
     * @param address IPv4 bits
     * @param priority 0 or more
     * @param weight 1..65535
     * @param heard its VM says so itself, again and again
     */
    public record InstanceValue(int address, int priority, int weight, boolean heard) {
        private static final int MAX_WEIGHT = 0xffff;

        public InstanceValue(int address, int priority, int weight) {
            this(address, priority, weight, false);
        }

        public InstanceValue {
            if (priority < 0) {
                throw new IllegalArgumentException("priority " + priority + " (expected 0..2147483647)");
            }
            if (weight < 1 || weight > MAX_WEIGHT) {
                throw new IllegalArgumentException("weight " + weight + " (expected 1.." + MAX_WEIGHT + ")");
            }
        }
    }

    /** @param port as the pool has it: 0 for the one that packets are sent to */
    public record MemberKey(IpAddress address, int port) {}

    /** @param vlan 0 for untagged frames */
    public record MacKey(int vlan, MacAddress mac) {}

    /**
     * @param port the router's port that the neighbour is behind
     * @param macPort the exterior port the MAC is behind: whoever learns the neighbour from here need not flood to it
     */
    public record NeighbourValue(MacAddress mac, UUID port, UUID macPort) {}

    /**
     * What a tunnel key stands for.
     *
     * @param id of the port or bridge
     * @param host who chose the key and receives by it
     * @param vlan of floods: the VLAN whose frames come with it, untagged; 0: all frames, with the tags they have
     */
    public record TunnelTarget(What what, UUID id, UUID host, int vlan) {
        public TunnelTarget(What what, UUID id, UUID host) {
            this(what, id, host, 0);
        }

        /** Their order is part of the stored format. */
        public enum What {
            PORT,
            FLOOD
        }
    }

    private interface Writer<T> {
        ByteBuffer write(T value, ByteBuffer out);
    }

    /** A codec of fixed length. */
    private static <T> Codec<T> codec(int length, Writer<T> writer, Function<ByteBuffer, T> reader) {
        return new Codec<>() {
            @Override
            public byte[] encode(T value) {
                return writer.write(value, ByteBuffer.allocate(length)).array();
            }

            @Override
            public Optional<T> decode(byte[] bytes) {
                if (bytes.length != length) {
                    return Optional.empty();
                }
                try {
                    return Optional.of(reader.apply(ByteBuffer.wrap(bytes)));
                } catch (IllegalArgumentException | IndexOutOfBoundsException notSuch) {
                    return Optional.empty();
                }
            }
        };
    }

    /** That it is heard is one octet more. */
    private static final class InstanceCodec implements Codec<InstanceValue> {
        private static final Codec<InstanceValue> TOLD = codec(12, InstanceCodec::put, in -> get(in, false));
        private static final Codec<InstanceValue> HEARD =
                codec(13, (value, out) -> put(value, out).put((byte) 1), in -> get(in, true));

        private static ByteBuffer put(InstanceValue value, ByteBuffer out) {
            return out.putInt(value.address()).putInt(value.priority()).putInt(value.weight());
        }

        private static InstanceValue get(ByteBuffer in, boolean heard) {
            return new InstanceValue(in.getInt(), in.getInt(), in.getInt(), heard);
        }

        @Override
        public byte[] encode(InstanceValue value) {
            return (value.heard() ? HEARD : TOLD).encode(value);
        }

        @Override
        public Optional<InstanceValue> decode(byte[] bytes) {
            return TOLD.decode(bytes).or(() -> HEARD.decode(bytes));
        }
    }

    /** The VLAN, where there is one, stands behind what there was before VLANs. */
    private static final class TargetCodec implements Codec<TunnelTarget> {
        private static final Codec<TunnelTarget> WITHOUT = codec(33, TargetCodec::put, in -> get(in, false));
        private static final Codec<TunnelTarget> WITH =
                codec(35, (target, out) -> put(target, out).putShort((short) target.vlan()), in -> get(in, true));

        private static ByteBuffer put(TunnelTarget target, ByteBuffer out) {
            return putId(target.host(), putId(target.id(), out.put((byte)
                    target.what().ordinal())));
        }

        private static TunnelTarget get(ByteBuffer in, boolean withVlan) {
            return new TunnelTarget(
                    TunnelTarget.What.values()[in.get()], getId(in), getId(in), withVlan ? in.getShort() & 0xffff : 0);
        }

        @Override
        public byte[] encode(TunnelTarget target) {
            return (target.vlan() == 0 ? WITHOUT : WITH).encode(target);
        }

        @Override
        public Optional<TunnelTarget> decode(byte[] bytes) {
            return WITHOUT.decode(bytes).or(() -> WITH.decode(bytes));
        }
    }

    private static ByteBuffer putService(ServiceId id, ByteBuffer out) {
        return out.putLong(id.word0()).putLong(id.word1()).putLong(id.word2()).putLong(id.word3());
    }

    private static ServiceId getService(ByteBuffer in) {
        return new ServiceId(in.getLong(), in.getLong(), in.getLong(), in.getLong());
    }

    private static ByteBuffer putId(UUID id, ByteBuffer out) {
        return out.putLong(id.getMostSignificantBits()).putLong(id.getLeastSignificantBits());
    }

    private static UUID getId(ByteBuffer in) {
        return new UUID(in.getLong(), in.getLong());
    }
}
