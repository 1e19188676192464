package dev.weft.agent.control;

import dev.weft.agent.worker.Command;
import dev.weft.base.IpAddress;
import dev.weft.topology.TableKind.MacKey;
import dev.weft.topology.TableKind.NeighbourValue;
import java.util.UUID;
import org.jspecify.annotations.Nullable;

/** The shared tables' entries as commands to workers, by the network of the moment. */
final class Translations {
    private Translations() {}

    static TableMirror.Translation<MacKey, UUID> macs(Site site, UUID bridge) {
        return new TableMirror.Translation<>() {
            @Override
            public @Nullable Command learned(MacKey key, UUID port) {
                int device = site.network().bridgeIndex(bridge);
                int index = site.network().portIndex(port);
                return device < 0 || index < 0
                        ? null
                        : new Command.MacLearned(device, key.vlan(), key.mac().bits(), index);
            }

            @Override
            public @Nullable Command forgotten(MacKey key, UUID port) {
                int device = site.network().bridgeIndex(bridge);
                int index = site.network().portIndex(port);
                return device < 0 || index < 0
                        ? null
                        : new Command.MacForgotten(device, key.vlan(), key.mac().bits(), index);
            }
        };
    }

    static TableMirror.Translation<IpAddress, NeighbourValue> neighbours(Site site, UUID router) {
        return new TableMirror.Translation<>() {
            @Override
            public @Nullable Command learned(IpAddress address, NeighbourValue value) {
                int device = site.network().routerIndex(router);
                int index = site.network().portIndex(value.port());
                return device < 0 || index < 0
                        ? null
                        : new Command.NeighbourLearned(
                                device,
                                address.high(),
                                address.low(),
                                value.mac().bits(),
                                index,
                                site.network().portIndex(value.macPort()));
            }

            @Override
            public @Nullable Command forgotten(IpAddress address, NeighbourValue value) {
                int device = site.network().routerIndex(router);
                int index = site.network().portIndex(value.port());
                return device < 0 || index < 0
                        ? null
                        : new Command.NeighbourForgotten(
                                device,
                                address.high(),
                                address.low(),
                                value.mac().bits(),
                                index);
            }
        };
    }
}
