package dev.weft.datapath.memory;

import dev.weft.datapath.ActionContract;
import dev.weft.datapath.DatapathConfig;
import dev.weft.datapath.TestHost;

class MemoryActionTest extends ActionContract {
    private final MemoryFabric fabric = new MemoryFabric();

    @Override
    protected TestHost open(DatapathConfig config) {
        return new MemoryHost(new MemoryDatapath(config, fabric));
    }
}
