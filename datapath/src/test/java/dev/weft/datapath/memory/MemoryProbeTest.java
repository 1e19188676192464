package dev.weft.datapath.memory;

import dev.weft.datapath.DatapathConfig;
import dev.weft.datapath.ProbeContract;
import dev.weft.datapath.TestHost;

class MemoryProbeTest extends ProbeContract {
    private final MemoryFabric fabric = new MemoryFabric();

    @Override
    protected TestHost open(DatapathConfig config) {
        return new MemoryHost(new MemoryDatapath(config, fabric));
    }
}
