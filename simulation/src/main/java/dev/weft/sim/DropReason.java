package dev.weft.sim;

import java.util.Locale;

/** Why the virtual network drops a packet. Each has its own counter; the label is what people read. */
public enum DropReason {
    /** The ingress port is not in the topology (any more). */
    UNKNOWN_PORT("the port it came from is not in the topology"),
    /** The port it would leave by has neither a peer nor a host. */
    UNPLUGGED("the port it would leave by has neither a peer nor a host"),
    /** An exterior port whose host or tunnel key is not known: the host is down or has not bound it yet. */
    NOT_LOCATED("the host of the port it would leave by is not known or down"),
    /** More devices crossed than any sane topology has: bridges joined in a circle, or routes that do. */
    LOOP("it crossed too many devices: bridges or routes form a circle"),
    /** A source MAC with the group bit. */
    GROUP_SOURCE_MAC("its source MAC is a group address"),
    /** The destination MAC lives where the frame came from. */
    SAME_PORT("its destination is on the port it came from"),
    /** A flood that nobody is there to receive. */
    NO_RECEIVER("nobody else is on the bridge"),
    /** A flood with more outputs than a flow can hold. */
    TOO_MANY_OUTPUTS("a flood to more ports and hosts than one flow can hold"),
    /** One branch of a flood was routed and changed the packet in a way that a later one would need undone. */
    CANNOT_UNDO("a branch of the flood that comes after one that was routed"),
    /** A stateful port lets in answers only. */
    STATEFUL("the port is stateful, and this is no answer to what its VM began"),
    /** The port, bridge or router is switched off by its owner. */
    DISABLED("its port, bridge or router is disabled"),
    /** A security group lets in, and out, what its rules say. */
    SECURITY_GROUP("no rule of the port's security groups lets it pass"),
    /** A VLAN that the port it came in by, or would leave by, does not carry. */
    VLAN_NOT_ALLOWED("its VLAN is not one of the port's"),
    /** A tag behind the tag, which would come to light where the first is taken off: into another VLAN. */
    DOUBLE_TAGGED("it has a second VLAN tag behind the first"),
    /** A source MAC that the port with security does not have. */
    SPOOFED_MAC("its source MAC is not one of the port's"),
    /** A source address that the port with security does not have, or not with this MAC. */
    SPOOFED_ADDRESS("its source address is not one of the port's"),
    /** ARP or neighbour discovery that claims what the port with security does not have. */
    SPOOFED_NEIGHBOUR("it claims a MAC or address that is not the port's"),
    /** A DHCP server behind a port with security. */
    ROGUE_DHCP("a VM is no DHCP server"),
    /** A router advertisement or redirect from behind a port with security. */
    ROGUE_ROUTER("a VM is no router to its neighbours"),
    /** VXLAN to a host of the fabric: out of an uplink it could pass for a tunnel packet of another host. */
    TUNNEL_ENDPOINT("it is a tunnel packet to a host of the fabric"),
    /** Tagged, at a router port. */
    TAGGED_AT_ROUTER("router ports take no VLAN tags"),
    /** The destination MAC is neither the router port's nor a group. */
    OTHER_MAC("its destination MAC is not the router port's"),
    /** Neither IP nor ARP, at a router. */
    NOT_IP("routers take IPv4, IPv6 and ARP only"),
    /** Routers forward neither multicast nor broadcast. */
    GROUP_AT_ROUTER("routers forward no multicast or broadcast"),
    /** The directed broadcast of a connected subnet (RFC 2644). */
    DIRECTED_BROADCAST("routers forward no directed broadcast"),
    /** A source that cannot be: group, loopback, unspecified, reserved. */
    BAD_SOURCE("its source address is no single host's"),
    /** A source that is the router itself. */
    OWN_SOURCE("its source address is the router's own"),
    /** A destination that never leaves a host: loopback, unspecified, reserved. */
    BAD_DESTINATION("its destination address is not one to forward to"),
    /** Link-local addresses are not forwarded (RFC 4291 section 2.5.6, RFC 3927 section 7). */
    LINK_LOCAL("link-local packets are not forwarded"),
    /** No route. */
    NO_ROUTE("the router has no route to its destination"),
    /** A blackhole route. */
    BLACKHOLE("a blackhole route"),
    /** A reject route. */
    REJECTED("a reject route"),
    /** TTL or hop limit used up. */
    TTL_EXPIRED("its TTL or hop limit is used up"),
    /** The next hop did not answer. */
    HOST_UNREACHABLE("the next hop does not answer"),
    /** The port it would leave by has no address of its family, so the next hop cannot be asked for. */
    NO_ADDRESS("the router port it would leave by has no address of its family"),
    /** For the router itself, which has no use for it. */
    FOR_ROUTER("it is for the router itself, which does not serve it"),
    /** A rule says so. */
    RULE("a rule drops it"),
    /** A rule says so, and the sender is told. */
    REFUSED("a rule rejects it"),
    /** Its answers could not be told from those of another connection. */
    TUPLE_TAKEN("its answers could not be told from those of another connection"),
    /** No public port is left. */
    NAT_EXHAUSTED("all public ports that it may be given are in use"),
    /** All members of the pool are down or draining. */
    NO_MEMBER("no member of the pool takes new connections"),
    /** To whoever asks members whether they are well, and no answer. */
    NO_CHECK_ASKED("it is for the asker of health checks, and answers none"),
    /** Would leave with an inside address. */
    NOT_TRANSLATABLE("it belongs to no connection, so its source cannot be translated"),
    /** More translations on its way than a record holds. */
    TOO_MANY_TRANSLATIONS("too many routers on its way translate it"),
    /** The service table has no entry for the service it names. */
    NO_SERVICE("the service table has no entry for the service it names"),
    /** A DROP rule of the service table. */
    SERVICE_DROPPED("a rule of the service table drops it"),
    /** Sent back to a service router that it came through already. */
    SERVICE_LOOP("it came through this service router before"),
    /** No place in its Serval header for one more service router. */
    SOURCE_FULL("it came through more service routers than it can name"),
    /** Nobody on the bridge has the address of an instance, or none has one of the packet's family. */
    NO_INSTANCE("no instance of the service it looks for can be reached from there"),
    /** For a router's DNS server, and no query. */
    FOR_DNS_SERVER("it is for the router's DNS server, and asks nothing"),
    /** To whom hosts register instances, and no registration. */
    BAD_REGISTRATION("it is for who takes registrations, and is none, or came from no VM"),
    /** A SYN-ACK to a guarded port that answers no SYN of its VM. */
    SAL_FORGED_SYN_ACK("it answers no SYN of the VM behind the guarded port"),
    /** An RST to a guarded port of no connection of its VM, or not from its peer. */
    SAL_FORGED_RST("it is a reset of no connection of the VM behind the guarded port, or not from its peer"),
    /** A FIN to a guarded port of no connection of its VM, or not from its peer. */
    SAL_FORGED_FIN("it ends no connection of the VM behind the guarded port, or is not from its peer"),
    /** An RSYN to a guarded port of no connection of its VM, or not from its peer. */
    SAL_FORGED_RSYN("it moves no connection of the VM behind the guarded port, or is not from its peer"),
    /** A fragment of a Serval packet, to a guarded port. */
    SAL_FRAGMENT("it is a fragment of a Serval packet, which the guard of the port cannot judge"),
    /** Between SAL's UDP ports, to a guarded port: no sound SAL, but others might read it otherwise. */
    SAL_UNREADABLE("it looks like a Serval control packet and is none, which the guard of the port cannot judge"),
    /** For a bridge's DHCP server, which does not know the client or the message. */
    FOR_DHCP_SERVER("it is for the bridge's DHCP server, which has no answer"),
    /** Longer than a port's MTU or the way to the other host allows. */
    TOO_LONG("it is longer than the tunnel or a link on its way allows");

    private final String text;
    private final String label;

    DropReason(String text) {
        this.text = text;
        label = name().toLowerCase(Locale.ROOT).replace('_', '-');
    }

    /** {@code not-located}. */
    public String label() {
        return label;
    }

    /** Half a sentence for people, after "dropped:". */
    public String text() {
        return text;
    }

    /** Somebody wants it so, for as long as the network is as it is: what was let through before is to end. */
    public boolean isPolicy() {
        return switch (this) {
            case RULE,
                    REFUSED,
                    STATEFUL,
                    SECURITY_GROUP,
                    DISABLED,
                    BLACKHOLE,
                    REJECTED,
                    SPOOFED_MAC,
                    SPOOFED_ADDRESS,
                    VLAN_NOT_ALLOWED -> true;
            default -> false;
        };
    }
}
