package dev.weft.datapath.memory;

import dev.weft.datapath.DatapathConfig;
import dev.weft.datapath.SurvivalContract;
import dev.weft.datapath.TestHost;

class MemorySurvivalTest extends SurvivalContract {
    private final MemoryFabric fabric = new MemoryFabric();

    @Override
    protected TestHost open(DatapathConfig config) {
        return new MemoryHost(MemoryDatapath.inFabric(config, fabric));
    }

    @Override
    protected TestHost reopen(TestHost before, DatapathConfig config) {
        return ((MemoryHost) before).with(MemoryDatapath.inFabric(config, fabric));
    }
}
