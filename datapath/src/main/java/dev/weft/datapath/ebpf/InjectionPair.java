package dev.weft.datapath.ebpf;

import dev.weft.datapath.DatapathException;
import dev.weft.datapath.bpf.BpfException;
import dev.weft.datapath.bpf.BpfLink;
import dev.weft.datapath.link.Link;
import dev.weft.datapath.link.LinkException;
import dev.weft.datapath.link.Links;
import dev.weft.datapath.link.NetworkNamespace;
import java.util.List;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Two interfaces of our own, wired together: what the agent sends into one meets {@code weft_inject} at the other. */
final class InjectionPair implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(InjectionPair.class);

    /** Any super-packet. */
    private static final int MTU = 65_535;

    private final BpfLink program;
    private final int ifindex;

    InjectionPair(KernelTables tables, NetworkNamespace namespace, int tunnelPort) {
        String near = nearName(tunnelPort);
        String far = "weft-o" + tunnelPort;
        try (var links = Links.in(namespace)) {
            if (links.find(near).isEmpty()) {
                links.createVeth(near, far);
                for (String end : List.of(near, far)) {
                    links.withoutIpv6Address(end);
                    links.setMtu(end, MTU);
                    links.setUp(end);
                }
            }
            ifindex = links.get(near).ifindex();
            Link end = links.get(far);
            program = tables.attach("inject", namespace, end.ifindex(), "weft_inject");
        } catch (LinkException | BpfException refused) {
            throw new DatapathException("the injection pair cannot be made: " + refused.getMessage(), refused);
        }
    }

    /** Of our end. */
    int ifindex() {
        return ifindex;
    }

    private static String nearName(int tunnelPort) {
        return "weft-i" + tunnelPort;
    }

    /** Lets the program go; the pair stays until {@link #remove}. */
    @Override
    public void close() {
        program.close();
    }

    /** The pair of a tunnel port, if it is there. */
    static void remove(NetworkNamespace namespace, int tunnelPort) {
        try (var links = Links.in(namespace)) {
            links.find(nearName(tunnelPort)).ifPresent(own -> links.delete(own.name()));
        } catch (LinkException gone) {
            LOG.debug("the injection pair is gone with its namespace: {}", gone.getMessage());
        }
    }
}
