package dev.weft.datapath.ebpf;

import static dev.weft.datapath.TestFrames.exact;
import static dev.weft.datapath.TestFrames.key;

import dev.weft.base.IpAddress;
import dev.weft.datapath.DatapathConfig;
import dev.weft.datapath.PortSpec;
import dev.weft.datapath.WorkerPort;
import dev.weft.sim.flow.ActionList;
import java.nio.charset.StandardCharsets;
import java.util.HexFormat;
import java.util.UUID;

/**
 * A process with a datapath that lasts, which installs one flow, says so, and serves upcalls until it is killed.
 * Arguments: host id, underlay address, namespace, from interface, to interface, and the flow's frame in hexadecimal.
 */
final class ForwardingProcess {
    static final String READY = "forwarding";

    private ForwardingProcess() {}

    static DatapathConfig config(String host, String underlay, String namespace) {
        return DatapathConfig.of(1, IpAddress.parse(underlay))
                .withHost(UUID.fromString(host))
                .withFlowCapacity(256)
                .withNamespace(namespace);
    }

    /** The same port whichever process attaches it. */
    static PortSpec port(String namespace, String name) {
        return new PortSpec(UUID.nameUUIDFromBytes(name.getBytes(StandardCharsets.UTF_8)), name, namespace, 1000);
    }

    public static void main(String[] arguments) {
        String namespace = arguments[2];
        var datapath = new EbpfDatapath(config(arguments[0], arguments[1], namespace));
        int in = datapath.attach(port(namespace, arguments[3]));
        int out = datapath.attach(port(namespace, arguments[4]));
        var actions = new ActionList();
        actions.output(out, 0);
        WorkerPort worker = datapath.worker(0);
        byte[] frame = HexFormat.of().parseHex(arguments[5]);
        if (worker.install(1, key(frame, in, 0), exact(), actions) != WorkerPort.INSTALLED) {
            throw new IllegalStateException("the flow was not installed");
        }
        System.out.println(READY);
        while (true) {
            worker.poll((segment, offset, length, inPort, tunnelKey, reason) -> {}, 64);
            worker.await(100_000_000L);
        }
    }
}
