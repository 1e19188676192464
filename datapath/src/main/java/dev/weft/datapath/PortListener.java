package dev.weft.datapath;

import java.util.UUID;

/** Hears that an attached interface is gone, once per port. Called on a thread of the datapath: hand it over, return. */
@FunctionalInterface
public interface PortListener {
    void onPortLost(int port, UUID id);
}
