package dev.weft.datapath.ebpf;

import dev.weft.base.MacAddress;
import dev.weft.datapath.DatapathException;
import dev.weft.datapath.bpf.BpfException;
import dev.weft.datapath.bpf.BpfLink;
import dev.weft.datapath.link.Link;
import dev.weft.datapath.link.LinkException;
import dev.weft.datapath.link.Links;
import dev.weft.datapath.link.NetworkNamespace;
import java.util.Optional;

/** Two interfaces of our own, wired together: what the agent sends into one meets {@code weft_inject} at the other. */
final class InjectionPair implements AutoCloseable {
    /** A super-packet with orders in front. */
    private static final int MTU = 65_535;

    private final NetworkNamespace namespace;
    private final String near;
    private final BpfLink program;
    private final int ifindex;
    private final long farMac;

    InjectionPair(KernelTables tables, NetworkNamespace namespace, int tunnelPort) {
        this.namespace = namespace;
        near = "weft-i" + tunnelPort;
        String far = "weft-o" + tunnelPort;
        try (var links = Links.in(namespace)) {
            links.find(near).ifPresent(old -> links.delete(near));
            links.createVeth(near, far);
            links.withoutIpv6Address(near);
            links.withoutIpv6Address(far);
            links.setMtu(near, MTU);
            links.setMtu(far, MTU);
            links.setUp(near);
            links.setUp(far);
            ifindex = links.get(near).ifindex();
            Link end = links.get(far);
            Optional<MacAddress> mac = end.mac();
            farMac = mac.map(MacAddress::bits).orElse(0L);
            program = BpfLink.tcx(namespace, end.ifindex(), BpfLink.Direction.INGRESS, tables.program("weft_inject"));
        } catch (LinkException | BpfException refused) {
            throw new DatapathException("the injection pair cannot be made: " + refused.getMessage(), refused);
        }
    }

    /** Of our end. */
    int ifindex() {
        return ifindex;
    }

    /** Of the other end. */
    long farMac() {
        return farMac;
    }

    @Override
    public void close() {
        program.close();
        try (var links = Links.in(namespace)) {
            links.find(near).ifPresent(own -> links.delete(near));
        } catch (LinkException gone) {
            // With its namespace: nothing is left to delete.
            return;
        }
    }
}
