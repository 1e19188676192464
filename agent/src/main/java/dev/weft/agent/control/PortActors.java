package dev.weft.agent.control;

import akka.actor.typed.ActorRef;
import akka.actor.typed.javadsl.ActorContext;
import dev.weft.agent.worker.Command;
import dev.weft.datapath.PortSpec;
import dev.weft.topology.StateTable;
import dev.weft.topology.TableKind.TunnelTarget;
import dev.weft.topology.TunnelKeys;
import dev.weft.topology.schema.Port;
import java.util.Map;
import java.util.UUID;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** An actor for each exterior port of this host. Not thread safe: touched only by the topology actor. */
final class PortActors {
    private static final Logger LOG = LoggerFactory.getLogger(PortActors.class);

    private final ActorContext<TopologyActor.Command> context;
    private final Site site;
    private final KeyRing keys;
    private final StateTable<TunnelTarget, Integer> table;
    private final Children<PortActor.Command> actors;

    PortActors(
            ActorContext<TopologyActor.Command> context,
            Site site,
            KeyRing keys,
            StateTable<TunnelTarget, Integer> table) {
        this.context = context;
        this.site = site;
        this.keys = keys;
        this.table = table;
        actors = new Children<>(context, "port", new PortActor.Stop());
    }

    void follow(Map<UUID, Port> ports) {
        // The key of one that goes stays taken for it: should it come back, late packets meet the same port.
        actors.retain(ports.keySet());
        ports.forEach(this::follow);
    }

    private void follow(UUID id, Port port) {
        int key = keys.keyOf(id.toString());
        if (key == TunnelKeys.NONE) {
            LOG.error("no tunnel key is left for port {}; other hosts cannot reach it", id);
            return;
        }
        var spec = new PortSpec(
                id,
                port.getInterface(),
                port.getNamespace(),
                site.options.upcallsPerSecond(),
                site.options.floodsPerSecond());
        var announcer = new Announcer(key, context.getSelf());
        actors.start(id, () -> PortActor.create(new PortKeeper(site.datapath, spec, key, announcer), site));
        actors.tell(id, new PortActor.Bound(spec));
    }

    void lost(UUID port, int datapathPort) {
        actors.tell(port, new PortActor.Lost(datapathPort));
    }

    /** Tells workers first, then the other hosts; on the way back the other way round. On the port's actor. */
    private final class Announcer implements PortKeeper.Events {
        private final int key;
        private final ActorRef<TopologyActor.Command> topology;

        Announcer(int key, ActorRef<TopologyActor.Command> topology) {
            this.key = key;
            this.topology = topology;
        }

        @Override
        public void attached(PortSpec spec, int datapathPort) {
            LOG.info("port {} is up at {}", spec.id(), place(spec));
            site.crew.tell(new Command.LocalPort(site.network().portIndex(spec.id()), datapathPort));
            // What others send by the key is delivered from the first frame on.
            site.crew.settle();
            table.put(target(spec), key);
        }

        @Override
        public void detached(PortSpec spec, int datapathPort) {
            LOG.info("port {} is down: {} is gone or no longer its interface", spec.id(), place(spec));
            table.remove(target(spec));
            site.crew.tell(new Command.NoLocalPort(site.network().portIndex(spec.id())));
            topology.tell(new TopologyActor.PortSilent(spec.id()));
        }

        private TunnelTarget target(PortSpec spec) {
            return new TunnelTarget(TunnelTarget.What.PORT, spec.id(), site.host);
        }

        private static String place(PortSpec spec) {
            return spec.namespace().isEmpty() ? spec.interfaceName() : spec.interfaceName() + " in " + spec.namespace();
        }
    }
}
